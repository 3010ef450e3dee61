"""A working day, end to end, through the real addresses: what every room is for."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.routes.models import Plan, PlanChange
from tests.factories import (
    DEPOT_POINT,
    NOW,
    SERVICE_DATE,
    DepotMembershipFactory,
    UserFactory,
)
from tests.queueing import drain
from tests.routes.days import make_day
from tests.sync.builders import Handheld

pytestmark = pytest.mark.django_db

HEADERS = ["Order No", "Ship-to Name", "Latitude", "Longitude", "Weight (kg)", "Phone"]


@pytest.fixture
def depot() -> Depot:
    return make_day(orders=0, shifts=2)


@pytest.fixture
def office(depot: Depot) -> APIClient:
    """A supervisor of the depot, by the API."""
    user = UserFactory()
    user.groups.add(*Group.objects.filter(name__in=["Supervisor", "Route planner"]))
    DepotMembershipFactory(depot=depot, user=user)
    client = APIClient()
    client.force_login(user)
    return client


def order_file(rows: int, *, bad: bool = True) -> bytes:
    """Write an order file as a shop would, with one bad row at its end."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(HEADERS)
    lat, lon = DEPOT_POINT
    for number in range(rows):
        place = (f"{lat + 0.003 * (number % 4)}", f"{lon - 0.002 * number}")
        decimals = [value.replace(".", ",") for value in place]
        writer.writerow([f"A-{number}", f"Name {number}", *decimals, "1,5", ""])
    if bad:
        writer.writerow(["A-bad", "Nowhere", "", "", "-2", "12"])
    return text.getvalue().encode("cp1252")


def import_orders(office: APIClient, depot: Depot, content: bytes) -> dict[str, Any]:
    """Hand a file in, let the workers read it, and return the run."""
    handed_in = office.post(
        "/api/v1/imports",
        {
            "file": SimpleUploadedFile("orders.csv", content),
            "depot": depot.code,
            "service_date": SERVICE_DATE.isoformat(),
        },
        format="multipart",
    )
    assert handed_in.status_code == 202, handed_in.content
    drain()
    run: dict[str, Any] = office.get(handed_in["Location"]).json()
    return run


def plan(office: APIClient, depot: Depot) -> dict[str, Any]:
    """Ask for the day's plan, let the workers make it, publish it."""
    asked = {"depot": str(depot.pk), "service_date": SERVICE_DATE.isoformat()}
    key = {"Idempotency-Key": "plan-of-the-day"}
    first = office.post("/api/v1/plans", asked, format="json", headers=key)
    again = office.post("/api/v1/plans", asked, format="json", headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    drain()
    ready = office.get(f"/api/v1/plans/{first.json()['id']}").json()
    assert ready["status"] == "ready", ready
    published = office.post(f"/api/v1/plans/{ready['id']}/publish")
    assert published.status_code == 200, published.content
    shown: dict[str, Any] = published.json()
    return shown


def enrol(office: APIClient, driver_id: str) -> Handheld:
    """Enrol a driver's device by a one-time code, as the handheld does."""
    made = office.post(f"/api/v1/drivers/{driver_id}/enrolment-codes")
    assert made.status_code == 201, made.content
    device = APIClient()
    enrolled = device.post(
        "/api/sync/v1/enrol",
        {"code": made.json()["code"], "name": "Handheld", "platform": "test"},
        format="json",
    )
    assert enrolled.status_code == 201, enrolled.content
    shown = json.loads(enrolled.content)
    second = device.post(
        "/api/sync/v1/enrol", {"code": made.json()["code"]}, format="json"
    )
    assert second.status_code in {400, 403, 404, 409}, second.content
    return Handheld(
        driver=driver_id,  # type: ignore[arg-type]
        device_id=shown["device_id"],
        device_token=shown["device_token"],
        session_token=shown["session_token"],
    )


def stops_of(device: Handheld) -> list[dict[str, Any]]:
    """Return the stops that the device holds, in their sequence."""
    return sorted(device.tables["stops"].values(), key=lambda stop: stop["sequence"])


@pytest.mark.parametrize("mode", ["optimizer", "rules"])
def test_a_working_day(
    office: APIClient, depot: Depot, settings: Settings, mode: str
) -> None:
    settings.PLANNING_MODE = mode
    with time_machine.travel(NOW, tick=True) as clock:
        import_twice(office, depot)
        plan_with_reasons(office, depot)
        device, stops = begin_the_fullest_route(office)
        clock.move_to(NOW + timedelta(hours=1))
        report_twice(device, stops)
        after = hear_the_new_plan(device, stops)
        lose_a_cancelled_stop(office, device, after[-1])
        acknowledge_changes(office, depot, device)
        assert_new_device_sees_the_same(device)
        assert_planned_by(mode, office, depot, device)


def import_twice(office: APIClient, depot: Depot) -> None:
    """Import a file of ten good rows and a bad one, and the same again."""
    run = import_orders(office, depot, order_file(10))
    assert (run["created"], run["quarantined"]) == (10, 1)
    again = import_orders(office, depot, order_file(10))
    assert (again["created"], again["unchanged"]) == (0, 10)


def plan_with_reasons(office: APIClient, depot: Depot) -> None:
    """Plan and publish the day; its recommendation says why."""
    published = plan(office, depot)
    assert published["totals"]["served"] == 10
    recommendation = office.get(
        f"/api/v1/recommendations/{published['recommendation']}"
    ).json()
    assert recommendation["inputs_hash"]
    assert recommendation["reasons"]


def begin_the_fullest_route(office: APIClient) -> tuple[Handheld, list[dict[str, Any]]]:
    """Enrol the driver of the fullest route; the device holds that route alone."""
    routes = office.get(
        "/api/v1/routes", {"service_date": SERVICE_DATE.isoformat()}
    ).json()["results"]
    fullest = max(
        (office.get(f"/api/v1/routes/{route['id']}").json() for route in routes),
        key=lambda route: len(route["stops"]),
    )
    device = enrol(office, fullest["driver"])
    device.pull()
    stops = stops_of(device)
    assert [stop["id"] for stop in stops] == [s["id"] for s in fullest["stops"]]
    assert {stop["order_id"] for stop in stops} == set(device.tables["orders"])
    assert len(device.tables["routes"]) == 1
    return device, stops


def report_twice(device: Handheld, stops: list[dict[str, Any]]) -> None:
    """Report a delivery and a failure, and all of it again: that changes nothing."""
    batch = [
        device.event("shift.started"),
        device.event("stop.arrived", stops[0]["id"]),
        device.event("stop.succeeded", stops[0]["id"]),
        device.event("stop.failed", stops[1]["id"], reason="not_home"),
    ]
    assert device.verdicts(*batch) == [("applied", "ok")] * 4
    entries = Entry.objects.count()
    repeated = device.push(*reversed(batch))
    assert {item["result"] for item in repeated} == {"duplicate"}
    assert Entry.objects.count() == entries


def hear_the_new_plan(
    device: Handheld, stops: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Plan again after the failure; return the device's stops, the done ones first."""
    drain()
    device.pull()
    after = stops_of(device)
    assert [stop["id"] for stop in after[:2]] == [stop["id"] for stop in stops[:2]]
    assert [stop["status"] for stop in after[:2]] == ["succeeded", "failed"]
    assert Plan.objects.filter(kind=Plan.Kind.REPLAN).count() >= 1
    return after


def lose_a_cancelled_stop(
    office: APIClient, device: Handheld, gone: dict[str, Any]
) -> None:
    """Cancel an order: its stop and all that is known of it leave the device."""
    cancelled = office.post(
        f"/api/v1/orders/{gone['order_id']}/cancel",
        {"reason": "refund"},
        format="json",
    )
    assert cancelled.status_code == 200, cancelled.content
    drain()
    device.pull()
    assert gone["id"] not in device.tables["stops"]
    assert gone["order_id"] not in device.tables["orders"]


def acknowledge_changes(office: APIClient, depot: Depot, device: Handheld) -> None:
    """Say yes to every change of the plan; the board has counted them until then."""
    open_changes = [
        change
        for change in device.tables["plan_changes"].values()
        if change["acknowledged_at"] is None
    ]
    assert open_changes
    board = f"/api/v1/depots/{depot.pk}/days/{SERVICE_DATE.isoformat()}"
    assert office.get(board).json()["unacknowledged_changes"] >= len(open_changes)
    device.push(
        *(
            device.event("plan.acknowledged", change_id=change["id"])
            for change in open_changes
        )
    )
    assert not PlanChange.objects.filter(
        route__driver_id=str(device.driver), acknowledged_at=None
    ).exists()


def assert_new_device_sees_the_same(device: Handheld) -> None:
    fresh = Handheld(
        driver=device.driver,
        device_id=device.device_id,
        device_token=device.device_token,
        session_token=device.session_token,
    )
    fresh.pull()
    device.pull()
    assert fresh.tables == device.tables


def assert_planned_by(
    mode: str, office: APIClient, depot: Depot, device: Handheld
) -> None:
    """Every decision of the day carries its mode, and everybody is told of it."""
    plans = Plan.objects.exclude(mode="")
    assert plans.filter(kind=Plan.Kind.DAY).get().mode == mode
    assert mode == "optimizer" or set(plans.values_list("mode", flat=True)) == {mode}
    shown = office.get(f"/api/v1/depots/{depot.pk}/mode").json()
    assert (shown["mode"], shown["cause"]) == (
        mode,
        "setting" if mode == "rules" else "usual",
    )
    told = {row["planning_mode"] for row in device.tables["routes"].values()}
    assert told == {mode}


def test_another_depot_is_not_there(office: APIClient, depot: Depot) -> None:
    stranger = make_day(orders=2, shifts=1)
    plan_of_stranger = Plan.objects.create(
        depot=stranger,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=1,
        requested_by="system",
        requested_at=NOW,
    )
    assert office.get(f"/api/v1/plans/{plan_of_stranger.pk}").status_code == 404
    asked = {"depot": str(stranger.pk), "service_date": SERVICE_DATE.isoformat()}
    refused = office.post("/api/v1/plans", asked, format="json")
    assert refused.status_code == 404
    assert refused["Content-Type"].startswith("application/problem+json")
    assert Plan.objects.filter(depot=stranger).count() == 1
    day = f"/api/v1/depots/{stranger.pk}/days/{SERVICE_DATE.isoformat()}"
    assert office.get(day).status_code == 404
