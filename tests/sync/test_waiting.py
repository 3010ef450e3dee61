"""What is to be sent again is so for a while, and then judged, or put to a person."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.units import instant_of
from apps.journal.models import Entry
from apps.routes.models import Stop
from apps.sync import handlers
from apps.sync.models import DeviceEvent, InboxHead, QuarantinedEvent
from apps.sync.services.holding import release_held
from apps.sync.services.judging import REPAIR_TIME
from tests.sync.builders import Day, Handheld, enrol, publish_day

pytestmark = pytest.mark.django_db

Event = dict[str, Any]
HOLD = timedelta(minutes=15)


def depending() -> tuple[Day, Handheld, Event]:
    """A report that builds on one which its device has lost."""
    day = publish_day()
    device = enrol(day.driver)
    lost = {"depends_on": "died-over"}
    return day, device, device.event("stop.succeeded", day.stops[0]) | lost


def time_passes(by: timedelta) -> None:
    """Let all that devices were asked to send again have waited so much longer."""
    head = InboxHead.objects.get()
    assert head.asked_again
    by_ms = round(by / timedelta(milliseconds=1))
    head.asked_again = {key: at - by_ms for key, at in head.asked_again.items()}
    head.save()


def break_down(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(handlers, "HANDLERS", {**handlers.HANDLERS, kind: broken})


def test_rule_dependency_never_came_within_its_time() -> None:
    day, device, event = depending()
    assert device.verdicts(event) == [("retry", "dependency_missing")]
    time_passes(HOLD - timedelta(seconds=5))
    assert device.verdicts(event) == [("retry", "dependency_missing")]
    time_passes(timedelta(seconds=5))
    [row] = device.push(event)
    assert (row["result"], row["code"]) == ("applied", "ok")
    assert (row["rule"], row["winner"]) == ("dependency_never_came", "yours")
    assert "has not come" in row["detail"]
    assert Stop.objects.get(pk=day.stops[0].pk).status == "succeeded"
    assert InboxHead.objects.get().asked_again == {}
    [told] = Entry.objects.filter(kind="events.forced")
    assert told.payload["event_ids"] == [event["id"]]
    assert device.verdicts(event) == [("duplicate", "ok")]
    device.pull()
    shown = device.tables["event_results"][event["id"]]
    assert shown["rule"] == "dependency_never_came"


def test_push_dependency_that_comes_late_is_no_conflict() -> None:
    day, device, _ = depending()
    other = enrol(day.driver)
    base = other.event("stop.arrived", day.stops[0])
    event = device.event("stop.succeeded", day.stops[0]) | {"depends_on": base["id"]}
    assert device.verdicts(event | {"seq": 1}) == [("retry", "dependency_missing")]
    time_passes(2 * HOLD)
    assert other.verdicts(base) == [("applied", "ok")]
    [row] = device.push(event | {"seq": 1})
    assert row["result"] == "applied"
    assert "rule" not in row
    assert not Entry.objects.filter(kind="events.forced").exists()


def test_push_events_that_depend_on_each_other_do_not_go_round_for_ever() -> None:
    day, device, _ = depending()
    first = device.event("stop.arrived", day.stops[0]) | {"seq": 1}
    second = device.event("stop.succeeded", day.stops[0]) | {"seq": 2}
    rows = (
        first | {"depends_on": second["id"]},
        second | {"depends_on": first["id"]},
    )
    assert device.verdicts(*rows) == [("retry", "dependency_missing")] * 2
    time_passes(HOLD)
    assert device.verdicts(*rows) == [("applied", "ok")] * 2
    rules = DeviceEvent.objects.order_by("seq").values_list("rule", flat=True)
    assert list(rules) == ["dependency_never_came", ""]


def test_push_without_what_never_came_is_refused_like_any_other() -> None:
    """What cannot stand by itself is set aside with words, not asked for again."""
    day, device, _ = depending()
    lost = {"depends_on": "died-over"}
    event = device.event("stop.reopened", day.stops[1]) | {"seq": 1} | lost
    assert device.verdicts(event) == [("retry", "dependency_missing")]
    time_passes(HOLD)
    [row] = device.push(event)
    assert (row["result"], row["rule"]) == ("rejected", "not_possible")
    aside = QuarantinedEvent.objects.get()
    assert (aside.event_id, aside.code) == (event["id"], "invalid")


def test_push_what_follows_a_dependency_that_never_comes_is_judged_after_it() -> None:
    day, device, _ = depending()
    stop, lost = day.stops[0], {"depends_on": "died-over"}
    failed = device.event("stop.failed", stop, reason="not_home") | {"seq": 1}
    again = device.event("stop.reopened", stop) | {"seq": 2} | lost
    done = device.event("stop.succeeded", stop) | {"seq": 3}
    waits = ("retry", "dependency_missing")
    assert device.verdicts(failed, again, done) == [("applied", "ok"), waits, waits]
    time_passes(HOLD)
    assert device.verdicts(again, done) == [("applied", "ok")] * 2
    assert Stop.objects.get(pk=stop.pk).status == "succeeded"


def test_rule_failed_here_for_a_day_goes_to_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = publish_day()
    device = enrol(day.driver)
    event = device.event("device.status")
    break_down(monkeypatch, "device.status")
    assert device.verdicts(event) == [("retry", "internal")]
    time_passes(REPAIR_TIME - timedelta(minutes=1))
    assert device.verdicts(event) == [("retry", "internal")]
    time_passes(timedelta(minutes=1))
    [row] = device.push(event)
    assert (row["result"], row["code"]) == ("needs_review", "internal")
    assert (row["rule"], row["winner"]) == ("failed_here", "office")
    aside = QuarantinedEvent.objects.get()
    assert (aside.event_id, aside.body["kind"]) == (event["id"], "device.status")
    monkeypatch.undo()
    assert device.verdicts(event) == [("duplicate", "internal")]


def test_push_says_since_when_and_forgets_what_a_flood_made_up() -> None:
    _, device, _ = depending()
    rows = [
        device.event("device.status") | {"seq": n, "depends_on": "never"}
        for n in range(1, 401)
    ]
    before = clock.now()
    for first in range(3):
        named = [row | {"id": f"{row['id']}-{first}"} for row in rows]
        assert set(device.verdicts(*named)) == {("retry", "dependency_missing")}
    asked = InboxHead.objects.get().asked_again
    assert len(asked) == 1000
    assert instant_of(min(asked.values())) >= before - timedelta(seconds=1)


def test_release_leaves_what_builds_on_an_event_that_comes_again() -> None:
    """A number is lost, so all wait; the success before the reopening comes again."""
    day, device, _ = depending()
    stop, lost = day.stops[0], {"depends_on": "died-over"}
    done = device.event("stop.succeeded", stop) | {"seq": 2} | lost
    again = device.event("stop.reopened", stop) | {"seq": 3}
    assert device.verdicts(done, again) == [
        ("retry", "dependency_missing"),
        ("held", "out_of_order"),
    ]
    where: dict[str, Any] = {"device_id": device.device_id, "by": SYSTEM}
    soon, late = clock.now() + HOLD, clock.now() + 2 * HOLD
    assert release_held(**where, now=soon, patience=HOLD) == 0
    time_passes(HOLD)
    assert device.verdicts(done) == [("held", "out_of_order")]
    assert release_held(**where, now=late, patience=HOLD) == 2
    made = DeviceEvent.objects.order_by("seq").values_list("result", "rule")
    assert list(made) == [("applied", "dependency_never_came"), ("applied", "")]
