"""Watches of the day: missed customers, failed plans, days that are too full."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.incidents import tasks
from apps.incidents.models import Incident
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.models import Plan, Stop, UnservedOrder
from apps.routes.states import PlanState, StopState
from tests.factories import NOW, SERVICE_DATE, DepotFactory, OrderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def depot() -> Depot:
    return DepotFactory()


def watch(minutes: int = 0) -> list[tuple[str, str]]:
    with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
        tasks.watch()
    rows = Incident.objects.order_by("id").values_list("kind", "status")
    return list(rows)


def plan(depot: Depot, number: int, state: PlanState) -> Plan:
    done = {"published_at": NOW, "published_by": str(SYSTEM)}
    return Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=number,
        status=state,
        problem="No engine answered." if state == PlanState.FAILED else "",
        requested_at=NOW,
        requested_by=str(SYSTEM),
        **(done if state == PlanState.PUBLISHED else {}),
    )


def test_missed_customer_waits_for_somebody_until_there_is_a_new_time(
    depot: Depot,
) -> None:
    order = OrderFactory(depot=depot, status=OrderState.FAILED)
    Stop.objects.create(
        order=order,
        status=StopState.FAILED,
        completed_at=NOW,
        service_s=60,
    )
    assert watch() == watch(1) == [("missed", "open")]
    incident = Incident.objects.get()
    assert (incident.role, incident.subject_id) == ("Coordinator", str(order.pk))

    Order.objects.update(status=OrderState.OPEN)

    assert watch(2) == [("missed", "resolved")]


def test_what_is_raised_already_costs_a_look_nothing_more(depot: Depot) -> None:
    def look() -> int:
        watch()
        with CaptureQueriesContext(connection) as heard:
            watch(1)
        return len(heard)

    counts = []
    for _ in range(2):
        for order in OrderFactory.create_batch(
            4, depot=depot, status=OrderState.FAILED
        ):
            Stop.objects.create(
                order=order, status=StopState.FAILED, completed_at=NOW, service_s=60
            )
        counts.append(look())

    assert Incident.objects.filter(kind="missed", status="open").count() == 8
    assert counts[0] == counts[1]


def test_failed_plan_is_over_when_a_later_one_is_there(depot: Depot) -> None:
    plan(depot, 1, PlanState.PUBLISHED)
    plan(depot, 2, PlanState.FAILED)
    assert watch() == [("failed_solve", "open")]
    assert Incident.objects.get().details == {"why": "No engine answered."}

    plan(depot, 3, PlanState.UNCHANGED)

    assert watch(1) == [("failed_solve", "resolved")]


@pytest.mark.parametrize(("left_out", "raised"), [(9, 0), (10, 1)])
def test_day_that_is_too_full_is_a_surge(
    depot: Depot, left_out: int, raised: int
) -> None:
    published = plan(depot, 1, PlanState.PUBLISHED)
    orders = OrderFactory.create_batch(left_out, depot=depot)
    OrderFactory.create_batch(5, depot=depot)  # no plan has looked at them yet
    UnservedOrder.objects.bulk_create(
        UnservedOrder(plan=published, order=order, code="capacity", detail="Full.")
        for order in orders
    )

    assert watch() == [("surge", "open")] * raised
    if raised:
        assert Incident.objects.get().title.startswith("10 orders of")
        Order.objects.filter(pk=orders[0].pk).update(status=OrderState.CANCELLED)
        assert watch(1) == [("surge", "resolved")]
        # The day fills up again: that is another incident, until a person resolves it.
        Order.objects.filter(pk=orders[0].pk).update(status=OrderState.OPEN)
        assert sorted(watch(2)) == [("surge", "open"), ("surge", "resolved")]
        assert sorted(watch(3)) == [("surge", "open"), ("surge", "resolved")]
        Incident.objects.filter(status="open").update(
            status="resolved", outcome="solved", resolved_at=NOW, resolved_by="user:1"
        )
        assert watch(4) == [("surge", "resolved")] * 2
