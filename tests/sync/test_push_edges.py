"""Push at its edges: how much, whose, what is compared, and what HTTP says."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.throttling import SimpleRateThrottle

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.throttling import WindowThrottle
from apps.drivers.models import Device, Token
from apps.drivers.services import revoke_device
from apps.journal.models import FeedHead
from apps.journal.services import HoldersMoved
from apps.sync.handlers import HANDLERS
from apps.sync.kinds import PAYLOADS
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.schema import TABLES
from apps.sync.services import pushing
from apps.sync.services.mending import dismiss_event
from apps.sync.wire import MAX_BODY
from tests.sync.builders import Handheld, enrol, publish_day
from tests.sync.test_positions import anchored, at_work, send, told, track_of
from tests.sync.test_uploads import Sender, photo

pytestmark = pytest.mark.django_db

DOOR = "/api/sync/v1/push"
KINDS = {
    *("stop.enroute", "stop.arrived", "stop.succeeded", "stop.failed", "stop.partial"),
    *("stop.reopened", "stop.note", "exception.reported", "override.requested"),
    *("feedback.given", "survey.answered", "plan.acknowledged", "shift.started"),
    *("shift.paused", "shift.ended", "device.status", "event.corrected"),
}


def bare(device: Handheld, body: bytes) -> Any:
    device.sign(device.session_token)
    text = body.decode()
    return device.client.generic("POST", DOOR, text, content_type="application/json")


def test_kinds_are_those_of_the_protocol() -> None:
    assert PAYLOADS.keys() == HANDLERS.keys() == KINDS


@pytest.mark.parametrize(("rows", "status"), [(500, 200), (501, 413)])
def test_push_of_five_hundred_rows_is_taken_and_one_more_is_not(
    rows: int, status: int
) -> None:
    """Rows of all tables count."""
    device = enrol(publish_day().driver)
    stops = [{"id": f"s{n}"} for n in range(rows - 1)]
    changes = {
        "events": {"created": [device.event("device.status")]},
        "stops": {"updated": stops},
    }
    response = device.push_raw({"changes": changes})
    assert response.status_code == status
    assert DeviceEvent.objects.count() == (status == 200)
    if status == 200:
        assert len(response.json()["results"]) == rows


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413)])
def test_push_of_a_mebibyte_is_taken_and_one_byte_more_is_not(
    size: int, status: int
) -> None:
    device = enrol(publish_day().driver)
    event = json.dumps(device.event("device.status"))
    body = b'{"changes": {"events": {"created": [' + event.encode() + b"]}}}"
    assert MAX_BODY == 1024 * 1024
    assert bare(device, body.ljust(size)).status_code == status
    assert DeviceEvent.objects.count() == (status == 200)


def test_push_id_of_sixty_four_characters_is_kept() -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.arrived", day.stops[0]) | {"id": "i" * 64}
    assert device.verdicts(event) == [("applied", "ok")]


def test_push_carries_every_table_and_server_columns() -> None:
    """A client library sends all that it keeps, empty tables and its own columns."""
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.arrived", day.stops[0])
    event |= {"_status": "created", "_changed": "", "result": None, "tries": 1}
    empty: dict[str, list[Any]] = {"created": [], "updated": [], "deleted": []}
    changes = {table.name: empty for table in TABLES}
    changes["events"] = empty | {"created": [event]}
    for _ in range(2):
        answer = device.push_raw({"changes": changes}).json()
        assert len(answer["results"]) == 1
    assert answer["results"][0]["original"]["code"] == "ok"
    updated = {"events": {"updated": [event]}}
    [again] = device.push_raw({"changes": updated}).json()["results"]
    assert (again["result"], again["code"]) == ("duplicate", "ok")


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("seq", 2, "id_reused"),
        ("kind", "stop.enroute", "id_reused"),
        ("stop_id", "another", "id_reused"),
        ("payload", '{"note": "x"}', "id_reused"),
        ("device_time", 1_700_000_000_000, "id_reused"),
        ("mono_ms", 77, "id_reused"),
        ("boot_id", "another", "id_reused"),
        ("depends_on", "another", "id_reused"),
        ("payload", "{ }", "ok"),
        ("payload", {}, "ok"),
        ("_status", "synced", "ok"),
        ("received_at", 5, "ok"),
        ("result", "applied", "ok"),
    ],
)
def test_repeated_id_is_compared_by_what_the_device_owns(
    column: str, value: Any, code: str
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.arrived", day.stops[0])
    device.push(event)
    [row] = device.push(event | {column: value})
    assert row["code"] == code
    assert row["result"] == ("duplicate" if code == "ok" else "rejected")


@pytest.mark.parametrize("table", [*(each.name for each in TABLES), "nonsense"])
def test_write_to_a_table_of_ours_is_refused_kept_and_undone(table: str) -> None:
    device = enrol(publish_day().driver)
    device.pull()
    row = {"id": "made-up", "kind": "delivery", "status": "succeeded"}
    changes = {table: {"created": [row], "updated": [row], "deleted": ["gone"]}}
    for _ in range(2):
        results = device.push_raw({"changes": changes}).json()["results"]
        assert [(each["result"], each["code"], each["id"]) for each in results] == [
            ("rejected", "read_only_table", "made-up"),
            ("rejected", "read_only_table", "made-up"),
            ("rejected", "read_only_table", "gone"),
        ]
    kept = QuarantinedEvent.objects.order_by("event_id")
    assert [each.body for each in kept] == ["gone", row]
    assert {each.detail for each in kept} == {f"A device does not write {table}."}
    page = device.page(last_pulled_at=device.pulled_at)
    sent = {name: each["deleted"] for name, each in page["changes"].items()}
    wanted = {table: ["gone", "made-up"]} if table != "nonsense" else {}
    assert {name: ids for name, ids in sent.items() if ids} == wanted


def test_dismissed_write_to_a_table_of_ours_is_no_kind_of_event() -> None:
    device = enrol(publish_day().driver)
    changes = {"orders": {"updated": [{"id": "o1", "kind": "delivery"}]}}
    device.push_raw({"changes": changes})
    aside = QuarantinedEvent.objects.get()
    dismiss_event(quarantined_id=aside.pk, reason="App", by=SYSTEM, now=clock.now())
    device.pull()
    [row] = device.tables["event_results"].values()
    assert (row["kind"], row["code"], row["corrects"]) == ("", "dismissed", "o1")


def test_event_that_is_taken_back_is_kept_for_the_office() -> None:
    device = enrol(publish_day().driver)
    body = {"changes": {"events": {"created": [], "deleted": ["abc"]}}}
    [row] = device.push_raw(body).json()["results"]
    assert row["code"] == "delete_not_allowed"
    aside = QuarantinedEvent.objects.get()
    assert (aside.code, aside.body) == ("delete_not_allowed", "abc")


def test_push_moves_each_feed_by_one_number() -> None:
    day = publish_day()
    device = enrol(day.driver)
    before = FeedHead.objects.get(pk=day.driver.pk).head
    events = [device.event("stop.arrived", stop) for stop in day.stops]
    events += [device.event("stop.succeeded", stop) for stop in day.stops]
    body = {"changes": {"events": {"created": events}}}
    answer = device.push_raw(body).json()
    assert answer["head"] == before + 1
    assert FeedHead.objects.get(pk=day.driver.pk).head == before + 1


@pytest.mark.parametrize("door", ["push", "pull"])
def test_too_many_requests_are_a_429_with_retry_after(
    door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = enrol(publish_day().driver)
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "device", "2/min")
    monkeypatch.setattr(WindowThrottle, "_shares", {})
    cache.clear()
    for _ in range(3):
        body = {"changes": {"events": {"created": [device.event("device.status")]}}}
        response = device.push_raw(body) if door == "push" else device.get()
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60
    assert DeviceEvent.objects.count() == (2 if door == "push" else 0)


def test_push_that_begins_again_too_often_is_a_503_with_retry_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def moved(*_: Any) -> None:
        raise HoldersMoved(())

    device = enrol(publish_day().driver)
    monkeypatch.setattr(pushing, "check_locked", moved)
    monkeypatch.setattr(pushing, "held_events", moved)
    body = {"changes": {"events": {"created": [device.event("device.status")]}}}
    response = device.push_raw(body)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json()["type"] == "/problems/busy"
    assert not DeviceEvent.objects.exists()
    monkeypatch.undo()
    assert device.push_raw(body).json()["results"][0]["code"] == "ok"


def test_old_app_may_push_what_it_holds() -> None:
    day = publish_day()
    device = enrol(day.driver)
    assert device.get(schema_version=0).status_code == 426
    device.sign(device.session_token)
    body = {"changes": {"events": {"created": [device.event("device.status")]}}}
    response = device.client.generic(
        *("POST", f"{DOOR}?schema_version=0", json.dumps(body)),
        content_type="application/json",
    )
    assert response.json()["results"][0]["result"] == "applied"


def test_push_that_is_a_401_takes_nothing_and_may_come_again() -> None:
    day = publish_day()
    device = enrol(day.driver)
    body = {"changes": {"events": {"created": [device.event("device.status")]}}}
    refused = device.push_raw(body, token="0" * 64)
    assert refused.status_code == 401
    assert refused["Content-Type"] == "application/problem+json"
    assert not DeviceEvent.objects.exists()
    assert not QuarantinedEvent.objects.exists()
    assert device.push_raw(body).json()["results"][0]["result"] == "applied"


@pytest.mark.parametrize("action", ["drain_then_wipe", "wipe"])
def test_lost_device_is_told_what_to_do_at_every_door(action: str) -> None:
    device = enrol(publish_day().driver)
    revoke_device(device_id=device.device_id, action=action, by=SYSTEM, now=clock.now())
    event = device.event("stop.note", "x", note="held")
    body = {"changes": {"events": {"created": [event]}}}
    answers = [device.get()]
    device.sign(device.device_token)
    answers.append(device.client.post("/api/sync/v1/session"))
    if action == "wipe":
        tus = Sender(device).create(photo(), "p")
        answers += [device.push_raw(body), send(device, {"tracks": []}), tus]
    for answer in answers:
        problem = json.loads(answer.content)
        assert answer.status_code == 403
        assert (problem["code"], problem["action"]) == ("device_revoked", action)
    assert QuarantinedEvent.objects.count() == (action == "wipe")


def test_expired_session_blocks_no_evidence() -> None:
    day, device = at_work()
    past = clock.now() - timedelta(days=2)
    Token.objects.filter(purpose="session").update(expiry=past)
    assert device.get().status_code == 401
    event = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(event) == [("applied", "ok")]
    tracks = {"tracks": [track_of(3)], "device": anchored()}
    assert told(send(device, tracks))["stored"] == 3
    tus = Sender(device, token=device.session_token)
    url = tus.create(photo(), "p1")["Location"]
    assert tus.send(url, photo(), 0).status_code == 204


def test_places_are_not_stuck_behind_the_queue_of_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, device = at_work()

    def moved(*_: Any) -> None:
        raise HoldersMoved(())

    monkeypatch.setattr(pushing, "check_locked", moved)
    monkeypatch.setattr(pushing, "held_events", moved)
    body = {"changes": {"events": {"created": [device.event("device.status")]}}}
    assert device.push_raw(body).status_code == 503
    tracks = {"tracks": [track_of(5)], "device": anchored()}
    assert told(send(device, tracks))["stored"] == 5


def test_instant_does_not_go_by_when_the_batch_was_sent() -> None:
    day = publish_day(now=clock.now() - timedelta(hours=2))
    device = enrol(day.driver)
    began = clock.now() - timedelta(hours=1)
    Device.objects.update(enrolled_at=began - timedelta(hours=1))
    anchor = {"boot_id": "b", "mono_ms": 0, "server_time": began.isoformat()}
    for number, sent_ms in enumerate([0, 60_000, 9_000_000]):
        clocks = {"boot_id": "b", "mono_ms": 60_000 * (number + 1)}
        event = device.event("device.status") | clocks
        told = {"sent_mono_ms": sent_ms, "anchors": [{**anchor, "rtt_ms": 100}]}
        device.push(event, boot_id="b", **told)
    rows = DeviceEvent.objects.order_by("seq")
    assert [row.occurred_at - began for row in rows] == [
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=3),
    ]
    assert [row.uncertainty_ms for row in rows] == [53, 56, 59]


def test_wall_clock_is_less_its_last_known_offset() -> None:
    """After a reboot no anchor counts; how wrong the wall clock goes is known before."""
    day = publish_day(now=clock.now() - timedelta(hours=2))
    device = enrol(day.driver)
    began = clock.now() - timedelta(hours=1)
    Device.objects.update(enrolled_at=began - timedelta(hours=1))
    wrong = timedelta(minutes=47)
    anchor = {"boot_id": "a", "mono_ms": 0, "server_time": began.isoformat()}

    def event(boot: str, mono_ms: int, true_at: Any) -> dict[str, Any]:
        wall = {"device_time": round((true_at + wrong).timestamp() * 1000)}
        return (
            device.event("device.status") | wall | {"boot_id": boot, "mono_ms": mono_ms}
        )

    device.push(
        event("a", 60_000, began + timedelta(minutes=1)),
        anchors=[anchor | {"rtt_ms": 0}],
    )
    later = began + timedelta(minutes=30)
    device.push(event("b", 5, later))
    first, second = DeviceEvent.objects.order_by("seq")
    assert (first.time_quality, second.time_quality) == ("mono", "wall")
    assert abs(second.occurred_at - later) < timedelta(milliseconds=2)
    assert second.uncertainty_ms == 60_000
