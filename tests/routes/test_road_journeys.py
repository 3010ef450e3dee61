"""A road is closed: reported by each door, followed by routes, ETAs and devices."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from rest_framework.test import APIClient

from apps.core.roles import SUPERVISOR
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.routes.conditionrows import Condition
from apps.routes.models import Plan, Route, Stop
from apps.routes.states import ConditionState
from apps.routes.tasks import expire_conditions, follow_condition
from tests.factories import NOW, DepotFactory, DepotMembershipFactory, UserFactory
from tests.queueing import drain, drain_only
from tests.routes.days import begin, make_day, publish_day, sequence
from tests.sync.builders import Handheld, enrol

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
STARTED = NOW + timedelta(hours=1)


@pytest.fixture
def now() -> Iterator[Any]:
    """Let the day begin at six, and move on by hand."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def depot(now: Any) -> Depot:
    """Return a depot whose two routes are on the road."""
    depot = make_day(orders=12, shifts=2)
    publish_day(depot)
    now.move_to(STARTED)
    for route in Route.objects.filter(depot=depot):
        begin(route.shift, STARTED)
    drain()
    return depot


@pytest.fixture
def office(depot: Depot) -> APIClient:
    """Return a supervisor at the API."""
    user = UserFactory()
    user.groups.add(Group.objects.get(name=SUPERVISOR))
    DepotMembershipFactory(depot=depot, user=user)
    client = APIClient()
    client.force_login(user)
    return client


def a_route_ahead(depot: Depot) -> Route:
    routes = Route.objects.filter(depot=depot)
    return max(routes, key=lambda route: len(sequence(route)))


def closure_at(stop: Stop, *, hours: float = 1, **more: Any) -> dict[str, Any]:
    return {
        "depot": str(stop.order.depot_id),
        "kind": "closure",
        "title": "Marktplatz",
        "place": {
            "type": "Point",
            "coordinates": [stop.order.longitude, stop.order.latitude],
        },
        "radius_m": 60,
        "until_at": (STARTED + timedelta(hours=hours)).isoformat(),
        **more,
    }


def marked() -> set[Any]:
    rows = Stop.objects.exclude(road_warning="")
    return set(rows.values_list("pk", flat=True))


def replans(depot: Depot) -> list[str]:
    rows = Plan.objects.filter(depot=depot, kind=Plan.Kind.REPLAN)
    return [row.cause["kind"] for row in rows.order_by("number")]


def test_a_closure_by_the_api_marks_its_stops_and_has_them_visited_later(
    depot: Depot, office: APIClient
) -> None:
    first = sequence(a_route_ahead(depot))[0]
    assert first.eta_at is not None
    assert first.eta_at < STARTED + timedelta(minutes=30)

    reported = office.post("/api/v1/conditions", closure_at(first), format="json")
    assert reported.status_code == 201, reported.content
    assert reported.json()["is_in_force"] is True
    assert reported.json()["status"] == "confirmed"
    drain()

    first.refresh_from_db()
    assert "condition.touched" in replans(depot)
    assert first.eta_at is not None
    assert first.eta_at >= STARTED + timedelta(hours=1), (
        "nobody goes there while closed"
    )
    assert "condition.reported" in kinds()
    touched = Entry.objects.get(kind="condition.touched")
    assert str(first.route_id) in touched.payload["route_ids"]


def test_a_closures_stops_are_marked_at_once_before_any_plan(
    depot: Depot, office: APIClient
) -> None:
    first = sequence(a_route_ahead(depot))[0]
    office.post("/api/v1/conditions", closure_at(first, hours=9), format="json")

    follow_condition(condition_id=str(Condition.objects.get().pk))

    first.refresh_from_db()
    assert first.pk in marked()
    assert first.road_warning == "closure"
    assert first.road_warning_text.startswith("Closed road: Marktplatz at this stop")
    assert "until 16:00" in first.road_warning_text, "by the depot's clock"


def test_every_route_that_a_closure_touches_is_marked_and_planned_again(
    depot: Depot, office: APIClient
) -> None:
    routes = list(Route.objects.filter(depot=depot))
    held = [route for route in routes if sequence(route)]
    corners = [s.order.point for route in held for s in sequence(route)]
    west, east = min(c.lon for c in corners), max(c.lon for c in corners)
    south, north = min(c.lat for c in corners), max(c.lat for c in corners)
    edge = 0.001
    ring = [
        [west - edge, south - edge],
        [east + edge, south - edge],
        [east + edge, north + edge],
        [west - edge, north + edge],
        [west - edge, south - edge],
    ]
    body = closure_at(sequence(held[0])[0], hours=9)
    body |= {"place": {"type": "Polygon", "coordinates": [ring]}, "radius_m": None}

    reported = office.post("/api/v1/conditions", body, format="json")
    assert reported.status_code == 201, reported.content
    drain()

    touched = Entry.objects.get(kind="condition.touched").payload["route_ids"]
    assert touched == sorted(str(route.pk) for route in held)
    open_stops = Stop.objects.filter(route__in=held)
    assert marked() == set(open_stops.values_list("pk", flat=True))


def test_traffic_slows_the_etas_and_says_so_on_the_device(
    depot: Depot, office: APIClient
) -> None:
    route = a_route_ahead(depot)
    device = enrol(route.driver)
    device.pull()
    before = {row["id"]: row for row in stops_of(device)}
    body = closure_at(sequence(route)[0], hours=8, title="Everywhere")
    body |= {"kind": "weather", "place": None, "radius_m": None, "percent": 300}

    reported = office.post("/api/v1/conditions", body, format="json")
    assert reported.status_code == 201, reported.content
    drain()
    device.pull()

    rows = stops_of(device)
    kept = [row for row in rows if row["id"] in before]
    assert kept
    last = kept[-1]
    assert last["eta_at"] > before[last["id"]]["eta_at"]
    assert "Weather: Everywhere on the way: +" in last["eta_reason"]
    for row in rows:
        assert row["eta_low_at"] <= row["eta_at"] <= row["eta_high_at"]
    assert device.snapshot()["stops"] == device.tables["stops"]


def test_an_expired_condition_has_no_effect_and_its_marks_go(
    depot: Depot, office: APIClient, now: Any
) -> None:
    first = sequence(a_route_ahead(depot))[0]
    office.post("/api/v1/conditions", closure_at(first, hours=1.5), format="json")
    drain()
    assert first.pk in marked()
    plans = len(replans(depot))

    now.move_to(STARTED + timedelta(hours=1.5, minutes=1))
    expire_conditions()
    drain()

    condition = Condition.objects.get()
    assert condition.status == ConditionState.EXPIRED
    assert marked() == set()
    assert len(replans(depot)) > plans
    assert "condition.expired" in kinds()
    shown = office.get(f"/api/v1/conditions/{condition.pk}").json()
    assert (shown["status"], shown["is_in_force"]) == ("expired", False)


def test_a_drivers_report_counts_for_an_hour_and_four_more_once_confirmed(
    depot: Depot, office: APIClient, now: Any
) -> None:
    route = a_route_ahead(depot)
    stop = sequence(route)[2]
    device = enrol(route.driver)
    device.pull()

    event = device.event(
        "exception.reported",
        stop,
        reason="closure",
        lat=stop.order.latitude,
        lon=stop.order.longitude,
        note="A crane stands across the street.",
    )
    assert device.verdicts(event) == [("applied", "road_reported")]
    assert device.verdicts(event) == [("duplicate", "road_reported")]
    drain()
    condition = Condition.objects.get()
    assert condition.status == ConditionState.UNCONFIRMED
    assert condition.until_at == STARTED + timedelta(hours=1)
    assert (condition.reports, condition.source) == (1, "driver")
    assert "condition.touched" in replans(depot)
    told = device_results(device)[event["id"]]
    assert told["result"] == "applied"

    address = f"/api/v1/conditions/{condition.pk}"
    read = {"If-Match": office.get(address)["ETag"]}
    confirmed = office.post(f"{address}/confirm", format="json", headers=read)
    assert confirmed.status_code == 200, confirmed.content
    drain()
    condition.refresh_from_db()
    assert condition.status == ConditionState.CONFIRMED
    assert condition.until_at == STARTED + timedelta(hours=4)


def test_a_report_without_a_place_is_at_its_stop_and_a_second_one_is_counted(
    depot: Depot,
) -> None:
    routes = [r for r in Route.objects.filter(depot=depot) if sequence(r)]
    stop = sequence(routes[0])[0]
    device = enrol(routes[0].driver)

    first = device.event("exception.reported", stop, reason="closure")
    second = device.event("exception.reported", stop, reason="closure", note="Still.")
    nowhere = device.event("exception.reported", reason="closure")

    assert device.verdicts(first, second, nowhere) == [
        ("applied", "road_reported"),
        ("applied", "road_reported"),
        ("rejected", "invalid"),
    ]
    condition = Condition.objects.get()
    assert condition.reports == 2
    assert (condition.latitude, condition.longitude) == (
        stop.order.latitude,
        stop.order.longitude,
    )
    assert condition.note == "Still."


def test_a_report_that_comes_late_is_kept_and_changes_nothing(
    depot: Depot, now: Any
) -> None:
    route = a_route_ahead(depot)
    device = enrol(route.driver)
    event = device.event("exception.reported", sequence(route)[0], reason="closure")
    now.move_to(STARTED + timedelta(hours=3))

    assert device.verdicts(event) == [("superseded", "came_late")]
    drain()

    assert Condition.objects.get().status == ConditionState.EXPIRED
    assert marked() == set()
    assert "condition.touched" not in replans(depot)


def test_the_office_reports_confirms_and_ends_on_its_pages(
    depot: Depot, now: Any
) -> None:
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=SUPERVISOR))
    DepotMembershipFactory(depot=depot, user=user)
    client = Client()
    client.force_login(user)
    stop = sequence(a_route_ahead(depot))[0]
    begins = STARTED.astimezone(BERLIN)
    form = {
        "depot": str(depot.pk),
        "kind": "closure",
        "title": "Bahnhofstraße",
        "begins": f"{begins:%Y-%m-%dT%H:%M}",
        "ends": f"{begins + timedelta(hours=9):%Y-%m-%dT%H:%M}",
        "latitude": stop.order.latitude,
        "longitude": stop.order.longitude,
        "radius_m": 80,
    }

    made = client.post("/admin/routes/condition/add/", form)
    assert made.status_code == 302, made.content.decode()
    drain()
    condition = Condition.objects.get()
    assert condition.from_at == STARTED
    assert (condition.radius_m, condition.status) == (80, ConditionState.CONFIRMED)
    assert stop.pk in marked()

    address = f"/admin/routes/condition/{condition.pk}"
    shown = client.get(f"{address}/change/").content.decode()
    assert f"07:00, {user.username}" in shown, "by name, and the depot's clock"
    assert "It would last until" in client.get(f"{address}/end/").content.decode()
    ended = client.post(f"{address}/end/", follow=True)
    assert "It is over: the routes follow." in ended.content.decode()
    drain()
    condition.refresh_from_db()
    assert condition.status == ConditionState.ENDED
    assert marked() == set()
    twice = client.post(f"{address}/end/", follow=True).content.decode()
    assert "It is over: the routes follow." not in twice


def test_faults_of_a_report_are_said_field_by_field(
    depot: Depot, office: APIClient
) -> None:
    stop = sequence(a_route_ahead(depot))[0]
    faults: list[tuple[dict[str, Any], str]] = [
        ({"until_at": (STARTED - timedelta(hours=1)).isoformat()}, "/until_at"),
        ({"percent": 150}, "/percent"),
        ({"place": None, "radius_m": None}, "/place"),
        ({"daily_from": "08:00"}, "/daily_until"),
        ({"place": {"type": "Point", "coordinates": [49.5, 11.3]}}, "/place"),
        ({"radius_m": 0}, "/radius_m"),
        ({"kind": "traffic", "percent": 100}, "/percent"),
    ]
    for change, pointer in faults:
        answer = office.post(
            "/api/v1/conditions", {**closure_at(stop), **change}, format="json"
        )
        assert answer.status_code in {400, 422}, answer.content
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Condition.objects.exists()


def test_another_depots_condition_is_not_there(office: APIClient) -> None:
    theirs = Condition.objects.create(
        depot=DepotFactory(),
        kind="weather",
        percent=120,
        from_at=NOW,
        until_at=NOW + timedelta(hours=9),
        source="admin",
        reported_by="user:1",
        reported_at=NOW,
        confirmed_at=NOW,
        confirmed_by="user:1",
    )

    assert office.get(f"/api/v1/conditions/{theirs.pk}").status_code == 404
    end = office.post(f"/api/v1/conditions/{theirs.pk}/end")
    assert end.status_code == 404
    assert office.get("/api/v1/conditions").json()["results"] == []


def test_a_change_by_the_api_needs_the_version_that_was_read(
    depot: Depot, office: APIClient
) -> None:
    stop = sequence(a_route_ahead(depot))[0]
    made = office.post("/api/v1/conditions", closure_at(stop), format="json")
    address = f"/api/v1/conditions/{made.json()['id']}"

    changed = office.patch(
        address,
        {**closure_at(stop, hours=3)},
        format="json",
        headers={"If-Match": made["ETag"]},
    )
    stale = office.patch(
        address,
        {**closure_at(stop, hours=4)},
        format="json",
        headers={"If-Match": made["ETag"]},
    )

    assert changed.status_code == 200, changed.content
    assert stale.status_code == 412, stale.content
    until = datetime.fromisoformat(office.get(address).json()["until_at"])
    assert until == STARTED + timedelta(hours=3)


def test_etas_move_with_each_event_and_say_why(depot: Depot, now: Any) -> None:
    route = a_route_ahead(depot)
    device = enrol(route.driver)
    device.pull()
    stops = sequence(route)
    first, second, last = stops[0], stops[1], stops[-1]
    assert first.eta_at is not None
    arrived_at = first.eta_at + timedelta(minutes=25)
    before = device.tables["stops"][str(last.pk)]["eta_at"]

    now.move_to(arrived_at)
    assert device.verdicts(device.event("stop.arrived", first)) == [("applied", "ok")]
    assert drain_only("apps.routes.tasks.refresh_etas") == 1
    device.pull()

    row = device.tables["stops"][str(last.pk)]
    assert row["eta_at"] - before == pytest.approx(25 * 60_000, abs=4 * 60_000)
    assert row["eta_reason"].startswith("25 min late at stop 1")
    next_row = device.tables["stops"][str(second.pk)]
    assert next_row["eta_reason"].startswith("25 min late at the stop before")
    assert row["eta_high_at"] - row["eta_low_at"] > (
        next_row["eta_high_at"] - next_row["eta_low_at"]
    ), "what is far ahead is less sure"


def test_an_older_device_gets_the_columns_that_it_knows(depot: Depot) -> None:
    device = enrol(a_route_ahead(depot).driver)
    old = device.page(last_pulled_at="null", schema_version=2)["changes"]["stops"]
    new = device.page(last_pulled_at="null", schema_version=3)["changes"]["stops"]
    fresh = {
        *("eta_low_at", "eta_high_at", "eta_reason"),
        *("road_warning", "road_warning_text"),
    }

    assert old["updated"]
    for before, after in zip(old["updated"], new["updated"], strict=True):
        assert after.keys() - before.keys() == fresh
        assert before["eta_at"] == after["eta_at"]
    migration = (
        '{"from": 2, "tables": [], "columns": [{"table": "stops", "columns": []}]}'
    )
    head = device.page(last_pulled_at="null")["timestamp"]
    page = device.page(last_pulled_at=head, schema_version=3, migration=migration)
    assert len(page["changes"]["stops"]["updated"]) == len(new["updated"])


def stops_of(device: Handheld) -> list[dict[str, Any]]:
    return sorted(device.tables["stops"].values(), key=lambda row: row["sequence"])


def device_results(device: Handheld) -> dict[str, dict[str, Any]]:
    device.pull()
    return device.tables["event_results"]


def kinds() -> set[str]:
    return set(Entry.objects.values_list("kind", flat=True))
