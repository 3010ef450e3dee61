"""Links: made, stored as a hash, short enough for a message."""

from datetime import timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.customers.codes import hash_of, is_code
from apps.customers.models import Link
from apps.customers.services import make_link, revoke_links
from apps.journal.models import Entry
from apps.orders.selectors import OrderNotFound
from tests.factories import NOW, CustomerFactory, OrderFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("purpose", ["reschedule", "tracking", "survey"])
def test_make_link_returns_a_short_address_and_keeps_its_hash(
    purpose: str, settings: object
) -> None:
    order = OrderFactory(customer=CustomerFactory(name="Frau Muster"))
    address = make_link(purpose=purpose, order_id=order.pk, by=SYSTEM, now=NOW)
    head, _, code = address.rpartition("/")
    link = Link.objects.get()
    assert is_code(code)
    assert head.startswith("http")
    assert len(address) <= 60
    assert link.code_hash == hash_of(code)
    assert code not in str(vars(link))
    assert order.pk.hex not in address
    assert link.expires_at > NOW + timedelta(days=2)
    assert code not in str(Entry.objects.get(kind="link.made").payload)


def test_make_link_refuses_an_unknown_order_and_an_unknown_purpose() -> None:
    order = OrderFactory()
    with pytest.raises(ValueError, match="nothing"):
        make_link(purpose="nothing", order_id=order.pk, by=SYSTEM, now=NOW)
    with pytest.raises(OrderNotFound):
        make_link(purpose="tracking", order_id=order.depot_id, by=SYSTEM, now=NOW)


def test_revoke_links_takes_back_those_of_a_purpose() -> None:
    order = OrderFactory()
    for purpose in ("tracking", "tracking", "survey"):
        make_link(purpose=purpose, order_id=order.pk, by=SYSTEM, now=NOW)
    done = revoke_links(order_id=order.pk, purpose="tracking", by=SYSTEM, now=NOW)
    assert done == 2
    assert Link.objects.get(revoked_at=None).purpose == "survey"
