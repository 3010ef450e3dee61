"""A route's risk is written down with its ETAs, and shown with its cause."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.routes.experience import services_by_zone
from apps.routes.models import Route, Stop
from apps.routes.services.etas import refresh_etas
from apps.routes.states import StopState
from tests.factories import (
    NOW,
    SERVICE_DATE,
    TimeWindowFactory,
    ZoneFactory,
)
from tests.office import make_user, signed_in
from tests.queueing import drain_only
from tests.routes.days import OFFICE, begin, make_day, make_order, publish_day, report
from tests.sync.builders import enrol

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def tight_day() -> tuple[Depot, Route]:
    """A day whose last stops close shortly after they are reached."""
    depot = make_day(orders=0, shifts=1)
    for number in range(8):
        TimeWindowFactory(
            order=make_order(depot, number),
            opens_at=NOW + timedelta(hours=1),
            closes_at=NOW + timedelta(hours=2, minutes=5),
        )
    publish_day(depot)
    return depot, Route.objects.get()


def test_published_route_has_its_risk_and_causes() -> None:
    calm = make_day(orders=3, shifts=1)
    publish_day(calm)
    route = Route.objects.get()
    assert (route.risk_percent, route.risk_causes) == (0, [])
    assert route.risk_at is not None


def test_late_start_raises_the_risk_and_is_named() -> None:
    _, route = tight_day()
    before = route.risk_percent
    late = route.starts_at + timedelta(minutes=45)
    begin(route.shift, late)
    with time_machine.travel(late):
        refresh_etas([route.pk], by=OFFICE, now=late)
    route.refresh_from_db()
    assert before is not None
    assert route.risk_percent is not None
    assert route.risk_percent > max(before, 50)
    texts = {cause["code"]: cause["text"] for cause in route.risk_causes}
    assert texts["late_start"] == "45 min late at the start"


def test_device_event_moves_the_risk_and_names_the_cause() -> None:
    depot, route = tight_day()
    before = route.risk_percent
    late = route.starts_at + timedelta(minutes=45)
    with time_machine.travel(late):
        device = enrol(route.driver)
        [verdict] = device.verdicts(
            device.event("shift.started", shift_id=str(route.shift_id))
        )
        assert drain_only("apps.routes.tasks.refresh_etas") == 1
    assert verdict[0] == "applied"
    route.refresh_from_db()
    assert before is not None
    assert route.risk_percent is not None
    assert route.risk_percent > max(before, 50)
    assert "late_start" in {cause["code"] for cause in route.risk_causes}
    assert route.risk_at is not None
    assert route.risk_at >= late
    api = APIClient()
    api.force_authenticate(make_user("Coordinator", depot))
    [shown] = api.get("/api/v1/routes", {"depot": str(depot.pk)}).json()["results"]
    assert shown["risk_percent"] == route.risk_percent
    assert shown["risk_causes"] == route.risk_causes


def test_route_with_nothing_ahead_has_no_risk_any_more() -> None:
    _, route = tight_day()
    begin(route.shift, route.starts_at)
    Stop.objects.update(status=StopState.SUCCEEDED, completed_at=NOW)
    refresh_etas([route.pk], by=OFFICE, now=NOW)
    route.refresh_from_db()
    assert (route.risk_percent, route.risk_causes) == (None, [])


def test_risk_stands_on_the_board_the_route_the_plan_and_the_api() -> None:
    depot, route = tight_day()
    late = route.starts_at + timedelta(minutes=50)
    begin(route.shift, late)
    refresh_etas([route.pk], by=OFFICE, now=late)
    user = make_user("Supervisor", depot)
    client = signed_in(user)
    board = client.get(reverse("admin:index"), {"date": str(SERVICE_DATE)})
    text = board.content.decode()
    assert "Routes at risk" in text
    assert Route.objects.get().risk_causes[0]["text"] in text.replace("&#x27;", "'")
    page = client.get(reverse("admin:routes_route_change", args=[route.pk]))
    assert "that a stop ahead misses its window" in page.content.decode()
    plan = client.get(reverse("admin:routes_plan_change", args=[route.plan_id]))
    assert f"{Route.objects.get().risk_percent} %" in plan.content.decode()
    api = APIClient()
    api.force_authenticate(user)
    shown = api.get(f"/api/v1/routes/{route.pk}").json()
    assert shown["risk_percent"] >= 50
    assert {"code", "text", "percent"} == shown["risk_causes"][0].keys()


def test_services_by_zone_are_learned_from_what_devices_told() -> None:
    depot = make_day(orders=0, shifts=1)
    zone = ZoneFactory(depot=depot, name="Old Town")
    for number in range(6):
        make_order(depot, number, zone=zone)
    waits = make_order(depot, 7, zone=zone)
    TimeWindowFactory(order=waits, opens_at=NOW + timedelta(hours=4))
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    at = route.starts_at
    for stop in Stop.objects.order_by("sequence"):
        early = NOW + timedelta(hours=3)
        at = early if stop.order_id == waits.pk else at + timedelta(minutes=10)
        with time_machine.travel(at + timedelta(minutes=5)):
            report(stop, "stop.arrived", at)
            report(stop, "stop.succeeded", at + timedelta(minutes=4))
    found = services_by_zone(depot.pk, now=at + timedelta(hours=1))
    # Six of four minutes where two were planned; who waited for a window teaches nothing.
    assert found == {"Old Town": pytest.approx((6 * 240 + 7200) / (6 * 120 + 7200))}
    later = services_by_zone(depot.pk, now=at + timedelta(days=60))
    assert later == {}
