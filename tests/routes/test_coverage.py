"""The ETA interval is measured: what was told against what happened, by day."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.routes.coverage import Coverage, coverage_of_day
from apps.routes.models import Route, Stop
from apps.routes.services.plans import publish_plan, request_plan
from apps.routes.services.releasing import forget_eta
from tests.factories import NOW, SERVICE_DATE, TimeWindowFactory
from tests.office import make_user, signed_in
from tests.queueing import drain
from tests.routes.days import (
    OFFICE,
    begin,
    make_day,
    make_order,
    publish_day,
    report,
    sequence,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def day() -> Depot:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    return depot


def set_told(stop: Stop, *, first: tuple[int, int], last: tuple[int, int]) -> None:
    """Say what was told of a stop, in minutes from NOW, and that it was reached at 60."""
    at = [NOW + timedelta(minutes=minutes) for minutes in (*first, *last)]
    Stop.objects.filter(pk=stop.pk).update(
        told_low_at=at[0],
        told_high_at=at[1],
        eta_low_at=at[2],
        eta_high_at=at[3],
        arrived_at=NOW + timedelta(minutes=60),
    )


def test_interval_is_kept_as_it_was_told_first(day: Depot) -> None:
    route = Route.objects.get()
    last = sequence(route)[-1]
    assert last.told_low_at == last.eta_low_at
    assert last.told_high_at == last.eta_high_at
    told = (last.told_low_at, last.told_high_at)
    late = route.starts_at + timedelta(minutes=45)
    with time_machine.travel(late):
        begin(route.shift, late)
        drain()
    last.refresh_from_db()
    assert (last.told_low_at, last.told_high_at) == told
    assert told[1] is not None
    assert last.eta_high_at is not None
    assert last.eta_high_at > told[1]


def test_interval_of_a_draft_counts_from_its_publication() -> None:
    depot = make_day(orders=3, shifts=1)
    plan = request_plan(
        depot_id=depot.pk,
        service_date=SERVICE_DATE,
        publish_when_ready=False,
        by=OFFICE,
        now=NOW,
    )
    drain()
    assert not Stop.objects.exclude(told_low_at=None).exists()
    publish_plan(plan.pk, by=OFFICE, now=NOW)
    for stop in Stop.objects.all():
        assert stop.told_low_at is not None
        assert (stop.told_low_at, stop.told_high_at) == (
            stop.eta_low_at,
            stop.eta_high_at,
        )


def test_stop_that_left_its_route_is_told_anew(day: Depot) -> None:
    stop = sequence(Route.objects.get())[0]
    forget_eta(stop)
    assert (stop.told_low_at, stop.told_high_at) == (None, None)


def test_arrivals_are_counted_within_before_and_behind(day: Depot) -> None:
    early, within, late = sequence(Route.objects.get())
    set_told(early, first=(61, 80), last=(60, 62))
    set_told(within, first=(50, 60), last=(55, 65))
    set_told(late, first=(30, 59), last=(58, 61))
    found = coverage_of_day(day.pk, SERVICE_DATE)
    assert found.first == Coverage(measured=3, within=1, early=1, late=1)
    assert found.last == Coverage(measured=3, within=3, early=0, late=0)
    assert (found.first.percent, found.last.percent) == (33.3, 100.0)
    other = coverage_of_day(day.pk, SERVICE_DATE + timedelta(days=1))
    assert other.first == Coverage(0, 0, 0, 0)
    assert other.first.percent is None


def test_arrival_before_the_window_opens_counts_as_at_its_opening() -> None:
    depot = make_day(orders=0, shifts=1)
    order = make_order(depot, 1)
    TimeWindowFactory(
        order=order,
        opens_at=NOW + timedelta(minutes=90),
        closes_at=NOW + timedelta(hours=4),
    )
    publish_day(depot)
    stop = Stop.objects.get()
    set_told(stop, first=(90, 95), last=(91, 95))
    found = coverage_of_day(depot.pk, SERVICE_DATE)
    assert (found.first.within, found.last.early) == (1, 1)


def test_stop_without_a_told_interval_is_not_measured(day: Depot) -> None:
    stop = sequence(Route.objects.get())[0]
    Stop.objects.filter(pk=stop.pk).update(
        arrived_at=NOW, told_low_at=None, told_high_at=None
    )
    found = coverage_of_day(day.pk, SERVICE_DATE)
    assert (found.first.measured, found.last.measured) == (0, 1)


def test_coverage_of_a_driven_day_stands_on_the_board_and_in_the_api(
    day: Depot,
) -> None:
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    stop = sequence(route)[0]
    assert stop.eta_at is not None
    with time_machine.travel(stop.eta_at):
        report(stop, "stop.arrived", stop.eta_at)
    user = make_user("Supervisor", day)
    api = APIClient()
    api.force_authenticate(user)
    body = api.get(f"/api/v1/depots/{day.pk}/days/{SERVICE_DATE}").json()
    assert body["eta_coverage"] == {
        "wanted_percent": 90,
        "first": {"measured": 1, "within": 1, "early": 0, "late": 0, "percent": 100.0},
        "last": {"measured": 1, "within": 1, "early": 0, "late": 0, "percent": 100.0},
    }
    board = signed_in(user).get(reverse("admin:index"), {"date": str(SERVICE_DATE)})
    assert "Within the told time" in board.content.decode()
    assert "of 1, 90 % wanted" in board.content.decode()
