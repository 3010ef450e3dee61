"""Single orders' verbs where the API does not reach."""

import uuid

import pytest

from apps.core.actors import SYSTEM
from apps.core.states import IllegalStep
from apps.journal.models import Entry
from apps.orders.drafts import OrderChanges
from apps.orders.models import Order
from apps.orders.selectors import OrderNotFound
from apps.orders.services import OrderMoved, change_order, set_outcome
from apps.orders.services.orders import _update
from apps.orders.states import OrderState
from tests.factories import NOW, OrderFactory

pytestmark = pytest.mark.django_db


def test_set_outcome_records_what_the_road_made_of_it() -> None:
    order = OrderFactory()
    done = set_outcome(
        order_id=order.pk, status=OrderState.DELIVERED, by=SYSTEM, now=NOW
    )
    assert (done.status, done.version) == (OrderState.DELIVERED, 2)
    entry = Entry.objects.get()
    assert entry.kind == "order.outcome_set"
    assert entry.payload["status"] == "delivered"
    assert entry.depot_id == order.depot_id


def test_set_outcome_same_again_changes_nothing() -> None:
    order = OrderFactory(status=OrderState.FAILED)
    set_outcome(order_id=order.pk, status=OrderState.FAILED, by=SYSTEM, now=NOW)
    assert not Entry.objects.exists()


def test_set_outcome_illegal_step_names_the_legal() -> None:
    order = OrderFactory(status=OrderState.CANCELLED)
    with pytest.raises(IllegalStep) as caught:
        set_outcome(order_id=order.pk, status=OrderState.FAILED, by=SYSTEM, now=NOW)
    assert caught.value.extra["allowed"] == ["delivered", "partial"]


def test_set_outcome_unknown_order_is_not_found() -> None:
    with pytest.raises(OrderNotFound):
        set_outcome(order_id=uuid.uuid4(), status=OrderState.FAILED, by=SYSTEM, now=NOW)


def test_update_refuses_a_row_that_moved_meanwhile() -> None:
    order = OrderFactory()
    Order.objects.filter(pk=order.pk).update(version=2)
    with pytest.raises(OrderMoved):
        _update(order, NOW, pieces=2)


def test_change_order_any_version_is_changed_with_none() -> None:
    order = OrderFactory(version=9)
    changed = change_order(
        order_id=order.pk,
        expected_version=None,
        changes=OrderChanges.of(notes="back door", requires=("lift",)),
        by=SYSTEM,
        now=NOW,
    )
    assert (changed.version, changed.notes, changed.requires) == (
        10,
        "back door",
        ["lift"],
    )
