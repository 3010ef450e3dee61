"""Enrolment, session, time and schema at the device's door."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Device, Driver, Token
from apps.drivers.services import create_enrolment_code, revoke_device
from apps.sync import services
from apps.sync.schema import SCHEMA_VERSION
from tests.factories import DriverFactory, UserFactory
from tests.sync.builders import enrol, publish_day

pytestmark = pytest.mark.django_db

ENROL, SESSION = "/api/sync/v1/enrol", "/api/sync/v1/session"
PASSWORD = "secret-password"  # noqa: S105 - the factories give it


def answer(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body: dict[str, Any] = json.loads(response.content)
    return body


def code_for(driver: Driver) -> str:
    return create_enrolment_code(driver_id=driver.pk, by=SYSTEM, now=clock.now())[1]


def test_enrol_gives_a_device_its_credentials_once() -> None:
    driver = DriverFactory(language="de")
    code = code_for(driver)
    body = {"code": code.lower().replace("-", " "), "name": "H1", "platform": "web"}
    shown = answer(APIClient().post(ENROL, body), 201)
    assert shown["driver"] == {
        "id": str(driver.pk),
        "name": driver.name,
        "language": "de",
    }
    assert shown["server_time"].endswith("Z")
    device = Device.objects.get(pk=shown["device_id"])
    assert (device.name, device.platform) == ("H1", "web")
    again = answer(APIClient().post(ENROL, body), 403)
    assert again["type"] == "/problems/enrolment-code-refused"
    assert Device.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"code": 5}, {"code": ""}])
def test_enrol_without_a_code_is_a_400(body: dict[str, Any]) -> None:
    answer(APIClient().post(ENROL, body), 400)


def test_enrol_is_throttled(settings: Settings) -> None:
    for _ in range(40):
        response = APIClient().post(ENROL, {"code": "0000-0000-0000"})
        if response.status_code == 429:
            break
    answer(response, 429)
    assert int(response["Retry-After"]) > 0


def test_session_is_renewed_without_the_office() -> None:
    device = enrol(publish_day().driver)
    Token.objects.filter(purpose="session").update(
        expiry=clock.now() - timedelta(days=1)
    )
    assert device.get().status_code == 401
    device.sign(device.device_token)
    shown = answer(device.client.post(SESSION), 201)
    device.session_token = shown["session_token"]
    assert device.get().status_code == 200


def test_session_of_another_driver_takes_the_device_over() -> None:
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    device = enrol(day.driver)
    device.sign(device.device_token)
    credentials = {"username": other.driver.user.username, "password": "wrong"}
    answer(device.client.post(SESSION, credentials), 401)
    credentials["password"] = PASSWORD
    shown = answer(device.client.post(SESSION, credentials), 201)
    assert shown["driver"]["id"] == str(other.driver.pk)
    assert device.get().status_code == 401
    event = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(event) == [("applied", "ok")]
    page = answer(device.get(token=shown["session_token"]), 200)
    ids = {row["id"] for row in page["changes"]["stops"]["updated"]}
    assert ids == {str(stop.pk) for stop in other.stops}


@pytest.mark.parametrize("who", ["office", "other depot", "inactive"])
def test_session_of_one_who_does_not_drive_here_is_refused(who: str) -> None:
    device = enrol(publish_day().driver)
    if who == "office":
        user = UserFactory()
    else:
        user = DriverFactory(is_active=who != "inactive").user
    device.sign(device.device_token)
    credentials = {"username": user.username, "password": "secret-password"}
    problem = answer(device.client.post(SESSION, credentials), 403)
    assert problem["type"] == "/problems/driver-refused"


def test_session_on_a_revoked_device_is_refused_with_the_action() -> None:
    device = enrol(publish_day().driver)
    revoke_device(
        device_id=device.device_id,
        action="drain_then_wipe",
        by=SYSTEM,
        now=clock.now(),
    )
    device.sign(device.device_token)
    problem = answer(device.client.post(SESSION), 403)
    assert problem["action"] == "drain_then_wipe"


def test_api_clients_token_opens_no_devices_door() -> None:
    device = enrol(publish_day().driver)
    user = device.driver.user
    client = APIClient()
    client.login(username=user.username, password=PASSWORD)
    token = client.post("/api/v1/auth/token").json()["token"]
    assert device.get(token=token).status_code == 401
    assert device.push_raw({"changes": {}}, token=token).status_code == 401


def test_devices_token_opens_no_offices_door() -> None:
    device = enrol(publish_day().driver)
    for token in (device.device_token, device.session_token):
        device.sign(token)
        assert device.client.get("/api/v1/drivers").status_code in {401, 403}


def test_database_that_is_too_busy_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    device = enrol(publish_day().driver)

    def locked(**_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(services, "accept_events", locked)
    response = device.push_raw({"changes": {}})
    assert answer(response, 503)["type"] == "/problems/busy"
    assert response["Retry-After"] == "5"


def test_time_and_schema_are_told() -> None:
    device = enrol(publish_day().driver)
    device.sign(device.device_token)
    answer(device.client.get("/api/sync/v1/time"), 200)
    told = answer(APIClient().get("/api/sync/v1/schema"), 200)
    assert told["version"] == SCHEMA_VERSION
    names = [table["name"] for table in told["tables"]]
    assert names[:3] == ["routes", "stops", "orders"]
    answer(APIClient().get("/api/sync/v1/time"), 401)
