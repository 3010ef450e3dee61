"""Held slots in the ledger: made again to the byte, settled by what became of them."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.actors import Actor
from apps.orders.models import Order
from apps.promises.models import Hold
from apps.promises.offering import offer_slots
from apps.promises.services import expire_holds, hold_slot, release_hold, take_slot
from apps.promises.slotledger import rerun
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.dayinputs import Interval
from tests.factories import NOW, SERVICE_DATE, DepotFactory, ShiftFactory
from tests.promises.test_offers import EVENING, order_of_yesterday
from tests.routes.days import make_day, publish_day

pytestmark = pytest.mark.django_db

BY: dict[str, Any] = {"by": Actor("customer", "1"), "now": EVENING}


def first_slot(order: Order) -> Interval:
    slot = offer_slots(order_id=order.pk, now=EVENING, days=[SERVICE_DATE])[0]
    return slot.window


def noted(hold: Hold) -> Recommendation:
    return Recommendation.objects.get(subject_type="hold", subject_id=str(hold.pk))


def assert_made_again(row: Recommendation) -> None:
    assert rerun(stored_inputs(row)) == stored_answer(row)


def test_slot_of_a_live_plan_is_made_again_and_followed() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    held = order_of_yesterday(depot, 20)
    order = order_of_yesterday(depot, 21)
    hold_slot(order_id=held.pk, slot=first_slot(held), **BY)  # stands in the route
    hold = hold_slot(order_id=order.pk, slot=first_slot(order), **BY)
    row = noted(hold)
    assert (row.kind, row.engine, row.state) == ("slot", "placed", "issued")
    assert row.costs["cost_minor"] == hold.cost_minor
    assert_made_again(row)

    take_slot(hold_id=hold.pk, **BY)

    assert noted(hold).state == "followed"


def test_slot_of_a_day_without_a_plan_is_made_again_and_ends_with_its_hold() -> None:
    depot = DepotFactory()
    ShiftFactory(depot=depot, ends_at=NOW + timedelta(hours=3))
    order = order_of_yesterday(depot)
    slot = first_slot(order)
    hold = hold_slot(order_id=order.pk, slot=slot, **BY)
    row = noted(hold)
    assert row.engine == "estimated"
    assert_made_again(row)

    release_hold(hold_id=hold.pk, **BY)
    assert noted(hold).state == "superseded"
    again = hold_slot(order_id=order.pk, slot=slot, **BY)
    expire_holds(by=BY["by"], now=EVENING + timedelta(hours=1))
    assert noted(again).state == "expired"
