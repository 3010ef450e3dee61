"""The API of orders and imports, through its real addresses."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.orders.models import ImportRun, Order, QuarantinedRow
from apps.orders.states import OrderState
from apps.orders.tasks import run_import
from tests.factories import (
    AddressFactory,
    DepotFactory,
    ImportRunFactory,
    OrderFactory,
    TimeWindowFactory,
    UserFactory,
    ZoneFactory,
)
from tests.queueing import drain

pytestmark = pytest.mark.django_db

ORDERS = "/api/v1/orders"


def new_order(**changes: Any) -> dict[str, Any]:
    """Return the body of an order that is taken in."""
    return {
        "depot": "lauf",
        "reference": "W-1",
        "service_date": "2026-03-17",
        "location": {"type": "Point", "coordinates": [11.2823, 49.5126]},
        "windows": [
            {
                "opens_at": "2026-03-17T08:00:00+01:00",
                "closes_at": "2026-03-17T10:00:00+01:00",
            }
        ],
        "customer": {"name": "Ada", "phone": "09123 12345"},
        "load_g": 2500,
        **changes,
    }


def test_create_order_answers_the_order_with_its_etag(
    client: APIClient, depot: Depot
) -> None:
    zone = ZoneFactory(depot=depot)
    answer = client.post(ORDERS, new_order(), format="json")
    assert answer.status_code == 201, answer.json()
    assert answer["ETag"] == '"1"'
    body = answer.json()
    assert body["zone"] == zone.code
    assert body["location"] == {"type": "Point", "coordinates": [11.2823, 49.5126]}
    assert body["customer"]["phone"] == "+49912312345"
    assert body["windows"] == new_order()["windows"]
    assert body["received_at"].endswith(("+01:00", "+02:00"))
    entry = Entry.objects.get(kind="order.created")
    assert entry.payload == {"order_id": body["id"], "service_date": "2026-03-17"}
    shown = client.get(f"{ORDERS}/{body['id']}")
    assert shown.json() == body


def test_create_order_repeated_key_gets_the_first_answer(client: APIClient) -> None:
    send: dict[str, Any] = {"format": "json", "HTTP_IDEMPOTENCY_KEY": "k1"}
    first = client.post(ORDERS, new_order(), **send)
    second = client.post(ORDERS, new_order(), **send)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert Order.objects.count() == 1
    other = client.post(ORDERS, new_order(reference="W-2"), **send)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"depot": "berlin"}, "/depot", "unknown_depot"),
        ({"location": None}, "/location", "no_location"),
        (
            {"location": {"type": "Point", "coordinates": [11.2, 95]}},
            "/location/coordinates",
            "bad_coordinates",
        ),
        (
            {"location": {"type": "Point", "coordinates": [49.5, 11.2]}},
            "/location",
            "far_from_depot",
        ),
        (
            {
                "windows": [
                    {
                        "opens_at": "2026-03-17T10:00:00+01:00",
                        "closes_at": "2026-03-17T08:00:00+01:00",
                    }
                ]
            },
            "/windows/0/closes_at",
            "window_inverted",
        ),
        (
            {
                "windows": [
                    {
                        "opens_at": "2026-03-17T08:00:00",
                        "closes_at": "2026-03-17T10:00:00+01:00",
                    }
                ]
            },
            "/windows/0/opens_at",
            "offset",
        ),
        ({"load_g": -1}, "/load_g", "min_value"),
        ({"customer": {"phone": "12"}}, "/customer/phone", "bad_phone"),
        ({"reference": ""}, "/reference", "blank"),
    ],
)
def test_create_order_fault_is_a_problem_with_its_pointer(
    client: APIClient, changes: dict[str, Any], pointer: str, code: str
) -> None:
    answer = client.post(ORDERS, new_order(**changes), format="json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]
    assert Order.objects.count() == 0


def test_create_order_known_reference_names_the_order(
    client: APIClient, depot: Depot
) -> None:
    order = OrderFactory(depot=depot, reference="W-1")
    answer = client.post(ORDERS, new_order(), format="json")
    assert answer.status_code == 409
    assert answer.json()["order_id"] == str(order.pk)


def test_create_order_is_located_by_its_address(
    client: APIClient, depot: Depot
) -> None:
    AddressFactory(depot=depot, match_key="marktplatz 24", latitude=49.5)
    body = new_order(
        location=None,
        address={"street": "Marktplatz", "house_number": "24", "postcode": "91207"},
    )
    answer = client.post(ORDERS, body, format="json").json()
    assert answer["location"]["coordinates"][1] == 49.5
    assert answer["location_source"] == "gazetteer"


def test_create_orders_answers_a_list_item_by_item(
    client: APIClient, depot: Depot
) -> None:
    OrderFactory(depot=depot, reference="known")
    items = [
        new_order(reference="A"),
        new_order(reference="B", load_g=-1),
        new_order(reference="known"),
        new_order(reference="A"),
        new_order(reference="C", depot="berlin"),
        "no order",
        new_order(reference="D"),
    ]
    answer = client.post(ORDERS, items, format="json")
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [item["index"] for item in results] == list(range(7))
    assert [item["status"] for item in results] == [201, 400, 409, 409, 400, 400, 201]
    assert Order.objects.count() == 3


def test_orders_of_another_depot_are_absent(client: APIClient) -> None:
    other = OrderFactory()
    assert client.get(ORDERS).json()["results"] == []
    for method, path in [
        ("get", ""),
        ("patch", ""),
        ("post", "/cancel"),
        ("post", "/reschedule"),
    ]:
        answer = getattr(client, method)(
            f"{ORDERS}/{other.pk}{path}", {}, format="json", HTTP_IF_MATCH="*"
        )
        assert answer.status_code == 404


def test_orders_without_the_permission_are_forbidden(depot: Depot) -> None:
    client = APIClient()
    assert client.get(ORDERS).status_code == 401
    client.force_authenticate(UserFactory())
    assert client.get(ORDERS).status_code == 403
    assert client.post(ORDERS, new_order(), format="json").status_code == 403


def test_list_orders_is_filtered_and_paged(client: APIClient, depot: Depot) -> None:
    zone = ZoneFactory(depot=depot, code="north")
    mine = OrderFactory(depot=depot, zone=zone, reference="find-me", street="Weg")
    OrderFactory(depot=depot, service_date="2026-03-18")
    OrderFactory(depot=depot, status=OrderState.CANCELLED)
    for query, count in [
        ("depot=lauf", 3),
        ("depot=berlin", 0),
        ("zone=north", 1),
        ("service_date=2026-03-17", 2),
        ("status=cancelled", 1),
        ("status=open&status=cancelled", 3),
        ("reference=find-me", 1),
        ("search=find", 1),
        ("service_date_from=2026-03-18", 1),
    ]:
        rows = client.get(f"{ORDERS}?{query}").json()["results"]
        assert len(rows) == count, query
    page = client.get(f"{ORDERS}?limit=2").json()
    rest = client.get(page["next"]).json()
    assert len(page["results"]) == 2
    assert [row["id"] for row in rest["results"]] == [str(mine.pk)]


def test_patch_order_needs_the_etag_that_was_read(
    client: APIClient, depot: Depot
) -> None:
    order = OrderFactory(depot=depot)
    path = f"{ORDERS}/{order.pk}"
    assert client.patch(path, {"pieces": 2}, format="json").status_code == 428
    stale = client.patch(path, {"pieces": 2}, format="json", HTTP_IF_MATCH='"7"')
    assert stale.status_code == 412
    done = client.patch(path, {"pieces": 2}, format="json", HTTP_IF_MATCH='"1"')
    assert (done.status_code, done["ETag"], done.json()["pieces"]) == (200, '"2"', 2)
    assert Entry.objects.get(kind="order.changed").payload["fields"] == ["pieces"]


def test_patch_order_same_values_make_no_version(
    client: APIClient, depot: Depot
) -> None:
    order = OrderFactory(depot=depot, notes="ring")
    window = TimeWindowFactory(order=order)
    body = {
        "notes": "ring",
        "windows": [
            {
                "opens_at": window.opens_at.isoformat(),
                "closes_at": window.closes_at.isoformat(),
            }
        ],
    }
    done = client.patch(
        f"{ORDERS}/{order.pk}", body, format="json", HTTP_IF_MATCH='"1"'
    )
    assert done["ETag"] == '"1"'
    assert not Entry.objects.exists()


def test_patch_order_place_is_a_correction(client: APIClient, depot: Depot) -> None:
    order = OrderFactory(depot=depot)
    body = {"location": {"type": "Point", "coordinates": [11.3, 49.6]}}
    done = client.patch(
        f"{ORDERS}/{order.pk}", body, format="json", HTTP_IF_MATCH="*"
    ).json()
    assert done["location"] == body["location"]
    assert done["location_source"] == "corrected"


def test_patch_order_closed_is_refused(client: APIClient, depot: Depot) -> None:
    order = OrderFactory(depot=depot, status=OrderState.DELIVERED)
    answer = client.patch(
        f"{ORDERS}/{order.pk}", {"pieces": 2}, format="json", HTTP_IF_MATCH="*"
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/order-closed"


def test_cancel_order_twice_is_one_change(client: APIClient, depot: Depot) -> None:
    order = OrderFactory(depot=depot)
    path = f"{ORDERS}/{order.pk}/cancel"
    first = client.post(path, {"reason": "sold out"}, format="json")
    second = client.post(path, {}, format="json")
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.json()["version"] == first.json()["version"] == 2
    assert Entry.objects.get(kind="order.cancelled").payload["reason"] == "sold out"


def test_cancel_order_delivered_names_the_allowed_steps(
    client: APIClient, depot: Depot
) -> None:
    order = OrderFactory(depot=depot, status=OrderState.DELIVERED)
    answer = client.post(f"{ORDERS}/{order.pk}/cancel", {}, format="json")
    assert answer.status_code == 409
    assert answer.json()["allowed"] == ["failed", "open", "partial"]


def test_reschedule_order_failed_one_opens_again(
    client: APIClient, depot: Depot
) -> None:
    order = OrderFactory(depot=depot, status=OrderState.FAILED)
    TimeWindowFactory(order=order)
    body = {
        "service_date": "2026-03-18",
        "windows": [
            {
                "opens_at": "2026-03-18T08:00:00+01:00",
                "closes_at": "2026-03-18T12:00:00+01:00",
            }
        ],
    }
    done = client.post(f"{ORDERS}/{order.pk}/reschedule", body, format="json").json()
    assert (done["status"], done["service_date"]) == ("open", "2026-03-18")
    assert done["windows"] == body["windows"]
    payload = Entry.objects.get(kind="order.changed").payload
    assert payload["old_service_date"] == "2026-03-17"


def test_import_upload_is_done_in_the_background(client: APIClient) -> None:
    text = b"id;lat;lon\nA;49,51;11,28\nB;149,51;11,28\n"
    answer = client.post(
        "/api/v1/imports",
        {
            "file": SimpleUploadedFile("day.csv", text, "text/csv"),
            "depot": "lauf",
            "service_date": "2026-03-17",
            "columns": json.dumps({"reference": "id"}),
        },
        format="multipart",
    )
    assert answer.status_code == 202, answer.json()
    assert answer.json()["state"] == "queued"
    assert drain() == ["run_import"]
    status = client.get(answer["Location"]).json()
    assert (status["state"], status["created"], status["quarantined"]) == ("done", 1, 1)
    assert (status["rows"], status["rows_done"]) == (2, 2)
    file = client.get(answer["Location"] + "/quarantine")
    faults = QuarantinedRow.objects.get().faults
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.decode("utf-8-sig").splitlines()[:2] == [
        "id;lat;lon;fault;what to do",
        "B;149,51;11,28;lat: bad_coordinates;" + faults[0]["detail"],
    ]


def test_import_upload_refused_file_says_why(client: APIClient) -> None:
    upload = SimpleUploadedFile("x.csv", b"a,b\n1,2\n")
    answer = client.post(
        "/api/v1/imports", {"file": upload, "depot": "lauf"}, format="multipart"
    )
    assert drain() == ["run_import"]
    status = client.get(answer["Location"]).json()
    assert status["state"] == "refused"
    assert "Its columns are: a, b." in status["problem"]


def test_imports_of_another_depot_are_absent(client: APIClient) -> None:
    other = ImportRunFactory(depot=DepotFactory())
    assert client.get("/api/v1/imports").json()["results"] == []
    assert client.get(f"/api/v1/imports/{other.pk}").status_code == 404
    assert client.get(f"/api/v1/imports/{other.pk}/quarantine").status_code == 404


def test_run_import_twice_imports_once(client: APIClient, planner: User) -> None:
    upload = SimpleUploadedFile("x.csv", b"id,lat,lon\nA,49.51,11.28\n")
    client.post(
        "/api/v1/imports",
        {"file": upload, "depot": "lauf", "service_date": "2026-03-17"},
        format="multipart",
    )
    drain()
    run = ImportRun.objects.get()
    run_import(run_id=str(run.pk))
    assert Order.objects.count() == 1
    assert Entry.objects.filter(kind="orders.imported").count() == 1
    assert Entry.objects.get(kind="orders.imported").actor == f"user:{planner.pk}"
