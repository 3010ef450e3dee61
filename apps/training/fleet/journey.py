"""One driver's day: what a person with a van and a handheld does, from start to end."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from apps.training.fleet.device import Device
from apps.training.fleet.signals import Outage, is_out
from apps.training.fleet.store import Row
from apps.training.fleet.truths import Truth, Visit
from apps.training.town.plane import LatLon

BREAK_SLACK = timedelta(minutes=5)
BREAK_S = 1_800
LATEST_AFTER_END = timedelta(minutes=75)
"""How long after the shift's planned end a driver still begins a stop."""

LOOK_FOR_WORK, GIVE_UP_BEFORE = timedelta(minutes=10), timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=90)
FAILED_ATTEMPT_SHARE = 0.5
"""A door that stays shut takes half the time of one that opens."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened in the day, without any id of the server's."""

    at: datetime
    driver: str
    kind: str
    reference: str = ""
    detail: str = ""

    def text(self) -> str:
        """Return the one text of the fact."""
        return "|".join(
            (self.at.isoformat(), self.driver, self.kind, self.reference, self.detail)
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who drives what, when and from where."""

    driver: str
    driver_id: str
    shift_id: str
    starts_at: datetime
    ends_at: datetime
    depot: LatLon
    by_bike: bool
    late_s: int
    service_date: date


@dataclass(frozen=True, slots=True)
class _Leg:
    origin: LatLon
    destination: LatLon
    begins_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class Journey:
    """A driver under way: follows the device, and tells it what happens."""

    given: Assignment
    device: Device
    truth: Truth
    now: Callable[[], datetime]
    outages: list[Outage]
    facts: list[Fact] = field(default_factory=list)
    trail: list[LatLon] = field(default_factory=list)
    begun: list[tuple[Visit, datetime]] = field(default_factory=list)
    is_over: bool = False
    has_told: bool = False
    _leg: _Leg | None = None
    _place: LatLon = (0.0, 0.0)
    _has_rested: bool = False

    # ── where the driver is, and whether the telephone works ────────────────
    def place(self) -> LatLon:
        """Return where the driver is now."""
        leg = self._leg
        if leg is None:
            return self._place
        whole_s = (leg.ends_at - leg.begins_at).total_seconds()
        gone_s = (self.now() - leg.begins_at).total_seconds()
        share = min(1.0, gone_s / whole_s) if whole_s > 0 else 1.0
        return self.truth.between(leg.origin, leg.destination, share)

    def watch_signal(self) -> None:
        """Let the device lose or find its signal, as the place and the hour have it."""
        works = self.truth.has_signal(self.place())
        if works and not is_out(self.outages, self.now()):
            self.device.go_online()
        else:
            self.device.go_offline()

    def tell(self) -> None:
        """Send what waits, if there is signal.

        Once a step: between two pushes the server may think, and a day whose outcome
        hung on who of them is quicker would not happen twice.
        """
        if self.device.is_online and self.device.outbox.waiting:
            self.device.push()
            self.has_told = True

    # ── the day ─────────────────────────────────────────────────────────────
    def work(self) -> Iterator[datetime]:
        """Live the day; yields the instants at which to go on."""
        given = self.given
        self._place = given.depot
        self.trail.append(given.depot)
        self.watch_signal()
        yield given.starts_at + timedelta(seconds=given.late_s)
        self._report("shift.started", payload={"shift_id": given.shift_id})
        route = self.device.route()
        if route is not None:
            yield max(self.now(), _instant(route["starts_at"]))
        while True:
            yield from self._visit_all()
            yield from self._go(given.depot)
            if self._next() is None:
                if not self._stands_by():
                    break
                yield self.now() + LOOK_FOR_WORK
        self._report("shift.ended", payload={"shift_id": given.shift_id})
        self.is_over = True

    def _stands_by(self) -> bool:
        """Tell whether to wait for work: who had none today does, almost to the end."""
        return not self.begun and self.now() < self.given.ends_at - GIVE_UP_BEFORE

    def _next(self) -> Row | None:
        """Return the stop to go to; none when it is too late for another one."""
        if self.now() > self.given.ends_at + LATEST_AFTER_END:
            return None
        return self.device.next_stop()

    def _visit_all(self) -> Iterator[datetime]:
        while (stop := self._next()) is not None:
            if self._break_is_due(stop):
                yield from self._rest()
                continue
            yield from self._visit(stop)

    def _break_is_due(self, stop: Row) -> bool:
        route = self.device.route()
        if self._has_rested or route is None or route["break_starts_at"] is None:
            return False
        begins_at = _instant(route["break_starts_at"])
        if self.now() >= begins_at - BREAK_SLACK:
            return True
        eta_ms = stop["eta_at"]
        # The plan has the break before this stop: there is nothing to hurry for.
        return (
            eta_ms is not None
            and _instant(eta_ms) > begins_at + timedelta(seconds=BREAK_S)
            and begins_at - self.now() < timedelta(minutes=30)
        )

    def _rest(self) -> Iterator[datetime]:
        self._has_rested = True
        payload = {"shift_id": self.given.shift_id}
        self._report("shift.paused", payload=payload)
        yield self.now() + timedelta(seconds=BREAK_S)
        self._report("shift.started", payload=payload, fact="shift.resumed")
        yield self.now()

    def _visit(self, stop: Row) -> Iterator[datetime]:
        visit = self._visit_of(stop)
        self.device.visited.add(stop["id"])
        self._report("stop.enroute", stop=stop, visit=visit)
        yield from self._go(visit.place)
        self._report("stop.arrived", stop=stop, visit=visit)
        yield self.now()
        opens_at = visit.opens_after(self.now())
        if opens_at is not None and opens_at - self.now() < LONGEST_WAIT:
            yield opens_at
        self.begun.append((visit, self.now()))
        order = self.device.store.rows("orders").get(stop["order_id"])
        # A row that went away was given to another driver: the parcel is in this van.
        if order is not None and order["is_cancelled"]:
            detail = {"reason": "other", "note": "The order is cancelled."}
            self._report("stop.failed", stop=stop, visit=visit, payload=detail)
            yield self.now()
            return
        outcome = self.truth.outcome(visit, self.now())
        service_s = self.truth.service_s(
            visit, self.given.driver, self.given.service_date
        )
        if outcome.kind == "stop.failed":
            service_s = round(service_s * FAILED_ATTEMPT_SHARE)
        yield self.now() + timedelta(seconds=service_s)
        payload: dict[str, Any] = {"lat": visit.place[0], "lon": visit.place[1]}
        if outcome.reason:
            payload["reason"] = outcome.reason
        if outcome.kind == "stop.partial":
            payload["pieces"] = outcome.pieces
        self._report(outcome.kind, stop=stop, visit=visit, payload=payload)
        # The server may have another next stop by now: look only after it has thought.
        yield self.now()

    def _visit_of(self, stop: Row) -> Visit:
        order = self.device.order_of(stop)
        windows = [(_instant(a), _instant(b)) for a, b in json.loads(order["windows"])]
        return Visit(
            reference=order["reference"],
            place=(order["lat"], order["lon"]),
            pieces=order["pieces"],
            windows=tuple(windows),
        )

    def _go(self, destination: LatLon) -> Iterator[datetime]:
        origin, now = self._place, self.now()
        travel_s = self.truth.travel_s(
            origin, destination, now, by_bike=self.given.by_bike
        )
        arrives_at = now + timedelta(seconds=travel_s)
        self._leg = _Leg(origin, destination, now, arrives_at)
        yield arrives_at
        self._leg, self._place = None, destination
        self.trail.append(destination)

    def acknowledge(self, change_id: str) -> None:
        """Tell that a change of the plan was seen."""
        self._report("plan.acknowledged", payload={"change_id": change_id})

    def _report(
        self,
        kind: str,
        *,
        stop: Row | None = None,
        visit: Visit | None = None,
        payload: dict[str, Any] | None = None,
        fact: str = "",
    ) -> None:
        """Write a fact down, and send it if there is signal."""
        self.watch_signal()
        stop_id = stop["id"] if stop else ""
        self.device.report(kind, stop_id=stop_id, payload=payload)
        if kind != "plan.acknowledged":
            reason = str((payload or {}).get("reason", ""))
            reference = visit.reference if visit else ""
            self.facts.append(
                Fact(self.now(), self.given.driver, fact or kind, reference, reason)
            )
        self.tell()


def _instant(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
