"""The office's door: shapes, permissions, depots, versions, keys."""

import base64
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from apps.drivers.models import Device, Driver, Shift, Token, Vehicle
from tests.factories import (
    NOW,
    DepotFactory,
    DepotMembershipFactory,
    DeviceFactory,
    DriverFactory,
    ShiftFactory,
    UserFactory,
    VehicleFactory,
)
from tests.qr import modules_of, read

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
VAN = {"name": "Van 9", "capacity_g": 1, "capacity_ml": 2, "capacity_pieces": 3}


def office(depot: Any, *permissions: str) -> APIClient:
    """Return a client of a user of the depot with permissions such as `add_driver`."""
    user: User = UserFactory()
    DepotMembershipFactory(depot=depot, user=user)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = APIClient()
    client.force_login(user)
    return client


def test_drivers_of_other_depots_are_absent() -> None:
    mine, foreign = DriverFactory(), DriverFactory()
    client = office(mine.depot, "view_driver")
    rows = client.get(f"{V1}/drivers").json()["results"]
    assert [row["id"] for row in rows] == [str(mine.pk)]
    assert client.get(f"{V1}/drivers/{mine.pk}")["ETag"] == '"1"'
    assert client.get(f"{V1}/drivers/{foreign.pk}").status_code == 404


@pytest.mark.parametrize("what", ["drivers", "vehicles", "shifts", "devices"])
def test_reading_needs_a_permission(what: str) -> None:
    assert APIClient().get(f"{V1}/{what}").status_code in {401, 403}
    assert office(DepotFactory()).get(f"{V1}/{what}").status_code == 403


def test_hire_driver_once_a_key() -> None:
    depot = DepotFactory()
    client = office(depot, "add_driver")
    body = {
        "depot": str(depot.pk),
        "username": "ada",
        "name": "Ada",
        "phone": "+4991230000",
        "skills": ["heavy"],
    }
    first = client.post(f"{V1}/drivers", body, HTTP_IDEMPOTENCY_KEY="k1")
    again = client.post(f"{V1}/drivers", body, HTTP_IDEMPOTENCY_KEY="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    driver = Driver.objects.get()
    assert not driver.user.has_usable_password()
    taken = client.post(f"{V1}/drivers", body)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/name-taken")


@pytest.mark.parametrize(
    ("fault", "pointer"),
    [
        ({"phone": "0911 1234"}, "/phone"),
        ({"language": "xx"}, "/language"),
        ({"password": "12345"}, "/password"),
        ({"depot": "foreign"}, "/depot"),
    ],
)
def test_hire_driver_with_a_fault(fault: dict[str, str], pointer: str) -> None:
    depot = DepotFactory()
    if fault.get("depot"):
        fault = {"depot": str(DepotFactory().pk)}
    body = {"depot": str(depot.pk), "username": "ada", "name": "Ada", **fault}
    response = office(depot, "add_driver").post(f"{V1}/drivers", body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer
    assert not Driver.objects.exists()


def test_change_driver_needs_the_version_that_was_read() -> None:
    driver = DriverFactory()
    client = office(driver.depot, "change_driver")
    url = f"{V1}/drivers/{driver.pk}"
    assert client.patch(url, {"name": "New"}).status_code == 428
    done = client.patch(url, {"name": "New"}, HTTP_IF_MATCH='"1"')
    assert (done.status_code, done["ETag"]) == (200, '"2"')
    assert client.patch(url, {"name": "x"}, HTTP_IF_MATCH='"1"').status_code == 412


def test_vehicle_is_added_changed_and_has_a_name_of_its_own() -> None:
    depot = DepotFactory()
    client = office(depot, "add_vehicle", "change_vehicle")
    body = {"depot": str(depot.pk), **VAN}
    added = client.post(f"{V1}/vehicles", body)
    assert added.status_code == 201
    assert client.post(f"{V1}/vehicles", body).status_code == 409
    url = f"{V1}/vehicles/{added.json()['id']}"
    assert client.patch(url, {"type": "bike"}, HTTP_IF_MATCH="*").status_code == 200
    VehicleFactory(depot=depot, name="Other")
    taken = client.patch(url, {"name": "Other"}, HTTP_IF_MATCH="*")
    assert taken.status_code == 409
    assert Vehicle.objects.get(pk=added.json()["id"]).type_id == "bike"


def test_shift_is_planned_changed_and_cancelled() -> None:
    driver = DriverFactory()
    van = VehicleFactory(depot=driver.depot)
    client = office(driver.depot, "add_shift", "change_shift")
    body = {
        "driver": str(driver.pk),
        "vehicle": str(van.pk),
        "service_date": "2026-03-17",
        "starts_at": "2026-03-17T06:00:00+01:00",
        "ends_at": "2026-03-17T14:00:00+01:00",
        "breaks": [
            {
                "opens_at": "2026-03-17T10:00:00+01:00",
                "closes_at": "2026-03-17T11:00:00+01:00",
                "duration_s": 1800,
            }
        ],
    }
    planned = client.post(f"{V1}/shifts", body)
    assert planned.status_code == 201, planned.json()
    assert client.post(f"{V1}/shifts", body).status_code == 409
    url = f"{V1}/shifts/{planned.json()['id']}"
    longer = {"ends_at": "2026-03-17T15:00:00+01:00"}
    changed = client.patch(url, longer, HTTP_IF_MATCH='"1"')
    assert changed.status_code == 200
    assert len(changed.json()["breaks"]) == 1
    assert client.post(f"{url}/cancel", HTTP_IF_MATCH='"1"').status_code == 412
    assert client.post(f"{url}/cancel", HTTP_IF_MATCH='"2"').status_code == 200
    again = client.post(f"{url}/cancel", HTTP_IF_MATCH="*")
    assert (again.status_code, again.json()["allowed"]) == (409, [])


def test_cancel_shift_needs_the_right_to_change() -> None:
    shift = ShiftFactory()
    client = office(shift.depot, "add_shift", "view_shift")
    url = f"{V1}/shifts/{shift.pk}/cancel"
    assert client.post(url, HTTP_IF_MATCH="*").status_code == 403
    assert Shift.objects.get().status == "planned"


def test_enrolment_code_comes_with_a_qr_and_needs_its_own_right() -> None:
    driver = DriverFactory()
    url = f"{V1}/drivers/{driver.pk}/enrolment-codes"
    assert office(driver.depot, "add_driver").post(url).status_code == 403
    shown = office(driver.depot, "add_enrolmentcode").post(url)
    assert shown.status_code == 201
    assert shown["Cache-Control"] == "no-store"
    head, _, picture = shown.json()["qr"].partition(",")
    assert head.startswith("data:image/svg+xml")
    said = read(modules_of(unquote(picture)))
    assert said.startswith("roundsman://enrol?")
    assert shown.json()["code"] in said
    foreign = office(DepotFactory(), "add_enrolmentcode").post(url)
    assert foreign.status_code == 404


def test_device_is_revoked_by_the_office() -> None:
    device = DeviceFactory(enrolled_at=NOW)
    client = office(device.depot, "change_device", "view_device")
    url = f"{V1}/devices/{device.pk}"
    assert client.post(f"{url}/revoke", {"action": "explode"}).status_code == 400
    assert client.post(f"{url}/revoke", {"action": "wipe"}).status_code == 200
    assert client.post(f"{url}/revoke", {"action": "wipe"}).status_code == 409
    assert client.get(url).json()["status"] == "revoked"
    assert Device.objects.get().revoked_by.startswith("user:")


def test_api_token_is_made_by_password_used_and_withdrawn() -> None:
    user = UserFactory()
    text = base64.b64encode(f"{user.username}:secret-password".encode()).decode()
    client = APIClient(HTTP_AUTHORIZATION=f"Basic {text}")
    made = client.post(f"{V1}/auth/token")
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    assert APIClient().post(f"{V1}/auth/token").status_code == 401
    bearer = APIClient(HTTP_AUTHORIZATION=f"Token {made.json()['token']}")
    assert bearer.delete(f"{V1}/auth/token").status_code == 204
    assert bearer.delete(f"{V1}/auth/token").status_code == 401
    assert not Token.objects.exists()
