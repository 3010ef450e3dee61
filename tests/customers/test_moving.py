"""The reschedule page: a slot is kept, confirmed, and moved into, once."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.customers.models import AddressProposal, DeliveryWish, Link, PickupPoint
from apps.customers.services import approve_proposal
from apps.journal.models import Change, Entry
from apps.orders.models import Address, Order
from apps.promises.models import Hold
from apps.routes.models import Route, Stop
from tests.customers.pages import HOLD, path_of, send, slots_of
from tests.factories import NOW, SERVICE_DATE, CustomerFactory, ShiftFactory
from tests.promises.test_offers import EVENING, order_of_yesterday
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, publish_day, report, sequence

pytestmark = pytest.mark.django_db

TOMORROW = SERVICE_DATE + timedelta(days=1)


def hold_and_take(client: Client, path: str, slot: str) -> Any:
    """Keep a slot and confirm it; return the last answer."""
    assert send(client, path, "hold", slot=slot).status_code == 302
    hold = HOLD.search(client.get(path).content.decode())
    assert hold is not None
    return send(client, path, "take", hold=hold[1])


def test_customer_moves_a_delivery_without_scripts_cookies_or_a_login() -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    customer = CustomerFactory(depot=depot, language="de", name="Frau Muster")
    order = order_of_yesterday(depot, customer=customer, street="Hauptstraße")
    path, client = path_of(order), Client(enforce_csrf_checks=True)
    with time_machine.travel(EVENING, tick=False):
        before = Entry.objects.count()
        offered = slots_of(client, path)
        assert not Hold.objects.exists()
        assert Entry.objects.count() == before
        assert hold_and_take(client, path, offered[0]).status_code == 302
        hold = Hold.objects.get()
        page = client.get(path)
        drain()
    text = page.content.decode()
    assert "Ihr neuer Termin" in text
    assert "Muster" not in text
    assert not client.cookies
    order.refresh_from_db()
    assert order.service_date == SERVICE_DATE
    assert order.windows.get().opens_at == hold.opens_at
    stop = Stop.objects.get(order=order)
    assert stop.route is not None
    assert stop.eta_at is not None
    assert hold.opens_at <= stop.eta_at < hold.closes_at
    assert Entry.objects.filter(kind="order.changed").count() == 1
    assert Link.objects.get(purpose="reschedule").used_at is not None


def test_second_submit_is_the_same_change_and_another_one_is_refused() -> None:
    depot = make_day(orders=0, shifts=1)
    order = order_of_yesterday(depot)
    path, client = path_of(order), Client()
    with time_machine.travel(EVENING, tick=False):
        offered = slots_of(client, path)
        page = client.get(path).content.decode()
        token = re.findall(r'name="form" value="([^"]+)"', page)[0]
        send(client, path, "hold", slot=offered[0])
        sent = {"form": token, "do": "take", "hold": str(Hold.objects.get().pk)}
        assert [client.post(path, sent).status_code for _ in range(3)] == [302] * 3
        other = {"form": token, "do": "hold", "slot": offered[1]}
        assert client.post(path, other).status_code == 409
    assert Entry.objects.filter(kind="order.changed").count() == 1


def test_offline_driver_hears_that_a_stop_was_moved_and_keeps_what_was_done() -> None:
    """A stop moved to another day while its driver is out of reach."""
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    route = Route.objects.get(depot=depot)
    ShiftFactory(
        depot=depot,
        driver=route.driver,
        service_date=TOMORROW,
        starts_at=NOW + timedelta(days=1, hours=1),
    )
    start = NOW + timedelta(hours=1)
    with time_machine.travel(start, tick=False):
        begin(route.shift, start)
        drain()
        first, _, last = sequence(route)
        Stop.objects.filter(pk=last.pk).update(eta_at=start + timedelta(hours=3))
        client, path = Client(), path_of(last.order, now=start)
        slot = next(s for s in slots_of(client, path) if TOMORROW.isoformat() in s)
        assert hold_and_take(client, path, slot).status_code == 302
        drain()
    told = Change.objects.filter(scope=route.driver_id, row_id=str(last.pk))
    assert told.get().deleted
    last.refresh_from_db()
    assert last.route is None
    # Out of reach, the driver had brought it already: that is what counts.
    done_at = start + timedelta(minutes=30)
    last.route = route
    verdict = report(last, "stop.succeeded", done_at)
    assert verdict.code in {"ok", "applied_after_reassign"}
    order = Order.objects.get(pk=last.order_id)
    assert order.status == "delivered"
    with time_machine.travel(done_at + timedelta(minutes=1), tick=False):
        drain()
        page = client.get(path).content.decode()
    assert "Keep this time" not in page
    assert first.pk != last.pk


def test_wishes_reach_the_driver_and_an_approved_pin_is_used_next_time() -> None:
    depot = make_day(orders=1, shifts=1)
    publish_day(depot)
    order = Order.objects.get(depot=depot)
    Order.objects.filter(pk=order.pk).update(
        street="Hauptstraße", house_number="9", notes="Ring twice."
    )
    point = PickupPoint.objects.create(
        depot=depot, name="Kiosk", street="Markt", latitude=49.51, longitude=11.285
    )
    path, client = path_of(order, now=EVENING), Client()
    with time_machine.travel(EVENING, tick=False):
        gone = send(client, path, "wish", kind="safe_place")
        assert gone.status_code == 400
        assert "Please say where" in gone.content.decode()
        for place in ("Garage", "Shed"):
            fields = {"kind": "safe_place", "place_safe_place": place}
            assert send(client, path, "wish", **fields).status_code == 302
        order.refresh_from_db()
        assert order.notes == "Ring twice.\nCustomer: In a safe place; Shed"
        drain()
        told = Change.objects.filter(table="orders", row_id=str(order.pk))
        assert told.exists()
        assert send(client, path, "prefer", part="evening").status_code == 302
        assert order.preferences.get().opens_at.hour == 16
        fields = {"street": "Hauptstr.", "house_number": "9", "pin.x": "200"}
        fields |= {"pin.y": "100", "note": "In the yard"}
        assert send(client, path, "address", **fields).status_code == 302
        assert send(client, path, "wish", kind=f"pickup:{point.pk}").status_code == 302
    proposal = AddressProposal.objects.get()
    assert proposal.latitude is not None
    assert proposal.latitude > order.latitude
    assert DeliveryWish.objects.get().pickup_point == point
    approve_proposal(proposal_id=proposal.pk, by=OFFICE, now=EVENING)
    order.refresh_from_db()
    assert (order.latitude, order.location_source) == (proposal.latitude, "corrected")
    known = Address.objects.get(depot=depot)
    assert (known.match_key, known.latitude) == ("hauptstrasse 9", proposal.latitude)
