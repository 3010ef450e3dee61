"""Why a time has changed, the customer's objection to it, and where a driver found the door."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.core import clock
from apps.core.actors import Actor
from apps.core.roles import COORDINATOR
from apps.customers.models import AddressProposal
from apps.customers.services import approve_proposal
from apps.customers.words import CHANGED, why_changed
from apps.feedback.models import Feedback
from apps.feedback.services import act_on
from apps.orders.drafts import AddressDraft, OrderDraft
from apps.orders.models import Address, Order
from apps.orders.services import create_order
from apps.recommendations.models import Recommendation
from apps.routes.models import PlanChange, Stop
from apps.routes.triggers import WHY, WHY_SEARCHED
from tests.customers.pages import path_of, send
from tests.factories import NOW, CustomerFactory
from tests.office import make_user, signed_in
from tests.queueing import drain
from tests.routes.days import OFFICE, make_day, publish_day
from tests.sync.builders import enrol
from tests.sync.builders import publish_day as publish_for_device

pytestmark = pytest.mark.django_db

MORNING = NOW + timedelta(hours=1)


@pytest.fixture
def moved() -> Stop:
    """Return a stop that comes 20 minutes later, because the route runs late."""
    depot = make_day(orders=3, shifts=1)
    plan = publish_day(depot)
    stop = Stop.objects.filter(route__plan=plan).order_by("sequence").last()
    assert stop is not None
    assert stop.route is not None
    later = timedelta(minutes=20)
    assert stop.told_low_at is not None
    for name in ("eta_at", "eta_low_at", "eta_high_at"):
        setattr(stop, name, getattr(stop, name) + later)
    stop.save()
    customer = CustomerFactory(depot=depot, language="de")
    Order.objects.filter(pk=stop.order_id).update(customer=customer)
    PlanChange.objects.create(
        route=stop.route,
        driver=stop.route.driver,
        plan=plan,
        route_version=99,
        eta_moved=[{"stop_id": str(stop.pk), "by_s": 1200, "eta_at": ""}],
        why=WHY["running_late"],
        made_at=MORNING,
    )
    return stop


def tracked(stop: Stop, **more: Any) -> tuple[str, Client]:
    return path_of(stop.order, "tracking", now=MORNING, **more), Client()


def test_customer_reads_why_objects_and_reads_the_answer(moved: Stop) -> None:
    path, client = tracked(moved)
    with time_machine.travel(MORNING, tick=False):
        page = client.get(path).content.decode()
        assert "Warum hat sich die Zeit geändert?" in page
        assert "Der Fahrer ist verspätet." in page
        assert re.search(r"Zuerst hatten wir Ihnen \d\d:\d\d–\d\d:\d\d genannt", page)
        assert "Planungsprogramm" in page
        assert "Sie können widersprechen" in page
        empty = send(client, path, "object", words=" ")
        assert empty.status_code == 400
        assert "was Ihnen nicht passt" in empty.content.decode()
        for _ in range(2):
            gone = send(client, path, "object", words="Da bin ich beim Arzt.")
            assert gone.status_code == 302
        said = Feedback.objects.get()
        assert (said.role, said.is_objection, said.edits.count()) == (
            "customer",
            True,
            1,
        )
        assert said.recommendation == Recommendation.objects.get(kind="plan")
        assert said.stop_id == str(moved.pk)
        page = client.get(path).content.decode()
        assert "Ihr Einwand ist bei uns. “Da bin ich beim Arzt.”" in page
        by = Actor("user", "1")
        words = "Wir kommen vorher."
        act_on(feedback_id=said.pk, code="thanks", words=words, by=by, now=MORNING)
        assert words in client.get(path).content.decode()
    coordinator = signed_in(make_user(COORDINATOR, moved.order.depot))
    inbox = coordinator.get("/admin/feedback/feedback/").content.decode()
    assert "ustomer" in inbox


def test_time_that_stands_has_nothing_to_object_to(moved: Stop) -> None:
    other = Stop.objects.filter(route=moved.route).exclude(pk=moved.pk).first()
    assert other is not None
    path, client = tracked(other)
    with time_machine.travel(MORNING, tick=False):
        assert 'id="why"' not in client.get(path).content.decode()
        gone = send(client, path, "object", words="Too late.")
        assert gone.status_code == 404
    Stop.objects.filter(pk=moved.pk).update(status="succeeded")
    path, client = tracked(moved)
    with time_machine.travel(MORNING, tick=False):
        assert 'id="why"' not in client.get(path).content.decode()
    assert not Feedback.objects.exists()


def test_every_cause_has_the_customers_words() -> None:
    decided = {"change.applied", "decision_point.let"}
    assert set(WHY) == set(CHANGED) | decided
    for cause, words in CHANGED.items():
        assert why_changed(WHY[cause]) == words
    texts = {
        str(why_changed(why)) for why in (WHY_SEARCHED, WHY["change.applied"], "?")
    }
    assert len(texts) == 3


# ── where a driver found the door ────────────────────────────────────────────
def test_drivers_pin_is_approved_and_used_the_next_time() -> None:
    day = publish_for_device()
    device, stop = enrol(day.driver), day.stops[0]
    order = stop.order
    Order.objects.filter(pk=order.pk).update(street="Hofgasse", house_number="7")
    lat, lon = round(order.latitude + 0.002, 6), round(order.longitude + 0.003, 6)
    device.push(
        device.event(
            "exception.reported", stop, reason="wrong_address", lat=lat, lon=lon
        ),
        device.event("exception.reported", day.stops[1], reason="wrong_address"),
        device.event("exception.reported", stop, reason="no_access", lat=1.0, lon=1.0),
    )
    drain()
    proposal = AddressProposal.objects.get()
    assert (proposal.order, proposal.latitude, proposal.longitude) == (order, lat, lon)
    assert proposal.proposed_by == f"driver:{day.driver.pk}"
    assert not Address.objects.exists(), "nothing is used before it is approved"

    Order.objects.filter(pk=order.pk).update(status="delivered")
    now = clock.now()
    approve_proposal(proposal_id=proposal.pk, by=OFFICE, now=now)
    draft = OrderDraft(
        reference="NEXT",
        service_date=now.date() + timedelta(days=1),
        address=AddressDraft("Hofgasse", "7"),
    )
    following = create_order(depot_id=order.depot_id, draft=draft, by=OFFICE, now=now)
    assert (following.latitude, following.longitude) == (lat, lon)


def test_drivers_pin_keeps_what_the_customer_has_said() -> None:
    day = publish_for_device()
    device, order = enrol(day.driver), day.stops[0].order
    path = path_of(order, now=clock.now())
    fields = {"street": "Neue Gasse", "house_number": "3", "note": "Im Hof"}
    assert send(Client(), path, "address", **fields).status_code == 302
    pin = {"lat": order.latitude + 0.001, "lon": order.longitude}
    device.push(
        device.event("exception.reported", day.stops[0], reason="wrong_address", **pin)
    )
    drain()
    row = AddressProposal.objects.get()
    assert (row.street, row.note) == ("Neue Gasse", "Im Hof")
    assert row.latitude == pytest.approx(order.latitude + 0.001)
