"""Named conflicts: the rule, both values, whose word counts, and what the driver is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Device
from apps.drivers.services import revoke_device
from apps.feedback.models import Survey
from apps.journal.models import Entry
from apps.orders.services import reschedule_order
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft, issue, settle
from apps.recommendations.states import RecommendationState
from apps.routes.models import Stop
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.rules import (
    BY_ID,
    is_clock_ahead,
)
from tests.sync.builders import (
    Day,
    Handheld,
    cancel_order,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
)

pytestmark = pytest.mark.django_db

Event = dict[str, Any]
TESTS = Path(__file__).parent
DOCUMENT = TESTS.parents[1] / "docs" / "devices.md"


def made(day: Day | None = None) -> tuple[Day, Handheld]:
    day = day or publish_day()
    day.driver.language = "de"
    day.driver.save()
    return day, enrol(day.driver)


def explained(device: Handheld, event: Event, rule: str) -> Event:
    """Push an event; return its answer, and see that the feed explains the same."""
    row: Event = device.push(event)[-1]
    assert row["rule"] == rule
    table = BY_ID[rule]
    assert row["winner"] == table.winner
    with translation.override("de"):
        advice = translation.gettext(table.do)
        says = translation.gettext(table.says) if table.says else row["detail"]
    assert (row["detail"], row["advice"]) == (says, advice)
    assert advice != table.do
    kept = DeviceEvent.objects.filter(pk=event["id"], rule=rule).exists()
    if kept:
        device.pull()
        shown = device.tables["event_results"][event["id"]]
        for name in ("result", "code", "detail", "rule", "yours", "ours", "advice"):
            assert shown[name] == row[name], name
    return row


def test_rule_delivered_after_reassignment() -> None:
    day, device = made()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    event = device.event("stop.succeeded", day.stops[0])
    row = explained(device, event, "delivered_after_reassignment")
    assert (row["result"], row["yours"]) == ("applied", "zugestellt")
    assert row["ours"] == "bei einem anderen Fahrer"


def test_rule_reported_after_reassignment() -> None:
    day, device = made()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    event = device.event("stop.arrived", day.stops[0])
    assert (
        explained(device, event, "reported_after_reassignment")["result"] == "applied"
    )


@pytest.mark.parametrize(
    ("kind", "payload", "rule"),
    [
        ("stop.succeeded", {}, "delivered_twice"),
        ("stop.failed", {"reason": "not_home"}, "failed_after_delivered"),
        ("stop.arrived", {}, "step_after_delivered"),
    ],
)
def test_rule_after_another_drivers_delivery(
    kind: str, payload: Event, rule: str
) -> None:
    day, device = made()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    second = enrol(other.driver)
    second.push(second.event("stop.succeeded", day.stops[0]))
    event = device.event(kind, day.stops[0], **payload)
    row = explained(device, event, rule)
    assert (row["result"], row["ours"]) == ("superseded", "zugestellt")
    stop = Stop.objects.get(pk=day.stops[0].pk)
    assert (stop.status, stop.completed_by_id) == ("succeeded", other.driver.pk)
    shown = device.tables["event_results"][event["id"]]
    assert stop.completed_at is not None
    assert shown["ours_at"] == round(stop.completed_at.timestamp() * 1000)


def test_rule_newer_report() -> None:
    day, device = made()
    other = publish_day(depot=day.route.depot)
    early = device.event("stop.failed", day.stops[0], reason="not_home")
    early["device_time"] = round(clock.now().timestamp() * 1000)
    give_stop(day.stops[0].pk, day, other, clock.now())
    second = enrol(other.driver)
    second.push(second.event("stop.failed", day.stops[0], reason="closed"))
    assert explained(device, early, "newer_report")["ours"] == "nicht zugestellt"


def test_rule_delivered_after_cancellation() -> None:
    day, device = made()
    cancel_order(day.stops[0], clock.now())
    event = device.event("stop.succeeded", day.stops[0])
    row = explained(device, event, "delivered_after_cancellation")
    assert (row["result"], row["ours"]) == ("needs_review", "storniert")


def test_rule_reported_after_cancellation() -> None:
    day, device = made()
    cancel_order(day.stops[0], clock.now())
    event = device.event("stop.failed", day.stops[0], reason="refused")
    explained(device, event, "reported_after_cancellation")


def test_rule_reopened_after_reschedule() -> None:
    day, device = made()
    device.push(device.event("stop.failed", day.stops[0], reason="not_home"))
    tomorrow = day.route.service_date + timedelta(days=1)
    reschedule_order(
        order_id=day.stops[0].order_id,
        service_date=tomorrow,
        windows=[],
        by=SYSTEM,
        now=clock.now(),
    )
    event = device.event("stop.reopened", day.stops[0])
    row = explained(device, event, "reopened_after_reschedule")
    assert (row["result"], row["ours"]) == ("needs_review", tomorrow.isoformat())
    assert Stop.objects.get(pk=day.stops[0].pk).status == "failed"
    device.push(device.event("stop.note", day.stops[0], note="Left a card"))
    assert Stop.objects.get(pk=day.stops[0].pk).status == "failed"


@pytest.mark.parametrize("how", ["given", "done", "released"])
def test_rule_override_for_gone_stop(how: str) -> None:
    day, device = made()
    if how == "given":
        other = publish_day(depot=day.route.depot)
        give_stop(day.stops[0].pk, day, other, clock.now())
    elif how == "released":
        cancel_order(day.stops[0], clock.now())
    else:
        device.push(device.event("stop.succeeded", day.stops[0]))
    event = device.event("override.requested", day.stops[0], action="skip_stop")
    row = explained(device, event, "override_for_gone_stop")
    assert row["result"] == "superseded"
    assert not Entry.objects.filter(kind="override.requested").exists()


def test_override_for_an_open_stop_is_kept_for_the_office() -> None:
    day, device = made()
    event = device.event("override.requested", day.stops[0], action="skip_stop")
    assert device.verdicts(event) == [("needs_review", "asked")]
    assert Entry.objects.get(kind="override.requested").subject_id == event["id"]
    foreign = publish_day()
    event = device.event("override.requested", foreign.stops[0], action="other")
    explained(device, event, "never_assigned")


def recommendation(day: Day, state: str) -> Recommendation:
    draft = Draft(
        kind=Recommendation.Kind.PLAN,
        depot_id=day.route.depot_id,
        subject_type="plan",
        subject_id=str(day.route.plan_id),
        inputs=b"{}",
        answer=b"{}",
        engine="test",
        engine_version="1",
        seed=1,
        mode=Recommendation.Mode.RULES,
    )
    row = issue(draft, by=SYSTEM, now=clock.now())
    if state != RecommendationState.ISSUED:
        settle(row.pk, state=state, by=SYSTEM, now=clock.now())
    return row


def test_rule_feedback_on_older_plan() -> None:
    day, device = made()
    old = recommendation(day, RecommendationState.SUPERSEDED)
    event = device.event("feedback.given", recommendation_id=str(old.pk), rating=2)
    row = explained(device, event, "feedback_on_older_plan")
    assert (row["result"], row["winner"]) == ("applied", "both")
    assert Entry.objects.get(kind="feedback.given").subject_id == event["id"]


def test_feedback_and_survey_are_kept() -> None:
    day, device = made()
    new = recommendation(day, RecommendationState.ISSUED)
    fine = device.event("feedback.given", recommendation_id=str(new.pk), rating=5)
    asked = Survey.objects.get(key="plan-change")
    survey = device.event(
        "survey.answered", survey_id=str(asked.pk), answers={"good": 3}
    )
    assert device.verdicts(fine, survey) == [("applied", "kept")] * 2
    row = device.push(fine)[0]
    assert row["detail"].startswith("Danke.")
    assert "rule" not in row


def test_rule_acknowledged_older_plan() -> None:
    day, device = made()
    old = make_plan_change(day, clock.now())
    new = make_plan_change(day, clock.now())
    first = device.event("plan.acknowledged", change_id=str(old.pk))
    row = explained(device, first, "acknowledged_older_plan")
    assert (row["yours"], row["ours"]) == (
        str(old.route_version),
        str(new.route_version),
    )
    second = device.event("plan.acknowledged", change_id=str(new.pk))
    assert device.verdicts(second) == [("applied", "ok")]
    device.pull()
    changes = device.tables["plan_changes"].values()
    assert all(change["acknowledged_at"] for change in changes)


def test_rule_out_of_order() -> None:
    day, device = made()
    device.event("stop.arrived", day.stops[0])
    event = device.event("stop.succeeded", day.stops[0])
    assert explained(device, event, "out_of_order")["result"] == "held"


def test_rule_dependency_missing() -> None:
    day, device = made()
    event = device.event("stop.succeeded", day.stops[0]) | {"depends_on": "x"}
    assert explained(device, event, "dependency_missing")["result"] == "retry"


def test_rule_repeated_id_with_another_body() -> None:
    day, device = made()
    event = device.event("stop.succeeded", day.stops[0])
    device.push(event)
    forged = event | {"kind": "stop.arrived"}
    assert explained(device, forged, "id_reused")["result"] == "rejected"


def test_rule_clock_in_the_future() -> None:
    day, device = made()
    event = device.event("stop.succeeded", day.stops[0])
    event["device_time"] += 3_600_000
    row = explained(device, event, "clock_ahead")
    assert (row["result"], row["code"]) == ("applied", "ok")
    assert row["yours"] > row["ours"]
    kept = DeviceEvent.objects.get()
    assert kept.occurred_at == kept.received_at


def test_is_clock_ahead_not_by_a_slow_network() -> None:
    now = clock.now()
    near, far = now + timedelta(seconds=90), now + timedelta(seconds=150)
    assert not is_clock_ahead("wall", near, now, now)
    assert is_clock_ahead("wall", far, now, now)
    assert not is_clock_ahead("mono", far, now, now)
    assert not is_clock_ahead("wall", far, now - timedelta(seconds=1), now)


def test_rule_event_of_a_device_that_drains() -> None:
    day, device = made()
    before = device.event("stop.arrived", day.stops[0])
    after = device.event("stop.succeeded", day.stops[0])
    revoked_at = clock.now() - timedelta(hours=1)
    before["device_time"] -= 2 * 3_600_000
    device_row = revoke_device(
        device_id=device.device_id,
        action="drain_then_wipe",
        by=SYSTEM,
        now=revoked_at,
    )
    device_row.enrolled_at = revoked_at - timedelta(days=1)
    device_row.save()
    assert device.verdicts(before) == [("applied", "ok")]
    row = device.push(after)[0]
    assert (row["result"], row["rule"]) == ("needs_review", "revoked_device")
    assert Stop.objects.get(pk=day.stops[0].pk).status == "arrived"
    assert QuarantinedEvent.objects.get().event_id == after["id"]


def test_rule_event_of_a_device_that_is_to_be_wiped() -> None:
    day, device = made()
    revoke_device(device_id=device.device_id, action="wipe", by=SYSTEM, now=clock.now())
    event = device.event("stop.succeeded", day.stops[0])
    body = {"changes": {"events": {"created": [event]}}}
    for _ in range(2):
        assert device.push_raw(body).status_code == 403
    assert device.push_raw({"changes": 5}).status_code == 403
    aside = QuarantinedEvent.objects.get()
    assert (aside.event_id, aside.code) == (event["id"], "device_revoked")
    assert not DeviceEvent.objects.exists()


@pytest.mark.parametrize(
    ("kinds", "rule", "ours"),
    [
        (["started", "ended", "ended"], "shift_ended_twice", "beendet"),
        (["started", "started"], "shift_started_twice", "begonnen"),
        (["started", "paused", "paused"], "shift_paused_twice", "unterbrochen"),
    ],
)
def test_rule_shift_step_twice(kinds: list[str], rule: str, ours: str) -> None:
    day, device = made()
    shift_id = str(day.shift.pk)
    events = [device.event(f"shift.{kind}", shift_id=shift_id) for kind in kinds]
    assert set(device.verdicts(*events[:-1])) == {("applied", "ok")}
    row = explained(device, events[-1], rule)
    assert (row["result"], row["ours"]) == ("superseded", ours)
    day.shift.refresh_from_db()
    assert day.shift.status == kinds[-1]


def test_rule_shift_over() -> None:
    day, device = made()
    shift_id = str(day.shift.pk)
    second = enrol(day.driver)
    late = device.event("shift.paused", shift_id=shift_id)
    second.push(
        second.event("shift.started", shift_id=shift_id),
        second.event("shift.ended", shift_id=shift_id),
    )
    assert explained(device, late, "shift_over")["result"] == "superseded"


def test_rule_road_report_late() -> None:
    _, device = made(publish_day(now=clock.now() - timedelta(hours=4)))
    Device.objects.all().update(enrolled_at=clock.now() - timedelta(hours=4))
    place = {"lat": 49.5, "lon": 11.28}
    event = device.event("exception.reported", reason="closure", **place)
    event["device_time"] -= 3 * 3_600_000
    row = explained(device, event, "road_report_late")
    assert (row["result"], row["code"]) == ("superseded", "came_late")


def test_rule_trouble_at_done_stop() -> None:
    day, device = made()
    device.push(device.event("stop.succeeded", day.stops[0]))
    at_done = device.event("exception.reported", day.stops[0], reason="no_access")
    row = explained(device, at_done, "trouble_at_done_stop")
    assert (row["result"], row["code"]) == ("superseded", "stop_over")


def test_rule_trouble_known() -> None:
    day, device = made()
    device.push(device.event("exception.reported", day.stops[1], reason="no_access"))
    again = device.event("exception.reported", day.stops[1], reason="no_access")
    row = explained(device, again, "trouble_known")
    assert (row["result"], row["code"]) == ("applied", "known_already")
