"""The office's pages of orders, imports and depots."""

import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.depots.models import Depot, Zone
from apps.journal.models import Entry
from apps.orders.models import Order
from apps.orders.states import OrderState
from tests.factories import (
    AddressFactory,
    CustomerFactory,
    OrderFactory,
    TimeWindowFactory,
    ZoneFactory,
    square,
)
from tests.orders.importing import import_file
from tests.queueing import drain

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"
IMPORTS = "/admin/orders/importrun/"


@pytest.fixture
def office(planner: User) -> Client:
    """The planner, signed in to the office."""
    planner.is_staff = True
    planner.save()
    client = Client()
    client.force_login(planner)
    return client


def test_orders_page_finds_and_filters_the_depots_own(
    office: Client, depot: Depot
) -> None:
    customer = CustomerFactory(depot=depot, name="Ada Lovelace")
    order = OrderFactory(depot=depot, reference="MINE-1", customer=customer)
    TimeWindowFactory(order=order, opens_at=datetime(2026, 3, 17, 8, tzinfo=UTC))
    OrderFactory(reference="THEIRS-1")
    page = office.get(ORDERS, {"q": "lovelace", "status__exact": "open"})
    text = page.content.decode()
    assert "MINE-1" in text
    assert "09:00–11:00" in text
    assert "THEIRS-1" not in office.get(ORDERS).content.decode()


def test_order_page_shows_and_never_edits(office: Client, depot: Depot) -> None:
    order = OrderFactory(depot=depot, load_g=2500)
    path = f"{ORDERS}{order.pk}/change/"
    text = office.get(path).content.decode()
    assert "2.5 kg" in text
    assert 'name="status"' not in text
    assert office.post(path, {"status": "delivered"}).status_code == 403
    assert office.get(f"{ORDERS}add/").status_code == 403
    assert office.post(f"{ORDERS}{order.pk}/delete/").status_code == 403
    order.refresh_from_db()
    assert order.status == OrderState.OPEN


def test_cancel_asks_first_and_then_cancels(office: Client, depot: Depot) -> None:
    order = OrderFactory(depot=depot)
    closed = OrderFactory(depot=depot, status=OrderState.DELIVERED)
    other = OrderFactory()
    asked = office.post(
        ORDERS,
        {
            "action": "cancel_selected",
            "_selected_action": [str(order.pk), str(closed.pk)],
        },
    )
    assert "1 order will be cancelled" in asked.content.decode()
    assert Order.objects.filter(status=OrderState.CANCELLED).count() == 0
    office.post(
        f"{ORDERS}cancel/",
        {"order": [str(order.pk), str(other.pk)], "reason": "sold out"},
    )
    cancelled = Order.objects.get(status=OrderState.CANCELLED)
    assert cancelled == order
    entry = Entry.objects.get(kind="order.cancelled")
    assert entry.payload["reason"] == "sold out"
    history = office.get(f"{ORDERS}{order.pk}/history/").content.decode()
    assert "Cancelled" in history
    assert "sold out" in history
    assert entry.actor.startswith("user:")
    assert entry.actor not in history


def test_cancel_without_the_right_to_change_is_forbidden(
    office: Client, planner: User, depot: Depot
) -> None:
    planner.user_permissions.remove(
        *planner.user_permissions.filter(codename="change_order")
    )
    order = OrderFactory(depot=depot)
    sent = office.post(f"{ORDERS}cancel/", {"order": [str(order.pk)], "reason": ""})
    assert sent.status_code == 403
    order.refresh_from_db()
    assert order.status == OrderState.OPEN


def test_reschedule_gives_another_day_and_window(office: Client, depot: Depot) -> None:
    order = OrderFactory(depot=depot)
    page = office.get(f"{ORDERS}{order.pk}/change/").content.decode()
    path = f"{ORDERS}{order.pk}/reschedule_one/"
    assert path in page
    bad = office.post(path, {"service_date": "2026-03-18", "window": "noonish"})
    assert "08:00-10:00" in bad.content.decode()
    good = office.post(path, {"service_date": "2026-03-18", "window": "08:00-10:00"})
    assert good.status_code == 302
    order.refresh_from_db()
    assert order.service_date.isoformat() == "2026-03-18"
    assert order.windows.get().opens_at == datetime(2026, 3, 18, 7, tzinfo=UTC)


def test_upload_leads_to_progress_result_and_download(
    office: Client, depot: Depot
) -> None:
    page = office.get(f"{IMPORTS}add/").content.decode()
    assert 'value="lauf"' in page
    file = SimpleUploadedFile("day.csv", b"id;lat;lon\nA;49,51;11,28\nB;149,51;11,28\n")
    sent = office.post(
        f"{IMPORTS}add/",
        {"file": file, "depot": "lauf", "service_date": "2026-03-17"},
    )
    run_path = sent["Location"]
    assert "import_progress.js" in office.get(run_path).content.decode()
    progress = run_path.replace("/change/", "/progress/")
    assert json.loads(office.get(progress).content)["state"] == "queued"
    assert drain() == ["run_import"]
    assert json.loads(office.get(progress).content) == {
        "state": "done",
        "rows": 2,
        "rows_done": 2,
    }
    text = office.get(run_path).content.decode()
    assert "149,51" in text
    assert "Latitude goes from -90 to 90" in text
    download = office.get(run_path.replace("/change/", "/quarantine/"))
    assert b"B;149,51;11,28" in download.content
    rows = office.get("/admin/orders/quarantinedrow/").content.decode()
    assert "bad_coordinates" in rows


def test_upload_form_says_what_is_no_pair(office: Client) -> None:
    sent = office.post(
        f"{IMPORTS}add/",
        {"file": SimpleUploadedFile("x.csv", b"a"), "depot": "lauf", "columns": "x"},
    )
    assert "this is not: x" in sent.content.decode()


def test_upload_offers_and_takes_the_users_depots_alone(
    office: Client, depot: Depot
) -> None:
    other = OrderFactory().depot
    assert other.code not in office.get(f"{IMPORTS}add/").content.decode()
    sent = office.post(
        f"{IMPORTS}add/",
        {"file": SimpleUploadedFile("x.csv", b"a"), "depot": other.code},
    )
    assert sent.status_code == 200


def test_imports_of_another_depot_are_absent(office: Client) -> None:
    run = import_file(OrderFactory().depot, "id,lat,lon\nA,149,11\n")
    for last in ("change", "progress", "quarantine"):
        assert office.get(f"{IMPORTS}{run.pk}/{last}/").status_code == 404
    rows = office.get("/admin/orders/quarantinedrow/").content.decode()
    assert "bad_coordinates" not in rows


def test_pages_of_the_room_open(office: Client, depot: Depot) -> None:
    AddressFactory(depot=depot)
    CustomerFactory(depot=depot)
    zone = ZoneFactory(depot=depot)
    for path in [
        "orders/address/",
        "orders/customer/",
        "orders/importrun/",
        "depots/depot/",
        "depots/zone/",
        f"depots/zone/{zone.pk}/change/",
        f"depots/depot/{depot.pk}/change/",
    ]:
        assert office.get(f"/admin/{path}").status_code == 200, path


def test_zone_page_refuses_what_is_no_polygon(office: Client, depot: Depot) -> None:
    fields = {"depot": str(depot.pk), "code": "n", "name": "North"}
    bad = office.post("/admin/depots/zone/add/", {**fields, "boundary": '{"a": 1}'})
    assert "GeoJSON Polygon" in bad.content.decode()
    boundary = square(49.5, 11.3)
    office.post("/admin/depots/zone/add/", {**fields, "boundary": json.dumps(boundary)})
    assert Zone.objects.get().boundary == boundary
    assert Entry.objects.filter(kind="zone.drawn").count() == 1


def test_depot_page_refuses_an_unknown_time_zone(office: Client, depot: Depot) -> None:
    fields = {
        "code": "lauf",
        "name": "Lauf",
        "time_zone": "Mars/North",
        "country": "DE",
        "currency": "EUR",
        "latitude": "49.5",
        "longitude": "11.2",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    path = f"/admin/depots/depot/{depot.pk}/change/"
    assert "IANA time zone" in office.post(path, fields).content.decode()
    office.post(path, {**fields, "time_zone": "Europe/Vienna"})
    depot.refresh_from_db()
    assert depot.time_zone == "Europe/Vienna"
    assert Entry.objects.get(kind="depot.changed").depot_id == depot.pk
