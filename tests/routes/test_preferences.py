"""A customer's preferred windows are soft windows of the plan, and their share is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.orders.models import PreferredWindow
from apps.routes import intake, planning
from apps.routes.models import PlanningParameter, Route, Stop
from apps.routes.preferences import PreferenceShare, preferences_of_day
from apps.routes.solver.port import engine_names
from tests.factories import (
    NOW,
    SERVICE_DATE,
    CustomerFactory,
    PreferredWindowFactory,
    TimeWindowFactory,
)
from tests.office import make_user, signed_in
from tests.routes.days import begin, make_day, make_order, publish_day, report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def set_parameter(depot: Depot, name: str, value: object) -> None:
    PlanningParameter.objects.create(
        depot=depot,
        name=name,
        version=1,
        value=value,
        valid_from=NOW - timedelta(days=1),
        created_by="test",
    )


def test_preference_is_a_soft_window_priced_by_the_depots_parameter() -> None:
    depot = make_day(orders=0, shifts=1)
    set_parameter(depot, "preference_minor_per_min", 60)
    order = make_order(depot, 1)
    PreferredWindowFactory(order=order)
    day = intake.day_input(depot.pk, SERVICE_DATE, now=NOW)
    count = len(day.points())
    zeros = [[0] * count for _ in range(count)]
    problem = planning.build_problem(day, durations_s=zeros, distances_m=zeros)  # type: ignore[arg-type]
    (soft,) = problem.jobs[0].soft_windows
    opens_s = int((NOW + timedelta(hours=7) - day.origin_at).total_seconds())
    assert (soft.start_s, soft.end_s) == (opens_s, opens_s + 7199)
    assert (soft.early_milli_per_s, soft.late_milli_per_s) == (1000, 1000)


@pytest.mark.parametrize("engine", engine_names())
def test_plan_says_how_many_preferences_it_keeps(engine: str) -> None:
    depot = make_day(orders=4, shifts=1)
    set_parameter(depot, "engine", engine)
    set_parameter(depot, "preference_minor_per_min", 500)
    for number in range(2):
        PreferredWindowFactory(order=make_order(depot, 5 + number))
    # Not to be had: the order must be served early, and its customer likes it late.
    early = make_order(depot, 8)
    TimeWindowFactory(order=early, opens_at=NOW + timedelta(hours=1))
    PreferredWindowFactory(order=early)
    plan = publish_day(depot)
    assert plan.totals["preferred"] == 3
    assert plan.totals["preferred_kept"] <= 2
    share = preferences_of_day(depot.pk, SERVICE_DATE)
    assert share == PreferenceShare(3, plan.totals["preferred_kept"], 0, 0)


def test_preferences_of_day_are_kept_by_the_devices_own_time() -> None:
    depot = make_day(orders=0, shifts=1)
    good, bad, waiting = (make_order(depot, number) for number in range(3))
    for order in (good, bad, waiting):
        PreferredWindowFactory(order=order, customer=CustomerFactory(depot=depot))
    publish_day(depot)
    begin(Route.objects.get().shift, NOW + timedelta(hours=1))
    late = NOW + timedelta(hours=10)
    inside = NOW + timedelta(hours=8)
    with time_machine.travel(late):
        report(Stop.objects.get(order=good), "stop.arrived", inside)
        report(Stop.objects.get(order=good), "stop.succeeded", late)
        report(Stop.objects.get(order=bad), "stop.arrived", late)
        report(Stop.objects.get(order=bad), "stop.failed", late, reason="not_home")
    share = preferences_of_day(depot.pk, SERVICE_DATE)
    assert (share.wished, share.done, share.kept) == (3, 2, 1)


def test_preference_goes_with_its_customer_and_no_plan_heeds_it_any_more() -> None:
    depot = make_day(orders=1, shifts=1)
    order = make_order(depot, 2)
    customer = CustomerFactory(depot=depot)
    PreferredWindowFactory(order=order, customer=customer)
    publish_day(depot)
    assert preferences_of_day(depot.pk, SERVICE_DATE).wished == 1
    customer.delete()
    assert not PreferredWindow.objects.exists()
    assert preferences_of_day(depot.pk, SERVICE_DATE).wished == 0
    day = intake.day_input(depot.pk, SERVICE_DATE, now=NOW)
    assert not any(item.preferred for item in day.orders)


def test_share_stands_on_the_board_the_plan_and_the_api() -> None:
    depot = make_day(orders=2, shifts=1)
    PreferredWindowFactory(order=make_order(depot, 3))
    plan = publish_day(depot)
    user = make_user("Supervisor", depot)
    client = signed_in(user)
    board = client.get(reverse("admin:index"), {"date": str(SERVICE_DATE)})
    assert "of 1 planned" in board.content.decode()
    page = client.get(reverse("admin:routes_plan_change", args=[plan.pk]))
    assert "Preferred times" in page.content.decode()
    api = APIClient()
    api.force_authenticate(user)
    day = api.get(f"/api/v1/depots/{depot.pk}/days/{SERVICE_DATE}").json()
    assert day["preferences"]["wished"] == 1
    assert day["plan"]["totals"]["preferred"] == 1
