"""Push: the envelope, who may send it, and by which clocks it is dated."""

import json
from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Driver, Token
from apps.drivers.services import revoke_device
from apps.journal.models import Change
from apps.sync.models import DeviceAnchor, DeviceEvent
from tests.sync.builders import (
    enrol,
    publish_day,
)

pytestmark = pytest.mark.django_db


def test_push_to_our_tables_is_refused_and_our_state_sent_again() -> None:
    day, other = publish_day(), publish_day()
    device = enrol(day.driver)
    device.pull()
    mine, foreign = str(day.stops[0].pk), str(other.stops[0].pk)
    device.tables["stops"][mine]["status"] = "succeeded"
    device.tables["stops"][foreign] = {"id": foreign}
    body = {
        "changes": {
            "events": {"created": [], "updated": [], "deleted": []},
            "orders": {"created": [], "updated": [], "deleted": []},
            "stops": {
                "updated": [device.tables["stops"][mine], {"id": foreign}],
                "deleted": [],
            },
        }
    }
    results = json.loads(device.push_raw(body).content)["results"]
    assert {row["code"] for row in results} == {"read_only_table"}
    device.pull()
    assert device.tables["stops"][mine]["status"] == "pending"
    assert device.tables == device.snapshot()


def test_push_taking_an_event_back_is_refused() -> None:
    device = enrol(publish_day().driver)
    body = {"changes": {"events": {"created": [], "deleted": ["abc"]}}}
    row = json.loads(device.push_raw(body).content)["results"][0]
    assert (row["result"], row["code"]) == ("rejected", "delete_not_allowed")


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"changes": 5}', '{"changes": {"events": 1}}']
)
def test_push_that_is_not_of_this_shape_is_a_400(body: str) -> None:
    device = enrol(publish_day().driver)
    device.sign(device.session_token)
    response = device.client.generic("POST", "/api/sync/v1/push", body)
    assert response.status_code == 415
    response = device.client.generic(
        "POST", "/api/sync/v1/push", body, content_type="application/json"
    )
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_push_of_too_much_is_a_413() -> None:
    device = enrol(publish_day().driver)
    rows = [{"id": str(n)} for n in range(501)]
    assert (
        device.push_raw({"changes": {"events": {"created": rows}}}).status_code == 413
    )
    heavy = {"changes": {"events": {"created": ["x" * 2**20]}}}
    assert device.push_raw(heavy).status_code == 413


def test_push_half_a_character_in_the_body_fails_its_row_alone() -> None:
    day = publish_day()
    device = enrol(day.driver)
    good = device.event("stop.succeeded", day.stops[0])
    rows = json.dumps([{"id": "\ud83d", "seq": 1, "kind": "stop.note"}, good])
    device.sign(device.session_token)
    response = device.client.generic(
        "POST",
        "/api/sync/v1/push",
        '{"changes": {"events": {"created": ' + rows + "}}}",
        content_type="application/json",
    )
    results = json.loads(response.content)["results"]
    assert [row["result"] for row in results] == ["rejected", "applied"]


def test_push_without_a_devices_credential_is_a_401() -> None:
    day = publish_day()
    device = enrol(day.driver)
    assert device.push_raw({"changes": {}}, token="0" * 64).status_code == 401
    device.client.credentials()
    response = device.client.post("/api/sync/v1/push", {"changes": {}}, format="json")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"


def test_push_with_an_expired_session_is_taken_and_pull_is_not() -> None:
    day = publish_day()
    device = enrol(day.driver)
    Token.objects.filter(purpose="session").update(
        expiry=clock.now() - timedelta(days=3)
    )
    event = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(event) == [("applied", "ok")]
    response = device.get()
    assert response.status_code == 401
    assert json.loads(response.content)["type"] == "/problems/session-needed"


def test_push_of_a_driver_who_works_no_more_is_taken_and_pull_is_not() -> None:
    day = publish_day()
    device = enrol(day.driver)
    Driver.objects.update(is_active=False)
    event = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(event) == [("applied", "ok")]
    assert device.get().status_code == 401


@pytest.mark.parametrize(
    ("action", "may_push"), [("drain_then_wipe", True), ("wipe", False)]
)
def test_push_of_a_revoked_device_by_action(action: str, *, may_push: bool) -> None:
    day = publish_day()
    device = enrol(day.driver)
    revoke_device(device_id=device.device_id, action=action, by=SYSTEM, now=clock.now())
    for token in (device.device_token, device.session_token):
        pulled = device.get(token=token)
        assert pulled.status_code == 403
        problem = json.loads(pulled.content)
        assert (problem["code"], problem["action"]) == ("device_revoked", action)
        event = device.event("stop.note", day.stops[0], note="still here")
        body = {"changes": {"events": {"created": [event]}}}
        status = device.push_raw(body, token=token).status_code
        assert status == (200 if may_push else 403)


def test_push_keeps_anchors_and_dates_events_by_them() -> None:
    day = publish_day()
    device = enrol(day.driver)
    now = clock.now()
    anchor = {
        "boot_id": "b1",
        "mono_ms": 1000.4,
        "server_time": (now - timedelta(minutes=10)).isoformat(),
        "rtt_ms": 80,
    }
    event = device.event("stop.succeeded", day.stops[0])
    event |= {"boot_id": "b1", "mono_ms": 61_000, "device_time": "1999-01-01T00:00:00Z"}
    future = {**anchor, "mono_ms": 1, "server_time": "2199-01-01T00:00:00Z"}
    device.push(event, boot_id="b1", sent_mono_ms=601_000, anchors=[anchor, future])
    row = DeviceEvent.objects.get()
    assert row.time_quality == "mono"
    assert row.occurred_at == now - timedelta(minutes=9)
    assert row.uncertainty_ms == 43
    assert DeviceAnchor.objects.count() == 1


def test_push_tells_only_the_own_feed_of_results() -> None:
    day, other = publish_day(), publish_day()
    device = enrol(day.driver)
    device.push(device.event("stop.succeeded", day.stops[0]))
    told = Change.objects.filter(table="event_results").values_list("scope", flat=True)
    assert set(told) == {day.driver.pk}
    assert other.driver.pk not in set(told)


@pytest.mark.parametrize(
    "clocks",
    [
        {"device_time": 1e300},
        {"device_time": "yesterday"},
        {"device_time": {}},
        {"mono_ms": -5},
        {"mono_ms": "x"},
        {"boot_id": "b" * 100},
        {"boot_id": 7, "mono_ms": 3.7, "device_time": None},
    ],
)
def test_push_with_mad_clocks_is_kept_all_the_same(clocks: dict[str, Any]) -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.succeeded", day.stops[0]) | clocks
    assert device.verdicts(event) == [("applied", "ok")]
    row = DeviceEvent.objects.get()
    assert row.occurred_at <= row.received_at
