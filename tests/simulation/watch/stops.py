"""Stops: delivered once at the most, and what their logs say."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from apps.routes.models import Stop, StopEvent
from tests.simulation.device import OUTCOMES
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import KEPT, REVOKED, Memory

LOGGED = (
    *("pk", "stop_id", "kind", "occurred_at", "device_seq", "verdict", "corrects"),
    *("device_id", "is_sure"),
)
Log = dict[str, Any]


class Stops:
    """Folds every stop's log anew, in its own way, and compares."""

    reads = (
        *("routes_stop", "routes_stopevent", "orders_order"),
        *("sync_deviceevent", "sync_quarantinedevent"),
    )

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.logs: dict[object, Log] = {}

    def check(self) -> None:
        rows = self.memory.tables.rows
        logs: dict[object, Log] = defaultdict(dict)
        for event in rows(StopEvent, *LOGGED):
            logs[event.stop_id][event.pk] = event
        self._all_have_effect({pk for log in logs.values() for pk in log})
        for pk, log in logs.items():
            for event in (
                log[each] for each in log.keys() - self.logs.get(pk, {}).keys()
            ):
                _check_delivery(event, log.values())
        for stop in rows(Stop, "pk", "status", "completed_at", "order__status"):
            _check_stop(stop, list(logs[stop.pk].values()))
        self.logs = dict(logs)

    def _all_have_effect(self, logged: set[str]) -> None:
        kept = {
            pk
            for pk, row in self.memory.events.items()
            if row.result in KEPT
            and row.code != REVOKED
            and (row.kind.startswith("stop.") or _is_correction(row))
        }
        without = logged - kept
        must(not without, "each takes effect once", ("without its event", without))
        lost = kept - logged
        must(not lost, "a stop's state agrees with its log", ("lost", lost))


def _is_correction(row: Any) -> bool:
    """Tell whether an event corrects one that counts; others wait for the office."""
    return bool(row.kind == "event.corrected" and row.code != "correction")


def _amended(events: Sequence[Any]) -> list[Any]:
    """Return a log in which what was corrected says what its last correction says."""
    meant = {event.corrects: event.kind for event in events if event.corrects}
    return [
        event._replace(kind=meant.get(event.pk, event.kind))
        for event in events
        if not event.corrects
    ]


def _attempt(in_order: Sequence[Any]) -> list[Any]:
    """Return the last attempt of a log that stands as it happened."""
    attempt: list[Any] = []
    for event in _amended(in_order):
        if event.kind == "stop.reopened":
            attempt = []
        elif event.kind != "stop.note":
            attempt.append(event)
    return attempt


def _in_order(log: Iterable[Any]) -> list[Any]:
    """Return a log as it happened; a device's own events as they are numbered."""
    events = list(log)
    return sorted(
        events,
        key=lambda each: (_instant(each, events), each.device_seq, each.pk),
    )


def _instant(event: Any, log: Sequence[Any]) -> datetime:
    """Return when an event was, as far as the others of its device allow it."""
    if event.device_id is None or event.device_seq < 1:
        return event.occurred_at  # type: ignore[no-any-return]
    mine = [each for each in log if each.device_id == event.device_id]
    mine = [each for each in mine if each.device_seq > 0]

    def lifted(one: Any) -> datetime:
        sure = [
            each.occurred_at
            for each in mine
            if each.is_sure and _number(each) <= _number(one)
        ]
        at: datetime = one.occurred_at
        return at if one.is_sure else max([at, *sure])

    return min(lifted(each) for each in mine if _number(each) >= _number(event))


def _number(event: Any) -> tuple[int, str]:
    return (event.device_seq, event.pk)


def _check_stop(stop: Any, log: list[Any]) -> None:
    name = "a stop's state agrees with its log"
    attempt = _attempt(_in_order(log))
    steps = [event.kind.removeprefix("stop.") for event in attempt]
    if stop.status == "cancelled":
        counted = [e for e in attempt if e.verdict.startswith("applied")]
        ends = [e for e in counted if e.kind.removeprefix("stop.") in OUTCOMES]
        must(not ends, name, ("delivered, and cancelled", stop.pk))
        return
    ended = [step for step in steps if step in OUTCOMES]
    due = (ended or steps or ["pending"])[-1]
    due = "succeeded" if "succeeded" in ended else due
    must(stop.status == due, name, (stop.pk, stop.status, due))
    is_done = stop.status in OUTCOMES
    must((stop.completed_at is not None) == is_done, name, (stop.pk, "completed_at"))
    if stop.status == "succeeded":
        is_told = stop.order__status == "delivered"
        must(is_told, name, (stop.pk, stop.order__status))


def _check_delivery(event: Any, log: Iterable[Any]) -> None:
    """A success counts only where none was before it in the same attempt."""
    if event.kind != "stop.succeeded" or not event.verdict.startswith("applied"):
        return
    if event.corrects:
        return  # it takes the place of an outcome that counted
    in_order = _in_order(log)
    until = in_order[: in_order.index(event)]
    before = [e.pk for e in _attempt(until) if e.kind == "stop.succeeded"]
    # A correction that came later may say that the first was none.
    meant = {each.pk: each.kind for each in _amended(in_order)}
    before = [pk for pk in before if meant[pk] == "stop.succeeded"]
    must(not before, "a stop is delivered at most once", (event.pk, before))
