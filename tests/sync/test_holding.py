"""Events out of order: held, judged in their turn, forced when nothing more comes."""

import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Device
from apps.journal.models import Entry
from apps.orders.models import Order
from apps.routes.models import Stop, StopEvent
from apps.sync import handlers, tasks
from apps.sync.models import (
    DeviceAnchor,
    DeviceEvent,
    InboxHead,
    QuarantinedEvent,
)
from apps.sync.services.holding import devices_overdue, release_held
from tests.queueing import drain
from tests.sync.builders import (
    Day,
    Handheld,
    enrol,
    give_stop,
    publish_day,
    results_of,
)

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def force(device: Handheld, patience: timedelta = timedelta(0)) -> int:
    return release_held(
        device_id=device.device_id,
        by=SYSTEM,
        now=clock.now() + HOUR,
        patience=patience,
    )


def result_on(device: Handheld, event: dict[str, Any]) -> tuple[str, str]:
    device.pull()
    return results_of(device.tables["event_results"].values())[event["id"]]


def test_push_behind_a_gap_is_held_and_applied_when_it_closes() -> None:
    day = publish_day()
    device = enrol(day.driver)
    arrived = device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(done) == [("held", "out_of_order")]
    assert Stop.objects.get(pk=day.stops[0].pk).status == "pending"
    assert result_on(device, done) == ("held", "out_of_order")
    assert device.verdicts(done) == [("duplicate", "out_of_order")]
    assert device.verdicts(arrived) == [("applied", "ok")]
    assert Stop.objects.get(pk=day.stops[0].pk).status == "succeeded"
    assert result_on(device, done) == ("applied", "ok")
    assert device.tables == device.snapshot()
    first = device.push(done)[0]["original"]
    assert (first["result"], first["code"]) == ("applied", "ok")


def test_push_dates_a_held_event_by_an_anchor_that_comes_later() -> None:
    """Else what happened after it would be dated before it, by the better clock."""
    day = publish_day(now=clock.now() - HOUR)
    device = enrol(day.driver)
    Device.objects.update(enrolled_at=clock.now() - HOUR)
    began, stop = clock.now() - timedelta(minutes=10), day.stops[0]
    kinds = ("stop.failed", "stop.reopened", "stop.succeeded", "stop.reopened")
    rows = []
    for minute, kind in enumerate(kinds):
        reason = {"reason": "closed"} if kind == "stop.failed" else {}
        ahead = began + timedelta(minutes=minute + 30)
        clocks = {"boot_id": "b", "mono_ms": minute * 60_000}
        wall = {"device_time": round(ahead.timestamp() * 1000)}
        rows.append(device.event(kind, stop, **reason) | clocks | wall)
    assert device.verdicts(rows[2]) == [("held", "out_of_order")]
    assert DeviceEvent.objects.get().time_quality == "wall"
    server_time = began.isoformat()
    anchor = {"boot_id": "b", "mono_ms": 0, "server_time": server_time, "rtt_ms": 40}
    results = device.push(rows[0], rows[1], rows[3], anchors=[anchor])
    assert {row["code"] for row in results} == {"ok"}
    made = DeviceEvent.objects.order_by("seq")
    assert [row.occurred_at for row in made] == [
        began + timedelta(minutes=minute) for minute in range(4)
    ]
    assert [row.uncertainty_ms for row in made] == [20, 23, 26, 29]
    assert Stop.objects.get(pk=stop.pk).status == "pending"


def test_push_judges_by_number_what_its_wall_clock_had_put_too_late() -> None:
    """The anchor comes when the first have been judged: they stay before the last."""
    day = publish_day(now=clock.now() - HOUR)
    device = enrol(day.driver)
    Device.objects.update(enrolled_at=clock.now() - HOUR)
    began, stop = clock.now() - timedelta(minutes=10), day.stops[0]
    rows = []
    for minute, kind in enumerate(("stop.failed", "stop.reopened", "stop.succeeded")):
        reason = {"reason": "closed"} if kind == "stop.failed" else {}
        ahead = began + timedelta(minutes=minute + 7)
        clocks = {"boot_id": "b", "mono_ms": minute * 60_000}
        wall = {"device_time": round(ahead.timestamp() * 1000)}
        rows.append(device.event(kind, stop, **reason) | clocks | wall)
    assert device.verdicts(*rows[:2]) == [("applied", "ok")] * 2
    anchor = {
        "boot_id": "b",
        "mono_ms": 0,
        "server_time": began.isoformat(),
        "rtt_ms": 40,
    }
    [last] = device.push(rows[2], anchors=[anchor])
    assert (last["result"], last["code"]) == ("applied", "ok")
    assert Stop.objects.get(pk=stop.pk).status == "succeeded"
    facts = StopEvent.objects.order_by("device_seq")
    assert [fact.is_sure for fact in facts] == [False, False, True]
    assert [fact.device_id for fact in facts] == [device.device_id] * 3
    # Facts of before this was kept are filled from the inbox.
    facts.update(device=None, is_sure=True)
    fill = import_module("apps.sync.migrations.0007_facts_know_their_device").FILL
    with connection.cursor() as cursor:
        cursor.execute(fill)
    assert [fact.is_sure for fact in facts.all()] == [False, False, True]
    assert {fact.device_id for fact in facts.all()} == {device.device_id}


def test_release_held_dates_by_an_anchor_that_came_with_places() -> None:
    day = publish_day(now=clock.now() - HOUR)
    device = enrol(day.driver)
    Device.objects.update(enrolled_at=clock.now() - HOUR)
    device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    device.push(done | {"boot_id": "b", "mono_ms": 60_000})
    began = clock.now() - timedelta(minutes=10)
    DeviceAnchor.objects.create(
        device_id=device.device_id, boot_id="b", mono_ms=0, server_at=began, rtt_ms=40
    )
    assert force(device) == 1
    row = DeviceEvent.objects.get()
    assert (row.occurred_at, row.time_quality) == (began + MINUTE, "mono")
    assert Stop.objects.get(pk=day.stops[0].pk).completed_at == began + MINUTE


def test_push_judges_held_and_new_events_in_their_order() -> None:
    day = publish_day()
    device = enrol(day.driver)
    steps = [
        device.event("stop.succeeded", day.stops[0]),
        device.event("stop.reopened", day.stops[0]),
        device.event("stop.failed", day.stops[0], reason="refused"),
        device.event("stop.reopened", day.stops[0]),
    ]
    assert device.verdicts(steps[1], steps[3]) == [("held", "out_of_order")] * 2
    assert device.verdicts(steps[2], steps[0]) == [("applied", "ok")] * 2
    assert {row.result for row in DeviceEvent.objects.all()} == {"applied"}
    assert Stop.objects.get(pk=day.stops[0].pk).status == "pending"


def test_push_held_event_that_is_rejected_in_its_turn_is_set_aside() -> None:
    day, other = publish_day(), publish_day()
    device = enrol(day.driver)
    first = device.event("stop.arrived", day.stops[0])
    foreign = device.event("stop.succeeded", other.stops[0])
    device.push(foreign)
    assert QuarantinedEvent.objects.count() == 0
    device.push(first)
    assert result_on(device, foreign) == ("rejected", "never_assigned")
    aside = QuarantinedEvent.objects.get()
    assert (aside.event_id, aside.body["kind"]) == (foreign["id"], "stop.succeeded")


def test_push_held_event_waits_on_for_what_it_depends_on() -> None:
    day = publish_day()
    device, second = enrol(day.driver), enrol(day.driver)
    elsewhere = second.event("stop.arrived", day.stops[0])
    device.event("stop.note", day.stops[0], note="is lost")
    needs = device.event("stop.succeeded", day.stops[0])
    needs["depends_on"] = elsewhere["id"]
    assert device.verdicts(needs) == [("retry", "dependency_missing")]
    fix = device.event("event.corrected", corrects=needs["id"], kind="stop.succeeded")
    assert device.verdicts(fix) == [("held", "out_of_order")]
    lost = device.event("stop.note", day.stops[0], note="came") | {"seq": 1}
    assert device.verdicts(lost) == [("applied", "ok")]
    assert result_on(device, fix) == ("held", "out_of_order")
    second.push(elsewhere)
    assert device.verdicts(needs) == [("applied", "ok")]
    assert result_on(device, fix) == ("applied", "corrected")


def test_push_held_event_whose_handler_fails_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    first = device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    device.push(done)

    def broken(report: handlers.Report, journal: Any) -> Any:
        raise RuntimeError

    table = {**handlers.HANDLERS, "stop.succeeded": broken}
    monkeypatch.setattr(handlers, "HANDLERS", table)
    assert device.verdicts(first) == [("applied", "ok")]
    assert force(device) == 0
    assert result_on(device, done) == ("held", "out_of_order")
    assert not Entry.objects.filter(kind="events.forced").exists()
    monkeypatch.undo()
    assert force(device) == 1
    assert result_on(device, done) == ("applied", "ok")


def test_push_locks_the_holders_of_held_stops() -> None:
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    device = enrol(day.driver)
    first = device.event("stop.arrived", day.stops[1])
    done = device.event("stop.succeeded", day.stops[0])
    device.push(done)
    give_stop(day.stops[0].pk, day, other, clock.now())
    device.push(first)
    assert result_on(device, done) == ("applied", "applied_after_reassign")
    second = enrol(other.driver)
    second.pull()
    assert second.tables["stops"][str(day.stops[0].pk)]["status"] == "succeeded"


def test_release_held_forces_what_has_waited_long_enough() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    device.event("stop.note", day.stops[1], note="lost")
    later = device.event("stop.failed", day.stops[1], reason="closed")
    device.push(done, later)
    assert force(device, timedelta(hours=2)) == 0
    assert force(device, timedelta(minutes=30)) == 2
    assert force(device) == 0
    assert result_on(device, done) == ("applied", "ok")
    told = Entry.objects.get(kind="events.forced")
    assert told.payload["missing"] == [[1, 1], [3, 3]]
    assert set(told.payload["event_ids"]) == {done["id"], later["id"]}
    assert InboxHead.objects.get().reached == 4
    assert device.verdicts(device.event("device.status")) == [("applied", "ok")]


def test_release_held_leaves_a_person_what_never_can_be_judged() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.event("stop.arrived", day.stops[0])
    fix = device.event("event.corrected", corrects="lost", kind="stop.failed")
    device.push(fix)
    assert force(device) == 1
    assert result_on(device, fix) == ("rejected", "unknown_event")


def test_release_held_judges_a_late_one_at_once() -> None:
    day = publish_day()
    device = enrol(day.driver)
    arrived = device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    device.push(done)
    force(device)
    assert device.verdicts(arrived) == [("applied", "ok")]
    assert Stop.objects.get(pk=day.stops[0].pk).arrived_at is not None


def test_release_held_runs_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.event("stop.arrived", day.stops[0])
    done = device.event("stop.succeeded", day.stops[0])
    device.push(done)
    tasks.release_held()
    drain()
    assert result_on(device, done) == ("held", "out_of_order")
    late = clock.now() - HOUR
    DeviceEvent.objects.update(received_at=late)
    overdue = devices_overdue(now=clock.now(), patience=timedelta(minutes=15))
    assert overdue == [device.device_id]
    tasks.release_held()
    drain()
    assert result_on(device, done) == ("applied", "ok")


def test_push_of_a_device_from_before_goes_on_where_it_was() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.push(device.event("stop.arrived", day.stops[0]))
    InboxHead.objects.all().delete()
    done = device.event("stop.succeeded", day.stops[0])
    assert device.verdicts(done) == [("applied", "ok")]


def working_day(day: Day, device: Handheld, other: Day) -> list[dict[str, Any]]:
    a, b, c = day.stops
    return [
        device.event("shift.started", shift_id=str(day.shift.pk)),
        device.event("stop.arrived", a),
        device.event("stop.succeeded", a),
        device.event("stop.failed", b, reason="not_home"),
        device.event("stop.reopened", b),
        device.event("stop.enroute", a),
        device.event("stop.succeeded", b),
        device.event("stop.partial", c, pieces=1),
        device.event("stop.succeeded", other.stops[0]),
        device.event("shift.ended"),
        device.event("shift.ended"),
    ]


def outcome(device: Handheld) -> dict[str, Any]:
    """All that a day's events leave behind, apart from when they came."""
    rows = {
        "events": DeviceEvent.objects.order_by("pk").values_list(
            "pk", "driver_id", "seq", "occurred_at", "result", "code", "detail"
        ),
        "facts": StopEvent.objects.order_by("pk").values_list(
            "pk", "stop_id", "kind", "occurred_at", "verdict"
        ),
        "stops": Stop.objects.order_by("pk").values_list(
            *("pk", "status", "reason"),
            *("arrived_at", "completed_at", "completed_by"),
        ),
        "orders": Order.objects.order_by("pk").values_list("pk", "status"),
        "aside": QuarantinedEvent.objects.order_by("event_id").values_list(
            "event_id", "code"
        ),
        "told": Entry.objects.order_by("pk").values_list("kind", "subject_id"),
        "line": InboxHead.objects.values_list("reached", "ahead", "holds"),
    }
    answers = {
        row["id"]: (row["result"], row["code"], row["detail"])
        for row in device.snapshot()["event_results"].values()
    }
    return {**{name: list(found) for name, found in rows.items()}, "answers": answers}


def send(device: Handheld, batches: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Push batches in a world that is given up afterwards; return what they left."""
    with transaction.atomic():
        for batch in batches:
            body = {"changes": {"events": {"created": batch}}}
            answer = json.loads(device.push_raw(body).content)
            assert answer["experimentalRejectedIds"] == {}
        left = outcome(device)
        transaction.set_rollback(True)
    return left


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_order_of_arrival_leaves_the_same_database_and_answers(
    data: st.DataObject,
) -> None:
    with transaction.atomic():
        day, other = publish_day(), publish_day()
        device = enrol(day.driver)
        made = working_day(day, device, other)
        in_order = send(device, [made])
        numbers = data.draw(st.permutations(range(len(made))), label="order")
        again = data.draw(st.lists(st.sampled_from(range(len(made)))), label="twice")
        size = data.draw(st.integers(1, 5), label="size")
        rows = [made[number] for number in [*numbers, *again]]
        batches = [rows[at : at + size] for at in range(0, len(rows), size)]
        assert send(device, batches) == in_order
        transaction.set_rollback(True)
