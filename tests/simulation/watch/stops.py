"""Stops: delivered once at the most, and what their logs say."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from apps.routes.models import Stop, StopEvent
from tests.simulation.device import OUTCOMES
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import KEPT, REVOKED, Memory

LOGGED = ("pk", "stop_id", "kind", "occurred_at", "device_seq", "verdict", "corrects")
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


def _amended(log: Iterable[Any]) -> list[Any]:
    """Return a log in which what was corrected says what its last correction says."""
    events = sorted(log, key=_place)
    meant = {event.corrects: event.kind for event in events if event.corrects}
    return [
        event._replace(kind=meant.get(event.pk, event.kind))
        for event in events
        if not event.corrects
    ]


def _attempt(log: Iterable[Any]) -> list[Any]:
    """Return a log's last attempt, in the order in which it happened."""
    attempt: list[Any] = []
    for event in _amended(log):
        if event.kind == "stop.reopened":
            attempt = []
        elif event.kind != "stop.note":
            attempt.append(event)
    return attempt


def _place(event: Any) -> tuple[Any, int, str]:
    return (event.occurred_at, event.device_seq, event.pk)


def _check_stop(stop: Any, log: list[Any]) -> None:
    name = "a stop's state agrees with its log"
    attempt = _attempt(log)
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
    until = [each for each in log if _place(each) < _place(event)]
    before = [e.pk for e in _attempt(until) if e.kind == "stop.succeeded"]
    # A correction that came later may say that the first was none.
    meant = {each.pk: each.kind for each in _amended(log)}
    before = [pk for pk in before if meant[pk] == "stop.succeeded"]
    must(not before, "a stop is delivered at most once", (event.pk, before))
