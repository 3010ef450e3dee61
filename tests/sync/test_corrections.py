"""Corrections: a report says afterwards what its driver says that it should have."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Invalid
from apps.journal.models import Entry
from apps.orders.models import Order
from apps.orders.services import reschedule_order
from apps.routes.models import Stop, StopEvent
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent
from apps.sync.services.holding import release_held
from apps.sync.services.mending import Mended, mend_event
from tests.sync.builders import (
    Day,
    Handheld,
    cancel_order,
    enrol,
    give_stop,
    publish_day,
)
from tests.sync.test_rules import explained

pytestmark = pytest.mark.django_db

Event = dict[str, Any]


def made(depot: Any = None) -> tuple[Day, Handheld]:
    day = publish_day(depot=depot)
    day.driver.language = "de"
    day.driver.save()
    return day, enrol(day.driver)


def correct(
    device: Handheld, wrong: Event, kind: str, /, why: str = "", **payload: Any
) -> Event:
    """Write a correction of an event into the outbox."""
    return device.event(
        "event.corrected", corrects=wrong["id"], kind=kind, payload=payload, why=why
    )


def state(day: Day) -> tuple[str, str, str]:
    stop = Stop.objects.select_related("order").get(pk=day.stops[0].pk)
    return stop.status, stop.reason, stop.order.status


def test_failed_entered_wrongly_becomes_delivered() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    wrong["device_time"] -= 600_000
    assert device.verdicts(wrong) == [("applied", "ok")]
    failed_at = Stop.objects.get(pk=day.stops[0].pk).completed_at
    fix = correct(device, wrong, "stop.succeeded", received_by="Ada")
    row = explained(device, fix, "corrected")
    assert (row["result"], row["code"]) == ("applied", "corrected")
    assert (row["yours"], row["ours"]) == ("zugestellt", "nicht zugestellt")
    assert state(day) == ("succeeded", "", "delivered")
    assert Stop.objects.get(pk=day.stops[0].pk).completed_at == failed_at
    shown = device.tables["event_results"][fix["id"]]
    assert (shown["corrects"], shown["stop_id"]) == (wrong["id"], str(day.stops[0].pk))
    assert device.tables["stops"][str(day.stops[0].pk)]["status"] == "succeeded"
    first = DeviceEvent.objects.get(pk=wrong["id"])
    assert (first.kind, first.payload) == ("stop.failed", {"reason": "not_home"})
    fact = StopEvent.objects.get(pk=fix["id"])
    assert (fact.kind, fact.corrects) == ("stop.succeeded", wrong["id"])
    assert fact.payload == {"received_by": "Ada"}


def test_correction_is_told_to_the_office_and_plans_anew() -> None:
    day, device = made()
    wrong = device.event("stop.succeeded", day.stops[0])
    fix = correct(device, wrong, "stop.failed", reason="refused", why="Wrong door")
    assert device.verdicts(wrong, fix) == [("applied", "ok"), ("applied", "corrected")]
    assert state(day) == ("failed", "refused", "failed")
    told = Entry.objects.get(kind="stop.corrected").payload
    assert (told["event_id"], told["corrects"]) == (fix["id"], wrong["id"])
    assert (told["before"], told["status"]) == ("succeeded", "failed")
    assert (told["meant"], told["late_s"]) == ("stop.failed", 0)
    assert Entry.objects.get(kind="event.corrected").subject_id == wrong["id"]


def test_wrong_reason_is_corrected() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    fix = correct(device, wrong, "stop.failed", reason="wrong_address")
    device.push(wrong, fix)
    assert state(day) == ("failed", "wrong_address", "failed")


def test_wrong_note_is_corrected_and_moves_nothing() -> None:
    day, device = made()
    wrong = device.event("stop.note", day.stops[0], note="Gate code 1234")
    fix = correct(device, wrong, "stop.note", note="Gate code 4321")
    assert device.verdicts(wrong, fix)[1] == ("applied", "corrected")
    assert state(day) == ("pending", "", "open")
    [fact] = StopEvent.objects.filter(corrects=wrong["id"])
    assert fact.payload["note"] == "Gate code 4321"


def test_report_at_the_wrong_stop_becomes_a_note() -> None:
    day, device = made()
    arrived = device.event("stop.arrived", day.stops[0])
    wrong = device.event("stop.succeeded", day.stops[0])
    fix = correct(device, wrong, "stop.note", note="It was the next house.")
    assert device.verdicts(arrived, wrong, fix)[2] == ("applied", "corrected")
    assert state(day) == ("arrived", "", "open")
    again = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(again) == [("applied", "ok")]
    assert state(day) == ("succeeded", "", "delivered")


def test_proof_comes_with_a_correction() -> None:
    day, device = made()
    wrong = device.event("stop.succeeded", day.stops[0])
    file = {
        "attachment_id": "photo-1",
        "sha256": hashlib.sha256(b"x").hexdigest(),
        "bytes": 1,
        "media_type": "image/jpeg",
    }
    fix = correct(device, wrong, "stop.succeeded", attachments=[file], codes=["A1"])
    device.push(wrong, fix)
    row = Attachment.objects.get()
    assert (row.pk, row.event_id) == ("photo-1", fix["id"])
    assert row.stop_id == str(day.stops[0].pk)
    device.pull()
    assert device.tables["attachments"]["photo-1"]["status"] == "awaited"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_newest_correction_counts_in_whatever_order_they_come(
    order: tuple[int, int],
) -> None:
    day, device = made()
    second = enrol(day.driver)
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    wrong["device_time"] -= 600_000
    device.push(wrong)
    early = correct(device, wrong, "stop.succeeded")
    early["device_time"] -= 300_000
    late = correct(second, wrong, "stop.partial", pieces=1)
    late["device_time"] -= 60_000
    pairs = [(device, early), (second, late)]
    rows = [pairs[i][0].push(pairs[i][1])[0] for i in order]
    assert state(day)[0] == "partial"
    if order == (0, 1):
        assert [row["rule"] for row in rows] == ["corrected"] * 2
        assert rows[1]["ours"] == "zugestellt"
    else:
        assert (rows[1]["result"], rows[1]["rule"]) == ("superseded", "corrected_twice")
        assert rows[1]["ours"] == "teilweise zugestellt"


def test_rule_corrected_twice() -> None:
    day, device = made()
    second = enrol(day.driver)
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    wrong["device_time"] -= 600_000
    early = correct(device, wrong, "stop.succeeded")
    early["device_time"] -= 300_000
    device.push(wrong)
    second.push(correct(second, wrong, "stop.note", note="Not mine."))
    row = explained(device, early, "corrected_twice")
    assert (row["result"], row["code"]) == ("superseded", "newer_correction")
    assert state(day)[0] == "pending"


def test_rule_corrected_after_delivered() -> None:
    day, device = made()
    other, _ = made(day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    theirs = enrol(other.driver)
    done = theirs.event("stop.succeeded", day.stops[0])
    done["device_time"] -= 600_000
    theirs.push(done)
    late = device.event("stop.failed", day.stops[0], reason="not_home")
    assert device.verdicts(late) == [("superseded", "already_delivered")]
    row = explained(
        device, correct(device, late, "stop.succeeded"), "corrected_after_delivered"
    )
    assert (row["result"], row["ours"]) == ("superseded", "zugestellt")
    assert Stop.objects.get(pk=day.stops[0].pk).completed_by_id == other.driver.pk


def test_correction_reaches_who_has_the_stop_now() -> None:
    day, device = made()
    other, theirs = made(day.route.depot)
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    device.push(wrong)
    give_stop(day.stops[0].pk, day, other, clock.now())
    theirs.pull()
    fix = correct(device, wrong, "stop.succeeded")
    assert device.verdicts(fix) == [("applied", "corrected")]
    theirs.pull()
    assert theirs.tables["stops"][str(day.stops[0].pk)]["status"] == "succeeded"


def test_rule_corrected_after_cancellation() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    device.push(wrong)
    Order.objects.filter(pk=day.stops[0].order_id).update(status="cancelled")
    fix = correct(device, wrong, "stop.succeeded")
    row = explained(device, fix, "corrected_after_cancellation")
    assert row["result"] == "needs_review"


def test_rule_corrected_at_a_cancelled_stop() -> None:
    day, device = made()
    cancel_order(day.stops[0], clock.now())
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    device.push(wrong)
    fix = correct(device, wrong, "stop.succeeded")
    explained(device, fix, "corrected_after_cancellation")
    assert Stop.objects.get(pk=day.stops[0].pk).status == "cancelled"


def test_rule_corrected_after_reschedule() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="not_home")
    device.push(wrong)
    reschedule_order(
        order_id=day.stops[0].order_id,
        service_date=day.route.service_date + timedelta(days=1),
        windows=[],
        by=SYSTEM,
        now=clock.now(),
    )
    fix = correct(device, wrong, "stop.succeeded")
    row = explained(device, fix, "corrected_after_reschedule")
    assert (row["result"], row["code"]) == ("needs_review", "window_moved")
    assert state(day)[0] == "failed"
    assert Entry.objects.filter(kind="stop.needs_review").exists()


def test_rule_correction_of_another_drivers_report() -> None:
    day, device = made()
    other, theirs = made(day.route.depot)
    done = theirs.event("stop.failed", other.stops[0], reason="not_home")
    theirs.push(done)
    fix = correct(device, done, "stop.succeeded")
    row = explained(device, fix, "correction_of_another")
    assert (row["result"], row["code"]) == ("rejected", "not_yours")
    assert QuarantinedEvent.objects.get().event_id == fix["id"]
    assert Stop.objects.get(pk=other.stops[0].pk).status == "failed"


@pytest.mark.parametrize(
    ("kind", "payload", "meant", "instead"),
    [
        ("shift.started", {}, "shift.ended", {}),
        ("device.status", {}, "device.status", {}),
        ("stop.failed", {"reason": "closed"}, "shift.ended", {}),
        ("stop.failed", {"reason": "closed"}, "stop.enroute", {}),
        ("stop.failed", {"reason": "closed"}, "failed", {"reason": "other"}),
        ("stop.note", {"note": "x"}, "stop.succeeded", {}),
    ],
)
def test_rule_not_correctable(
    kind: str, payload: Event, meant: str, instead: Event
) -> None:
    day, device = made()
    stop = day.stops[0] if kind.startswith("stop.") else None
    wrong = device.event(kind, stop, **payload)
    device.push(wrong)
    fix = correct(device, wrong, meant, **instead)
    row = explained(device, fix, "not_correctable")
    assert (row["result"], row["code"]) == ("rejected", "not_correctable")
    again = correct(device, fix, "stop.note", note="x")
    assert device.verdicts(again) == [("rejected", "not_correctable")]


def test_correction_of_another_shape_or_stop_is_not_possible() -> None:
    day, device = made()
    wrong = device.event("stop.succeeded", day.stops[0])
    device.push(wrong)
    explained(device, correct(device, wrong, "stop.failed", reason="x"), "not_possible")
    elsewhere = correct(device, wrong, "stop.partial", pieces=1)
    elsewhere["stop_id"] = str(day.stops[1].pk)
    explained(device, elsewhere, "not_possible")
    assert state(day)[0] == "succeeded"


def test_rule_correction_waits_for_a_report_that_was_set_aside() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="dog")
    device.push(wrong)
    fix = correct(device, wrong, "stop.failed", reason="other")
    row = explained(device, fix, "correction_waits")
    assert (row["result"], row["code"]) == ("needs_review", "correction")
    assert Entry.objects.filter(kind="event.corrected").count() == 1


def test_correction_waits_for_a_report_of_the_drivers_other_device() -> None:
    day, device = made()
    second = enrol(day.driver)
    wrong = second.event("stop.failed", day.stops[0], reason="not_home")
    fix = correct(device, wrong, "stop.succeeded")
    assert device.verdicts(fix) == [("held", "dependency_missing")]
    second.push(wrong)
    assert device.verdicts(device.event("device.status")) == [("applied", "ok")]
    assert state(day) == ("succeeded", "", "delivered")
    device.pull()
    assert device.tables["event_results"][fix["id"]]["rule"] == "corrected"


def test_rule_correction_of_unknown() -> None:
    _, device = made()
    fix = device.event("event.corrected", corrects="lost", kind="stop.succeeded")
    assert explained(device, fix, "dependency_missing")["result"] == "held"
    later = clock.now() + timedelta(hours=1)
    patience = timedelta(minutes=15)
    release_held(device_id=device.device_id, by=SYSTEM, now=later, patience=patience)
    device.pull()
    shown = device.tables["event_results"][fix["id"]]
    assert (shown["result"], shown["rule"]) == ("rejected", "correction_of_unknown")
    assert shown["detail"].startswith("Die Meldung, die Sie berichtigen")
    assert QuarantinedEvent.objects.get().event_id == fix["id"]
    assert device.verdicts(fix) == [("duplicate", "unknown_event")]


def test_correction_sent_again_counts_once() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="closed")
    fix = correct(device, wrong, "stop.succeeded")
    device.push(wrong, fix)
    version = Stop.objects.get(pk=day.stops[0].pk).version
    assert device.verdicts(wrong, fix) == [
        ("duplicate", "ok"),
        ("duplicate", "corrected"),
    ]
    assert Stop.objects.get(pk=day.stops[0].pk).version == version
    assert Entry.objects.filter(kind="stop.corrected").count() == 1


def test_office_applies_a_correction_that_was_set_aside() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="closed")
    device.push(wrong, correct(device, wrong, "stop.flown"))
    aside = QuarantinedEvent.objects.get()
    payload = {"corrects": wrong["id"], "kind": "stop.succeeded", "payload": {}}
    by = Actor("user", "1")
    event = mend_event(
        quarantined_id=aside.pk,
        mended=Mended("event.corrected", "", payload),
        by=by,
        now=clock.now(),
    )
    assert (event.result, event.code) == ("applied", "corrected")
    assert event.corrects == aside.event_id
    assert state(day) == ("succeeded", "", "delivered")


def test_office_cannot_apply_a_correction_of_what_is_not_there() -> None:
    day, device = made()
    wrong = device.event("stop.failed", day.stops[0], reason="closed")
    device.push(wrong, correct(device, wrong, "stop.flown"))
    payload = {"corrects": "lost", "kind": "stop.succeeded", "payload": {}}
    with pytest.raises(Invalid, match="has not come"):
        mend_event(
            quarantined_id=QuarantinedEvent.objects.get().pk,
            mended=Mended("event.corrected", "", payload),
            by=Actor("user", "1"),
            now=clock.now(),
        )
    assert json.loads(wrong["payload"]) == {"reason": "closed"}
    assert state(day)[0] == "failed"
