"""Days become figures once, whatever is late; what leaves its course is told once."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.incidents.models import Incident
from apps.journal.models import Entry
from apps.metrics.figures import Figure, figures_of_day
from apps.metrics.models import DailyFigure
from apps.metrics.services import rollups
from apps.metrics.services.rollups import roll_up
from apps.orders.models import TimeWindow
from apps.recommendations.models import Recommendation
from apps.routes.calibrationrows import EtaCalibration, StopTelling
from apps.routes.models import Plan, Route, Stop
from apps.routes.states import PlanState, RouteState, StopState
from tests.factories import NOW, SERVICE_DATE, OverrideFactory
from tests.office import make_office, make_user, signed_in
from tests.queueing import drain

pytestmark = pytest.mark.django_db

NIGHT = NOW + timedelta(hours=20)


def told(arrives_s: float, *, off_s: float, hour: int) -> dict[str, object]:
    basis = {"spread_s": 120.0, "ahead_s": 300.0, "shift": 0.0, "stretch": 1.0}
    low_s, high_s = arrives_s - off_s, arrives_s + off_s
    return {
        **basis,
        "arrives_s": arrives_s,
        "low_s": low_s,
        "high_s": high_s,
        "hour": hour,
    }


@pytest.fixture
def driven() -> Depot:
    """Return a depot of which one stop was reached five minutes late, within its time."""
    office = make_office()
    stop = Stop.objects.filter(route=office.route).first()
    assert stop is not None
    TimeWindow.objects.filter(order=stop.order_id).delete()
    at = NOW + timedelta(hours=2)
    Stop.objects.filter(pk=stop.pk).update(
        status=StopState.SUCCEEDED,
        service_s=120,
        arrived_at=at,
        completed_at=at + timedelta(seconds=180),
    )
    StopTelling.objects.update_or_create(
        stop=stop,
        defaults={
            "depot": office.depot,
            "route_id": office.route.pk,
            "zone": "Altstadt",
            "told": {"0": told(at.timestamp() - 300, off_s=400, hour=9)},
            "arrived_at": at,
            "began_at": at,
            "scored_at": at,
        },
    )
    return office.depot


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {f"{each.name} {each.key}".strip(): each for each in figures}


def test_day_becomes_figures_of_what_happened(driven: Depot) -> None:
    found = by_name(figures_of_day(driven, SERVICE_DATE))
    assert found["eta_bias_s"].value == 300
    assert found["eta_error_s"].n == 1
    assert found["coverage"].value == 1.0
    assert found["coverage cell:Altstadt@9"].n == 1
    assert found["service_ratio"].value == pytest.approx(1.5)
    assert figures_of_day(driven, SERVICE_DATE + timedelta(days=40)) == []


def test_overrides_and_answers_are_counted_by_kind_and_role(driven: Depot) -> None:
    OverrideFactory(depot=driven, service_date=SERVICE_DATE, asked_role="Driver")
    found = by_name(figures_of_day(driven, SERVICE_DATE))
    assert found["override_rate"].value == 1.0
    assert any(name.startswith("override_rate role:Driver") for name in found)


def test_rolling_up_twice_writes_the_same(driven: Depot) -> None:
    first = roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT)
    again = roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT + timedelta(hours=1))
    assert [(row.name, row.key, row.value, row.n) for row in first] == [
        (row.name, row.key, row.value, row.n) for row in again
    ]
    assert DailyFigure.objects.filter(day=SERVICE_DATE).count() == len(first)


def test_figure_that_is_no_more_goes(driven: Depot) -> None:
    roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT)
    StopTelling.objects.all().delete()
    rows = roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT + timedelta(hours=1))
    assert "eta_bias_s" not in {row.name for row in rows}


def past(depot: Depot, name: str, values: list[float], n: int) -> None:
    DailyFigure.objects.bulk_create(
        DailyFigure(
            depot=depot,
            day=SERVICE_DATE - timedelta(days=back),
            name=name,
            value=value,
            n=n,
            rolled_up_at=NOW,
        )
        for back, value in enumerate(values, 1)
    )


def test_drift_is_told_once_and_is_an_incident(
    driven: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    past(driven, "service_ratio", [1.0 + 0.02 * (n % 5) for n in range(28)], 150)

    def one(_: Depot, day: date) -> list[Figure]:
        return [Figure("service_ratio", 1.5, 150), Figure("coverage", 0.9, 150)]

    monkeypatch.setattr(rollups, "figures_of_day", one)
    rows = roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT)
    drifted = [row for row in rows if row.is_drift]
    assert [row.name for row in drifted] == ["service_ratio"]
    assert drifted[0].high is not None
    assert drifted[0].high < 1.5
    roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT + timedelta(hours=1))
    assert Entry.objects.filter(kind="monitor.drifted").count() == 1
    drain()
    incident = Incident.objects.get(kind="drift")
    assert incident.role == "Model monitor"
    assert "Service against plan" in incident.title
    assert incident.details["name"] == "service_ratio"


def test_quiet_day_is_no_drift(driven: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    past(driven, "service_ratio", [1.0 + 0.02 * (n % 5) for n in range(28)], 150)

    def one(_: Depot, day: date) -> list[Figure]:
        return [Figure("service_ratio", 1.03, 150)]

    monkeypatch.setattr(rollups, "figures_of_day", one)
    (row,) = roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT)
    assert not row.is_drift
    assert row.low is not None
    assert not Entry.objects.filter(kind="monitor.drifted").exists()


def test_failed_plans_and_settled_recommendations_are_shares(driven: Depot) -> None:
    plan = Plan.objects.filter(depot=driven).first()
    assert plan is not None
    Plan.objects.filter(pk=plan.pk).update(
        status=PlanState.FAILED, requested_at=NOW, solved_at=None
    )
    Route.objects.filter(depot=driven).update(status=RouteState.FINISHED)
    Recommendation.objects.filter(depot=driven).update(
        state="followed",
        settled_at=NOW,
        outcome={"stops": 10, "served": 10, "out_of_order": 2, "elsewhere": 1},
        kind="plan",
    )
    found = by_name(figures_of_day(driven, SERVICE_DATE))
    assert found["failure_rate"].value > 0
    assert found["acceptance_rate kind:plan"].value == 1.0
    assert found["adherence"].value == pytest.approx(0.7)


def test_page_draws_what_the_api_tells(driven: Depot) -> None:
    past(driven, "coverage", [0.88 + 0.01 * (n % 5) for n in range(30)], 200)
    past(driven, "travel_ratio", [1.0 + 0.01 * (n % 4) for n in range(30)], 200)
    roll_up(driven, SERVICE_DATE, by=SYSTEM, now=NIGHT)
    EtaCalibration.objects.create(
        depot=driven,
        version=4,
        made_at=NOW - timedelta(days=30),
        count=9,
        margins={"||": [-1.0, 1.0, 0.8]},
    )
    user = make_user("Model monitor", driven)
    page = signed_in(user).get(
        reverse("admin:metrics_dailyfigure_monitor"),
        {"depot": str(driven.pk), "last": str(SERVICE_DATE)},
    )
    text = page.content.decode()
    assert text.count("<figure") >= 2
    assert "ETA intervals by zone and hour" in text
    assert "Altstadt" in text
    assert "Held, as learned" in text
    api = APIClient()
    api.force_authenticate(user)
    body = api.get(
        f"/api/v1/depots/{driven.pk}/monitor", {"last": str(SERVICE_DATE)}
    ).json()
    assert body["calibration"] == [
        {"zone": "Altstadt", "hour": 9, "share": 1.0, "n": 1}
    ]
    names = {row["name"] for row in body["figures"]}
    assert {"coverage", "travel_ratio", "eta_bias_s"} <= names
    one = api.get(
        f"/api/v1/depots/{driven.pk}/monitor",
        {"last": str(SERVICE_DATE), "name": "travel_ratio"},
    ).json()
    assert {row["name"] for row in one["figures"]} == {"travel_ratio"}
