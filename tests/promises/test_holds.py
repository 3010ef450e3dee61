"""Holding and taking slots: nobody is overbooked, and every loser is told."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.drivers.models import Vehicle
from apps.journal.models import Entry
from apps.orders.models import Order
from apps.promises.models import Hold
from apps.promises.offering import TooLate, offer_slots
from apps.promises.services import (
    HoldOver,
    SlotGone,
    expire_holds,
    hold_slot,
    release_hold,
    take_slot,
)
from apps.promises.states import HoldState
from apps.routes.dayinputs import Interval
from apps.routes.models import Route
from tests.factories import NOW, SERVICE_DATE, DepotFactory, ShiftFactory
from tests.promises.test_offers import EVENING, order_of_yesterday
from tests.queueing import drain
from tests.routes.days import begin, make_day, publish_day

pytestmark = pytest.mark.django_db

CUSTOMER = Actor("customer", "1")


def hold_and_take(order: Order, slot: Interval) -> str:
    """Do what a customer does; say how it ended."""
    try:
        hold = hold_slot(order_id=order.pk, slot=slot, by=CUSTOMER, now=EVENING)
        take_slot(hold_id=hold.pk, by=CUSTOMER, now=EVENING + timedelta(minutes=1))
    except Problem as problem:
        return f"{type(problem).__name__}: {problem.detail}"
    finally:
        connection.close()
    return "taken"


@pytest.mark.django_db(transaction=True)
def test_fifty_customers_and_ten_last_slots() -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    Vehicle.objects.filter(depot=depot).update(capacity_pieces=4 + 10)
    customers = [order_of_yesterday(depot, number) for number in range(20, 70)]
    slot = offer_slots(order_id=customers[0].pk, now=EVENING, days=[SERVICE_DATE])[1]
    at_once = 8 if connection.vendor == "postgresql" else 3
    with (
        time_machine.travel(EVENING, tick=False),
        ThreadPoolExecutor(at_once) as pool,
    ):
        ends = Counter(pool.map(lambda one: hold_and_take(one, slot.window), customers))
        drain()
    assert ends == {"taken": 10, f"SlotGone: {SlotGone.title}": 40}
    moved = Order.objects.filter(pk__in=[o.pk for o in customers])
    assert moved.filter(service_date=SERVICE_DATE).count() == 10
    assert Hold.objects.filter(status=HoldState.TAKEN).count() == 10
    route = Route.objects.get(depot=depot)
    assert route.stops.count() == 14
    stops = list(route.stops.filter(order__in=moved))
    assert len(stops) == 10
    assert all(
        stop.eta_at and slot.opens_at <= stop.eta_at < slot.closes_at for stop in stops
    )


@pytest.mark.django_db(transaction=True)
def test_day_without_a_plan_is_filled_up_to_its_shifts() -> None:
    depot = DepotFactory()
    ShiftFactory(depot=depot, ends_at=NOW + timedelta(hours=3))
    customers = [order_of_yesterday(depot, number) for number in range(20, 40)]
    slots = offer_slots(order_id=customers[0].pk, now=EVENING, days=[SERVICE_DATE])
    assert slots[0].is_estimate
    with ThreadPoolExecutor(4) as pool:
        ends = Counter(
            pool.map(lambda one: hold_and_take(one, slots[0].window), customers)
        )
    # 7:00 to 8:59 of a shift from 6:00 UTC: one hour of it at 85 %, 360 s a visit.
    assert ends.total() == ends["taken"] + ends[f"SlotGone: {SlotGone.title}"]
    assert 0 < ends["taken"] <= 17


def test_hold_is_one_an_order_and_ends() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    order = order_of_yesterday(depot)
    first, second, *_ = offer_slots(order_id=order.pk, now=EVENING, days=[SERVICE_DATE])
    by: dict[str, Any] = {"by": CUSTOMER, "now": EVENING}
    hold = hold_slot(order_id=order.pk, slot=first.window, **by)
    assert hold_slot(order_id=order.pk, slot=first.window, **by).pk == hold.pk
    other = hold_slot(order_id=order.pk, slot=second.window, **by)
    hold.refresh_from_db()
    assert hold.status == HoldState.RELEASED
    with pytest.raises(HoldOver):
        take_slot(hold_id=hold.pk, **by)
    late = EVENING + timedelta(minutes=11)
    with pytest.raises(HoldOver):
        take_slot(hold_id=other.pk, by=CUSTOMER, now=late)
    assert expire_holds(by=CUSTOMER, now=late) == 1
    assert not release_hold(hold_id=other.pk, **by)
    with pytest.raises(SlotGone):
        hold_slot(
            order_id=order.pk,
            slot=Interval(first.opens_at, first.opens_at + timedelta(minutes=7)),
            **by,
        )


def test_take_twice_moves_once_and_checks_again() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    order, late = order_of_yesterday(depot), order_of_yesterday(depot, 31)
    by: dict[str, Any] = {"by": CUSTOMER, "now": EVENING}
    slot = offer_slots(order_id=order.pk, now=EVENING, days=[SERVICE_DATE])[2]
    hold = hold_slot(order_id=order.pk, slot=slot.window, **by)
    other = hold_slot(order_id=late.pk, slot=slot.window, **by)
    for _ in range(2):
        assert take_slot(hold_id=hold.pk, **by).status == HoldState.TAKEN
    changes = Entry.objects.filter(kind="order.changed", subject_id=str(order.pk))
    assert changes.count() == 1
    Vehicle.objects.filter(depot=depot).update(capacity_pieces=4)
    Route.objects.filter(depot=depot).update(version=99)
    with pytest.raises(SlotGone):
        take_slot(hold_id=other.pk, **by)
    other.refresh_from_db()
    assert other.status == HoldState.RELEASED
    late.refresh_from_db()
    assert late.service_date != SERVICE_DATE


def test_move_is_refused_when_the_driver_is_about_to_come() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    route = Route.objects.get(depot=depot)
    begin(route.shift, NOW + timedelta(hours=1))
    drain()
    stop = route.stops.order_by("sequence").first()
    assert stop is not None
    assert stop.eta_at is not None
    with pytest.raises(TooLate):
        offer_slots(order_id=stop.order_id, now=stop.eta_at - timedelta(minutes=20))
    last = route.stops.order_by("sequence").last()
    assert last is not None
    now = NOW + timedelta(hours=1)
    last.eta_at = now + timedelta(hours=2)
    last.save()
    mine = offer_slots(order_id=last.order_id, now=now, days=[SERVICE_DATE])
    assert {slot.route_id for slot in mine} == {route.pk}
    other = order_of_yesterday(depot)
    assert not offer_slots(order_id=other.pk, now=now, days=[SERVICE_DATE])
