"""Which facts of the journal are incidents, and which end one. Pure.

One row a kind of entry: what it raises, or whose cause it takes away.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.incidents.services.incidents import IncidentDraft
from apps.journal.models import Entry

REASONS: Final = frozenset(
    {"vehicle", "hours", "unsafe", "no_access", "no_parking", "wrong_address"}
)


@dataclass(frozen=True, slots=True)
class Gone:
    """A cause that is no more, and why, in a sentence."""

    cause: str
    why: str


Found = IncidentDraft | Gone | None
Source = Callable[[Entry], Found | tuple[Found, ...]]


def _draft(entry: Entry, kind: str, cause: str, **more: Any) -> IncidentDraft | None:
    if entry.depot_id is None:
        return None
    about = {"subject_type": entry.subject_type, "subject_id": entry.subject_id}
    return IncidentDraft(
        depot_id=entry.depot_id, kind=kind, cause=cause, **{**about, **more}
    )


def _from_driver(entry: Entry) -> IncidentDraft | None:
    """What a driver reports: the words are in the event, the incident leads to it."""
    reason = str(entry.payload["reason"])
    if reason not in REASONS:
        return None
    told = ("stop_id", "driver_id", "can_drive", "minutes_left", "needs_help")
    details = {name: entry.payload[name] for name in told if entry.payload.get(name)}
    stuck = reason == "vehicle" and entry.payload.get("can_drive") is False
    severity = "critical" if stuck or entry.payload.get("needs_help") else ""
    cause = f"event/{entry.subject_id}"
    return _draft(entry, reason, cause, details=details, severity=severity)


def _closed_road(entry: Entry) -> IncidentDraft | None:
    is_news = entry.payload["source"] == "driver"
    if not is_news or entry.payload["condition_kind"] != "closure":
        return None
    return _draft(entry, "road", f"condition/{entry.subject_id}")


def _road_is_judged(entry: Entry) -> Gone:
    word = entry.kind.partition(".")[2]
    return Gone(f"condition/{entry.subject_id}", f"The report was {word}.")


def _failed_plan(entry: Entry) -> IncidentDraft | None:
    details = {"why": entry.payload["why"]}
    return _draft(entry, "failed_solve", f"plan/{entry.subject_id}", details=details)


def _ai_down(entry: Entry) -> IncidentDraft | None:
    details = {"why": entry.payload["why"]}
    cause = f"ai_down/{entry.at.isoformat()}"
    return _draft(entry, "ai_down", cause, details=details)


def _ai_back(entry: Entry) -> Gone:
    cause = f"ai_down/{entry.payload['fell_back_at']}"
    return Gone(cause, "The optimizer answers again.")


def _machine(entry: Entry) -> IncidentDraft | None:
    """An act that is to be asked for waits for a yes; another one is for the records."""
    act, hour = entry.payload["act"], f"{entry.at:%Y-%m-%dT%H}"
    asks = entry.payload["leave"] == "ask"
    details = {"act": act, "point_id": entry.payload["point_id"]}
    if not asks:
        cause = f"machine_refused/{act}/{entry.at:%Y-%m-%d}"
        return _draft(entry, "machine_refused", cause, details=details)
    return _draft(entry, "machine_asks", f"machine_asks/{act}/{hour}", details=details)


def _needs_review(entry: Entry) -> IncidentDraft | None:
    details = {
        "code": entry.payload["code"],
        "driver_id": entry.payload["driver_id"],
        "stop_id": entry.subject_id,
    }
    return _draft(
        entry,
        "needs_review",
        f"review/{entry.payload['event_id']}",
        subject_type="deviceevent",
        subject_id=entry.payload["event_id"],
        details=details,
    )


def _after_reassign(entry: Entry) -> IncidentDraft | None:
    """A stop was dealt with by who no longer had it: two may carry goods for it."""
    details = {name: entry.payload[name] for name in ("said", "driver_id")}
    cause = f"after_reassign/{entry.payload['event_id']}"
    return _draft(entry, "after_reassign", cause, details=details)


def _waits(entry: Entry) -> IncidentDraft | None:
    """A proposal that was tried on past days waits for people."""
    details = {"verdict": entry.payload["verdict"], "days": entry.payload["days"]}
    return _draft(
        entry, "learned_waits", f"proposal/{entry.subject_id}", details=details
    )


def _decided(entry: Entry) -> Gone:
    word = entry.kind.partition(".")[2]
    return Gone(f"proposal/{entry.subject_id}", f"It was {word}.")


def _learned_on(entry: Entry) -> IncidentDraft | None:
    """Supervisors hear what their plans are made by from now on; its watch ends it."""
    details = {"topic": entry.payload["topic"]}
    return _draft(entry, "learned_on", f"in_force/{entry.subject_id}", details=details)


def _watch_is_over(entry: Entry) -> Gone:
    return Gone(f"in_force/{entry.subject_id}", "Its watch is over: it stays.")


def _learned_off(entry: Entry) -> tuple[Found, ...]:
    details = {"topic": entry.payload["topic"], "why": entry.payload["why"]}
    cause = f"taken_back/{entry.subject_id}"
    return (
        Gone(f"in_force/{entry.subject_id}", "It was taken back."),
        _draft(entry, "learned_off", cause, details=details),
    )


def _drift(entry: Entry) -> IncidentDraft | None:
    """A figure that stays off its course is one incident a week, not one a day."""
    week = "{}-W{:02}".format(*entry.at.isocalendar()[:2])
    told = ("name", "service_date", "value", "centre", "low", "high", "text")
    return _draft(
        entry,
        "drift",
        f"drift/{entry.payload['name']}/{week}",
        title=entry.payload["text"],
        details={name: entry.payload[name] for name in told},
    )


def _differs(entry: Entry) -> IncidentDraft | None:
    """An answer that does not come again is one incident a kind, engine and week."""
    week = "{}-W{:02}".format(*entry.at.isocalendar()[:2])
    told = entry.payload
    engine = f"{told['engine']} {told['engine_version']}"
    return _draft(
        entry,
        "drift",
        f"differs/{told['kind']}/{engine}/{week}"[:100],
        title="A recommendation came out otherwise when it was made again",
        details={
            "recommendation_id": entry.subject_id,
            "text": f"{told['kind']} by {engine}: the stored inputs give another answer.",
            "stored": told["stored"],
            "found": told["found"],
        },
    )


SOURCES: Final[Mapping[str, Source]] = {
    "exception.reported": _from_driver,
    "condition.reported": _closed_road,
    "condition.confirmed": _road_is_judged,
    "condition.ended": _road_is_judged,
    "condition.expired": _road_is_judged,
    "plan.failed": _failed_plan,
    "mode.fell_back": _ai_down,
    "mode.came_back": _ai_back,
    "machine.refused": _machine,
    "stop.needs_review": _needs_review,
    "stop.counted_after_reassign": _after_reassign,
    "proposal.tested": _waits,
    "proposal.approved": _decided,
    "proposal.declined": _decided,
    "proposal.expired": _decided,
    "proposal.in_force": _learned_on,
    "proposal.kept": _watch_is_over,
    "proposal.reverted": _learned_off,
    "monitor.drifted": _drift,
    "recommendation.differs": _differs,
}
