"""What the model monitor saw stands in a proposal of what it speaks of, and nowhere else."""

from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.roles import SUPERVISOR
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.metrics.models import DailyFigure
from apps.metrics.monitored import MONITORED
from apps.metrics.services import rollups
from apps.recommendations import services as recommendations
from apps.recommendations.services import Draft
from apps.routes.services.parameters import keep_parameters
from apps.tuning.evidence import drifts_of
from apps.tuning.services.proposals import propose_learned
from apps.tuning.topics import SERVICE, SPEAKS_OF, TRAVEL, figures_about
from tests.factories import NOW, DepotFactory
from tests.office import make_user, signed_in
from tests.tuning.rows import OFFICE, make_proposal

pytestmark = pytest.mark.django_db
YESTERDAY = NOW.date() - timedelta(days=1)


def drift(
    depot: Depot, name: str, day: date = YESTERDAY, *, at: datetime = NOW
) -> None:
    """Let the monitor tell, in its own way, that a figure has left its course."""
    row = DailyFigure(depot=depot, day=day, name=name, value=1.5, n=150, centre=1.02)
    with writing(by=SYSTEM, now=at - timedelta(hours=2)) as journal:
        rollups._tell(depot, day, [row], journal)


def test_figures_speak_of_the_parameters_that_are_theirs() -> None:
    assert figures_about(["service_factors"]) == ["service_ratio"]
    assert figures_about(["travel_c_s", "roads_factor"]) == ["travel_ratio"]
    assert figures_about(["engine"]) == []
    assert set(SPEAKS_OF) <= set(MONITORED), "each is a figure that is watched"


def test_proposal_of_service_factors_lists_the_drift_of_services() -> None:
    depot = DepotFactory()
    drift(depot, "service_ratio")
    drift(depot, "travel_ratio")
    drift(DepotFactory(), "service_ratio", YESTERDAY - timedelta(days=1))
    row = make_proposal(depot)
    [told] = row.evidence["drifts"]
    assert (told["figure"], told["date"]) == ("service_ratio", YESTERDAY.isoformat())
    words = f"Service against plan on {YESTERDAY:%d %B}: 1.50 ×, usually 1.02 ×."
    assert told["text"] == words
    page = signed_in(make_user(SUPERVISOR, depot)).get(
        reverse("admin:tuning_proposal_change", args=[row.pk])
    )
    assert words in page.content.decode()


def test_learned_travel_lists_the_drift_of_travel() -> None:
    depot = DepotFactory()
    drift(depot, "service_ratio")
    drift(depot, "travel_ratio")
    draft = Draft(
        kind="parameter",
        depot_id=depot.pk,
        subject_type="depot",
        subject_id=str(depot.pk),
        inputs=b"{}",
        answer=b"{}",
        engine="relearning",
        engine_version="1",
        seed=0,
        mode="rules",
        parameters={"travel_c_s": 320.0},
    )
    about = recommendations.issue(draft, by=SYSTEM, now=NOW)
    row = propose_learned(about.pk, by=SYSTEM, now=NOW)
    assert row is not None
    assert [each["figure"] for each in row.evidence["drifts"]] == ["travel_ratio"]


def test_drift_is_open_until_its_parameter_is_changed_or_four_weeks_have_gone() -> None:
    depot = DepotFactory()
    drift(depot, "service_ratio", YESTERDAY - timedelta(days=3))
    drift(depot, "service_ratio", YESTERDAY)
    days = [each.date for each in drifts_of(depot.pk, SERVICE, now=NOW)]
    assert days == sorted(days, reverse=True)
    assert len(days) == 2
    assert drifts_of(depot.pk, TRAVEL, now=NOW) == []
    assert drifts_of(depot.pk, SERVICE, now=NOW + timedelta(days=28)) == []
    changed = NOW - timedelta(days=3)
    values = {"service_factors": {"depot": {"factor": 1.4}}}
    keep_parameters(depot.pk, values, because="Hills.", by=OFFICE, now=changed)
    left = drifts_of(depot.pk, SERVICE, now=NOW)
    assert [each.date for each in left] == [YESTERDAY.isoformat()]
