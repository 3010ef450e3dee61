"""The reschedule page: a slot is kept, confirmed, and moved into, once."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from apps.customers.models import AddressProposal, DeliveryWish, Link
from apps.customers.services import approve_proposal
from apps.journal.models import Change, Entry
from apps.orders.models import Address, Order
from apps.promises.models import Hold
from apps.routes.models import Route
from tests.customers.pages import HOLD, path_of, send, slots_of
from tests.factories import NOW, SERVICE_DATE, CustomerFactory, TimeWindowFactory
from tests.promises.test_offers import EVENING, order_of_yesterday
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, publish_day, sequence

pytestmark = pytest.mark.django_db


def test_customer_moves_a_delivery_without_scripts_cookies_or_a_login() -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    order = order_of_yesterday(depot, customer=CustomerFactory(depot=depot, language="de"))
    path, client = path_of(order), Client(enforce_csrf_checks=True)
    with time_machine.travel(EVENING, tick=False):
        offered = slots_of(client, path)
        assert len(offered) > 5
        assert not Hold.objects.exists()
        assert send(client, path, "hold", slot=offered[0]).status_code == 302
        page = client.get(path).content.decode()
        hold = HOLD.search(page)
        assert hold is not None
        for _ in range(2):
            assert send_again(client, path, hold[1]).status_code == 302
        page = client.get(path).content.decode()
        drain()
    assert "Ihr neuer Termin" in page
    order.refresh_from_db()
    assert order.service_date == SERVICE_DATE
    assert Entry.objects.filter(kind="order.changed").count() == 1
    assert Link.objects.get().used_at is not None
    assert order.stops.get().route is not None
    assert not client.cookies
    with time_machine.travel(EVENING, tick=False):
        gone = send(client, path, "hold", slot=offered[1]) if offered else None
    assert gone is None or gone.status_code == 409


def send_again(client: Client, path: str, hold: str) -> object:
    """Press the button that confirms, with the hold that the page showed."""
    return send(client, path, "take", hold=hold)
