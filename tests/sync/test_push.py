"""Push: every exit of every row, once each, and nothing twice."""

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from apps.core import clock
from apps.drivers.models import Shift
from apps.drivers.states import ShiftState
from apps.journal.models import Entry
from apps.routes.models import PlanChange, Stop, StopEvent
from apps.routes.services import stops as stop_services
from apps.sync import handlers
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.vocabulary import VALUES
from tests.sync.builders import (
    Handheld,
    cancel_order,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
    results_of,
)

pytestmark = pytest.mark.django_db


def content() -> dict[str, list[dict[str, Any]]]:
    """All that a push may write, apart from counters of the feed."""
    tables: list[Any] = [
        DeviceEvent,
        StopEvent,
        Stop,
        Shift,
        QuarantinedEvent,
        PlanChange,
    ]
    held = {
        table.__name__: list(table.objects.order_by("pk").values()) for table in tables
    }
    entries = Entry.objects.order_by("pk").values("kind", "subject_id", "payload")
    return {**held, "Entry": list(entries)}


def shuffled(batch: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    return random.Random(seed).sample(batch, len(batch))  # noqa: S311 - an order


def full_day(device: Handheld, stops: list[Stop], shift: Shift) -> list[dict[str, Any]]:
    a, b, c = stops
    return [
        device.event("shift.started", shift_id=str(shift.pk)),
        device.event("stop.enroute", a),
        device.event("stop.arrived", a),
        device.event("stop.succeeded", a, received_by="neighbour"),
        device.event("stop.note", b, note="Bell is broken"),
        device.event("stop.failed", b, reason="not_home"),
        device.event("stop.partial", c, pieces=1),
        device.event("shift.paused", shift_id=str(shift.pk)),
        device.event("shift.started", shift_id=str(shift.pk)),
        device.event("shift.ended"),
        device.event("device.status", battery_percent=40, unsent=3),
    ]


def test_push_that_cannot_be_written_in_one_go_is_judged_event_by_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    a, b, _ = day.stops
    events = [
        device.event("stop.arrived", a),
        device.event("stop.note", a, note="Bell is broken"),
        device.event("stop.succeeded", b),
    ]
    write = stop_services._write

    def broken(visits: Iterable[Any], taken: Any) -> None:
        seen = list(visits)
        fresh = [report for each in seen for report, _ in each.fresh]
        write(seen, taken)
        if any(report.kind == "stop.note" for report in fresh):
            raise ValueError("nobody has thought of this")

    monkeypatch.setattr(stop_services, "_write", broken)
    assert device.verdicts(*events) == [
        ("applied", "ok"),
        ("retry", "internal"),
        ("applied", "ok"),
    ]
    kinds = StopEvent.objects.order_by("device_seq").values_list("kind", flat=True)
    assert list(kinds) == ["stop.arrived", "stop.succeeded"]
    told = Entry.objects.filter(kind__startswith="stop.").values_list("kind", flat=True)
    assert sorted(told) == ["stop.arrived", "stop.succeeded"]
    monkeypatch.undo()
    assert device.verdicts(*events) == [
        ("duplicate", "ok"),
        ("applied", "ok"),
        ("duplicate", "ok"),
    ]


def test_push_applies_a_whole_day() -> None:
    day = publish_day()
    device = enrol(day.driver)
    results = device.push(*full_day(device, day.stops, day.shift))
    assert {(row["result"], row["code"]) for row in results} == {("applied", "ok")}
    statuses = Stop.objects.order_by("sequence").values_list("status", flat=True)
    assert list(statuses) == ["succeeded", "failed", "partial"]
    day.shift.refresh_from_db()
    assert day.shift.status == ShiftState.ENDED
    device.pull()
    assert device.tables == device.snapshot()
    assert len(device.tables["event_results"]) == 11
    assert device.tables["routes"][str(day.route.pk)]["shift_status"] == "ended"


def test_push_same_batch_three_times_in_any_order_changes_nothing() -> None:
    day = publish_day()
    device = enrol(day.driver)
    batch = full_day(device, day.stops, day.shift)
    batch.append(device.event("stop.failed", day.stops[0], reason="nonsense"))
    batch.append(device.event("stop.failed", "somebody-elses", reason="other"))
    batch = shuffled(batch, 7)
    first = results_of(device.push(*batch))
    after = content()
    for seed in (1, 2):
        batch = shuffled(batch, seed)
        again = device.push(*batch)
        assert {row["result"] for row in again} == {"duplicate"}
        originals = {
            row["id"]: (row["original"]["result"], row["original"]["code"])
            for row in again
        }
        assert originals == first
        assert content() == after


def test_push_answers_in_the_order_of_the_rows() -> None:
    day = publish_day()
    device = enrol(day.driver)
    batch = full_day(device, day.stops, day.shift)[::-1]
    assert [row["id"] for row in device.push(*batch)] == [row["id"] for row in batch]


def test_push_same_id_with_another_body_is_refused_and_kept() -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.enroute", day.stops[0])
    device.push(event)
    forged = {**event, "kind": "stop.arrived"}
    assert device.verdicts(forged, event) == [
        ("rejected", "id_reused"),
        ("duplicate", "ok"),
    ]
    assert QuarantinedEvent.objects.get().body["kind"] == "stop.arrived"
    assert Stop.objects.get(pk=day.stops[0].pk).status == "enroute"


def test_push_same_id_twice_in_one_batch_counts_once() -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.succeeded", day.stops[0])
    other = {**event, "kind": "stop.partial", "payload": '{"pieces": 1}'}
    assert device.verdicts(event, dict(event), other) == [
        ("applied", "ok"),
        ("duplicate", "ok"),
        ("rejected", "id_reused"),
    ]
    assert StopEvent.objects.count() == 1


def test_push_another_drivers_event_id_tells_nothing_of_it() -> None:
    day, other = publish_day(), publish_day()
    event = enrol(day.driver)
    row = event.event("stop.succeeded", day.stops[0])
    event.push(row)
    stranger = enrol(other.driver)
    result = stranger.push(row)[0]
    assert (result["result"], result["code"]) == ("rejected", "id_reused")
    assert "original" not in result
    assert DeviceEvent.objects.get().driver_id == day.driver.pk


def test_push_ignores_columns_of_ours_in_a_repeat() -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("stop.enroute", day.stops[0])
    device.push(event)
    marked = {**event, "_status": "created", "result": "applied", "seq": event["seq"]}
    assert device.verdicts(marked) == [("duplicate", "ok")]


def test_push_stop_of_another_driver_is_never_assigned() -> None:
    day, other = publish_day(), publish_day()
    device = enrol(day.driver)
    event = device.event("stop.succeeded", other.stops[0])
    assert device.verdicts(event) == [("rejected", "never_assigned")]
    assert Stop.objects.get(pk=other.stops[0].pk).status == "pending"
    assert QuarantinedEvent.objects.get().event_id == event["id"]


def test_push_after_reassignment_counts_and_tells_the_new_holder() -> None:
    now = clock.now()
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    first, second = enrol(day.driver), enrol(other.driver)
    second.pull()
    give_stop(day.stops[0].pk, day, other, now)
    event = first.event("stop.succeeded", day.stops[0])
    assert first.verdicts(event) == [("applied", "applied_after_reassign")]
    second.pull()
    assert second.tables["stops"][str(day.stops[0].pk)]["status"] == "succeeded"
    late = second.event("stop.succeeded", day.stops[0])
    assert second.verdicts(late) == [("superseded", "already_delivered")]


def test_push_cancelled_stop_needs_review() -> None:
    day = publish_day()
    device = enrol(day.driver)
    cancel_order(day.stops[0], clock.now())
    event = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(event) == [("needs_review", "cancelled_meanwhile")]


def test_push_from_a_stop_whose_order_was_cancelled_under_way() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.push(device.event("stop.enroute", day.stops[0]))
    device.pull()
    cancel_order(day.stops[0], clock.now())
    device.pull()
    assert device.tables["orders"][str(day.stops[0].order_id)]["is_cancelled"] is True
    device.push(device.event("stop.failed", day.stops[0], reason="refused"))
    device.pull()
    assert device.tables == device.snapshot()


def test_push_illegal_step_names_the_legal_ones() -> None:
    day = publish_day()
    device = enrol(day.driver)
    reopened = device.push(device.event("stop.reopened", day.stops[0]))[0]
    assert (reopened["result"], reopened["code"]) == ("rejected", "invalid")
    for step in ("enroute", "arrived", "succeeded", "failed", "partial"):
        assert f"stop.{step}" in reopened["fault"]
        assert VALUES[step] in reopened["detail"]
    paused = device.push(device.event("shift.paused", shift_id=str(day.shift.pk)))[0]
    assert (paused["result"], paused["code"]) == ("rejected", "invalid")
    assert "started" in paused["detail"]
    assert "allowed: cancelled, started" in paused["fault"]


@pytest.mark.parametrize(
    "fault",
    [
        {"payload": "{"},
        {"payload": "[]"},
        {"payload": '{"reason": "rain"}'},
        {"payload": '{"reason": "other", "note": "\\u0000"}'},
        {"payload": '{"reason": "other", "note": "\\ud800"}'},
        {"kind": "stop.flown"},
        {"kind": ""},
        {"kind": None},
        {"stop_id": ""},
        {"stop_id": "x\x00y"},
        {"seq": "1"},
        {"seq": -1},
        {"seq": 2**63},
        {"id": ""},
        {"id": "x" * 65},
        {"id": "\ud800"},
        {"id": 5},
        {"depends_on": ["x"]},
    ],
)
def test_push_bad_event_is_refused_kept_and_blocks_nobody(
    fault: dict[str, Any],
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    bad = device.event("stop.failed", day.stops[0], reason="other") | fault
    good = device.event("stop.succeeded", day.stops[1])
    assert device.verdicts(bad, good) == [("rejected", "invalid"), ("applied", "ok")]
    assert QuarantinedEvent.objects.count() == 1
    assert device.push(bad)[0]["result"] in {"rejected", "duplicate"}
    assert QuarantinedEvent.objects.count() == 1


@pytest.mark.parametrize("row", [None, 5, "text", [], {"id": "a"}])
def test_push_row_that_is_no_event_is_refused(row: Any) -> None:
    device = enrol(publish_day().driver)
    assert device.verdicts(row) == [("rejected", "invalid")]
    assert QuarantinedEvent.objects.count() == 1


def test_push_unexpected_failure_is_retried_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    real = handlers.report_stop

    def broken(report: handlers.Report, journal: Any) -> Any:
        real(report, journal)
        raise RuntimeError("after the fold")

    table = {**handlers.HANDLERS, "stop.failed": broken}
    monkeypatch.setattr(handlers, "HANDLERS", table)
    bad = device.event("stop.failed", day.stops[0], reason="other")
    good = device.event("stop.succeeded", day.stops[1])
    body = {"changes": {"events": {"created": [bad, good]}}}
    answer = json.loads(device.push_raw(body).content)
    assert answer["experimentalRejectedIds"] == {"events": [bad["id"]]}
    assert [row["code"] for row in answer["results"]] == ["internal", "ok"]
    assert Stop.objects.get(pk=day.stops[0].pk).status == "pending"
    assert not DeviceEvent.objects.filter(pk=bad["id"]).exists()
    device.pull()
    assert device.tables == device.snapshot()
    monkeypatch.undo()
    assert device.verdicts(bad, good) == [("applied", "ok"), ("duplicate", "ok")]


def test_push_dependency_that_has_not_come_is_retried() -> None:
    day = publish_day()
    device = enrol(day.driver)
    first = device.event("stop.arrived", day.stops[0])
    second = device.event("stop.succeeded", day.stops[0]) | {"depends_on": first["id"]}
    assert device.verdicts(second) == [("retry", "dependency_missing")]
    assert device.verdicts(second, first) == [("applied", "ok"), ("applied", "ok")]


def test_push_step_that_needs_a_retried_one_is_retried_with_it() -> None:
    day = publish_day()
    device = enrol(day.driver)
    stop, other = day.stops[0], day.stops[1]
    base = enrol(day.driver).event("device.status")
    failed = device.event("stop.failed", stop, reason="not_home")
    again = device.event("stop.reopened", stop) | {"depends_on": base["id"]}
    done = device.event("stop.succeeded", stop)
    elsewhere = device.event("stop.succeeded", other)
    twice = device.event("stop.arrived", other)
    rows = (failed, again, done, elsewhere, twice)
    assert device.verdicts(*rows) == [
        ("applied", "ok"),
        ("retry", "dependency_missing"),
        ("retry", "dependency_missing"),
        ("applied", "ok"),
        ("rejected", "invalid"),
    ]
    assert not QuarantinedEvent.objects.filter(event_id=done["id"]).exists()
    device.verdicts(base)
    assert device.verdicts(again, done) == [("applied", "ok")] * 2
    assert Stop.objects.get(pk=stop.pk).status == "succeeded"


def test_push_correction_waits_for_what_it_corrects() -> None:
    day = publish_day()
    device = enrol(day.driver)
    wrong = device.event("stop.failed", day.stops[0], reason="closed")
    fix = device.event("event.corrected", corrects=wrong["id"], kind="stop.succeeded")
    assert device.verdicts(fix) == [("held", "out_of_order")]
    assert device.verdicts(wrong, fix)[1] == ("duplicate", "corrected")
    assert Entry.objects.filter(kind="event.corrected").count() == 1


def test_push_acknowledges_a_change_of_the_plan() -> None:
    day = publish_day()
    change = make_plan_change(day, clock.now())
    device = enrol(day.driver)
    event = device.event("plan.acknowledged", change_id=str(change.pk))
    assert device.verdicts(event) == [("applied", "ok")]
    device.pull()
    assert device.tables["plan_changes"][str(change.pk)]["acknowledged_at"]
    other = make_plan_change(publish_day(), clock.now())
    foreign = device.event("plan.acknowledged", change_id=str(other.pk))
    assert device.verdicts(foreign) == [("rejected", "invalid")]
