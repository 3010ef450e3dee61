"""When a customer likes it best: taken in, changed, moved, and erased with the customer."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.orders.drafts import CustomerDraft, ImportOptions, OrderChanges, OrderDraft
from apps.orders.drafts import Window as Span
from apps.orders.models import Customer, Order, PreferredWindow
from apps.orders.services import (
    change_order,
    import_orders,
    receive_file,
    reschedule_order,
)
from tests.factories import (
    NOW,
    SERVICE_DATE,
    CustomerFactory,
    DepotFactory,
    OrderFactory,
    PreferredWindowFactory,
)
from tests.office import make_office, make_user, signed_in
from tests.routes.days import OFFICE

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
POINT = {"type": "Point", "coordinates": [11.2830, 49.5130]}


def evening(hour: int = 17, day: datetime | None = None) -> Span:
    at = (day or NOW).astimezone(BERLIN).replace(hour=hour)
    return Span(at, at + timedelta(hours=2))


def local(order: Order) -> list[str]:
    return [
        f"{w.opens_at.astimezone(BERLIN):%Y-%m-%d %H:%M}"
        for w in order.preferences.all()
    ]


def by_file(text: str) -> Order:
    depot = DepotFactory()
    run = receive_file(
        depot_id=depot.pk,
        content=text.encode(),
        file_name="orders.csv",
        service_date=SERVICE_DATE,
        options=ImportOptions(),
        start=False,
        by=OFFICE,
        now=NOW,
    )
    done = import_orders(run_id=run.pk, by=OFFICE, now=NOW)
    assert done.created == 1, list(done.quarantine.values_list("faults", flat=True))
    return Order.objects.get(depot=depot)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Wunschzeit", "17:00-19:00"),
        ("Preferred From;Preferred To", "17:00;19:00"),
        ("Créneau souhaité", "17h-19h"),
        ("horario preferido", "17:00 a 19:00"),
    ],
)
def test_import_columns_by_names_people_use(header: str, cells: str) -> None:
    order = by_file(
        f"order;name;lat;lon;time window;{header}\n"
        f"A-1;Frau Muster;49.513;11.283;08:00-20:00;{cells}\n"
    )
    assert local(order) == ["2026-03-17 17:00"]
    assert order.windows.count() == 1
    (wish,) = order.preferences.all()
    assert wish.customer == order.customer
    assert order.customer is not None


def test_import_inverted_preference_goes_to_quarantine_by_its_column() -> None:
    depot = DepotFactory()
    run = receive_file(
        depot_id=depot.pk,
        content=b"order;lat;lon;wunschzeit\nA-1;49.513;11.283;19:00-17:00\n",
        file_name="orders.csv",
        service_date=SERVICE_DATE,
        options=ImportOptions(),
        start=False,
        by=OFFICE,
        now=NOW,
    )
    done = import_orders(run_id=run.pk, by=OFFICE, now=NOW)
    (row,) = done.quarantine.all()
    assert row.faults[0]["column"] == "wunschzeit"
    assert row.faults[0]["code"] == "window_inverted"


def test_import_again_with_another_preference_changes_the_order() -> None:
    plain = OrderDraft(reference="A", service_date=SERVICE_DATE)
    wished = OrderDraft(
        reference="A", service_date=SERVICE_DATE, preferred_windows=(evening(),)
    )
    assert plain.content_hash() != wished.content_hash()


def test_api_order_carries_and_changes_its_preferences() -> None:
    office = make_office()
    client = APIClient()
    client.force_authenticate(make_user("Route planner", office.depot))
    window = {
        "opens_at": "2026-03-17T17:00:00+01:00",
        "closes_at": "2026-03-17T19:00:00+01:00",
    }
    body = {
        "depot": office.depot.code,
        "reference": "API-1",
        "service_date": "2026-03-17",
        "location": POINT,
        "preferred_windows": [window],
    }
    made = client.post("/api/v1/orders", body, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert made.status_code == 201, made.json()
    assert made.json()["preferred_windows"] == [window]
    url = f"/api/v1/orders/{made.json()['id']}"
    inverted = {"opens_at": window["closes_at"], "closes_at": window["opens_at"]}
    bad = client.patch(
        url, {"preferred_windows": [inverted]}, format="json", HTTP_IF_MATCH="*"
    )
    assert bad.status_code == 400
    assert bad.json()["errors"][0]["pointer"] == "/preferred_windows/0/closes_at"
    none = client.patch(
        url, {"preferred_windows": []}, format="json", HTTP_IF_MATCH="*"
    )
    assert none.json()["preferred_windows"] == []


def test_admin_preferred_times_are_written_and_shown() -> None:
    office = make_office()
    client = signed_in(make_user("Coordinator", office.depot))
    order = office.rows["orders.order"]
    url = reverse("admin:orders_order_prefer_one", args=[order.pk])
    assert "Preferred times of" in client.get(url).content.decode()
    bad = client.post(url, {"window": "sometime"})
    assert "Write times as" in bad.content.decode()
    assert client.post(url, {"window": "17:00-19:00; 8-9"}).status_code == 302
    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert "08:00–09:00, 17:00–19:00" in page.content.decode()


def test_change_order_of_another_customer_hands_the_preference_on() -> None:
    order = OrderFactory(customer=CustomerFactory(name="Alt"))
    PreferredWindowFactory(order=order)
    change_order(
        order_id=order.pk,
        expected_version=None,
        changes=OrderChanges.of(customer=CustomerDraft(name="Neu")),
        by=OFFICE,
        now=NOW,
    )
    assert PreferredWindow.objects.get().customer == Customer.objects.get(name="Neu")


def test_reschedule_order_takes_the_preference_along_at_its_local_time() -> None:
    order = OrderFactory()
    PreferredWindowFactory(
        order=order, opens_at=evening().opens_at, closes_at=evening().closes_at
    )
    summer = SERVICE_DATE + timedelta(days=14)  # behind the change of the clock
    reschedule_order(
        order_id=order.pk, service_date=summer, windows=[], by=OFFICE, now=NOW
    )
    assert local(order) == ["2026-03-31 17:00"]


def test_erasing_the_customer_erases_the_preferences() -> None:
    customer = CustomerFactory(name="Frau Muster")
    order = OrderFactory(customer=customer, depot=customer.depot)
    PreferredWindowFactory(order=order)
    Order.objects.filter(customer=customer).update(customer=None)
    customer.delete()
    assert Order.objects.filter(pk=order.pk).exists()
    assert not PreferredWindow.objects.exists()
