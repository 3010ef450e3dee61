"""At the end of a day: is every device's view the server's, and was anything lost?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.training.fleet.device import Device
from apps.training.fleet.office import Office
from apps.training.fleet.store import Row, Store, differences

SETTLED = frozenset({"applied", "superseded", "needs_review", "held", "rejected"})
OUTCOMES = {
    "stop.succeeded": "succeeded",
    "stop.failed": "failed",
    "stop.partial": "partial",
}


@dataclass(slots=True)
class Verdict:
    """What the comparison found; empty lists are what one hopes for."""

    unequal: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)

    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not (self.unequal or self.lost or self.duplicated)


def check(devices: Sequence[Device], office: Office) -> Verdict:
    """Compare every device's store with a fresh full pull and with the office's view."""
    verdict = Verdict()
    routes = {row["driver"]: row for row in office.routes()}
    for device in devices:
        fresh = Store()
        device.pull_into(fresh)
        verdict.unequal += [
            f"{device.driver}: {line}"
            for line in differences(device.store.tables, fresh.tables)
        ]
        route = routes.get(device.driver_id)
        if route is not None:
            verdict.unequal += [
                f"{device.driver}: {line}" for line in _against_office(device, route)
            ]
        _count_events(device, fresh, verdict)
    _count_twice_held(devices, verdict)
    _count_outcomes(devices, office, verdict)
    return verdict


def _against_office(device: Device, route: Row) -> list[str]:
    """Return where the device's route and stops are not what the office sees."""
    found = []
    mine = device.store.rows("routes").get(route["id"])
    if mine is None:
        return [f"route {route['id']}: missing on the device"]
    found += _unlike(
        "route", mine, route, ("status", "version"), ("starts_at", "ends_at")
    )
    theirs = {stop["id"]: stop for stop in route["stops"]}
    held = {
        stop["id"]: stop
        for stop in device.store.rows("stops").values()
        if stop["route_id"] == route["id"]
    }
    found += [f"stop {i}: missing on the device" for i in theirs.keys() - held.keys()]
    found += [f"stop {i}: missing at the office" for i in held.keys() - theirs.keys()]
    for stop_id in sorted(held.keys() & theirs.keys()):
        found += _unlike(
            "stop",
            held[stop_id],
            theirs[stop_id],
            ("sequence", "status", "reason", "version"),
            ("eta_at", "arrived_at", "completed_at"),
        )
    return found


def _unlike(
    what: str, mine: Row, theirs: Row, plain: Sequence[str], instants: Sequence[str]
) -> list[str]:
    pairs: list[tuple[str, Any, Any]] = [(n, mine[n], theirs[n]) for n in plain]
    pairs += [(name, mine[name], _epoch_ms(theirs[name])) for name in instants]
    return [
        f"{what} {mine['id']}: {name} is {ours!r} on the device, {other!r} at the office"
        for name, ours, other in pairs
        if ours != other
    ]


def _epoch_ms(text: str | None) -> int | None:
    if text is None:
        return None
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def _count_events(device: Device, fresh: Store, verdict: Verdict) -> None:
    """Every event that was made is on the server once, and was taken once."""
    kept = fresh.rows("event_results")
    for event in device.outbox.made:
        row = kept.get(event.id)
        if row is None or row["kind"] != event.kind:
            verdict.lost.append(f"{device.driver}: {event.kind} #{event.seq}")
            continue
        verdict.results[f"{row['result']}/{row['code']}"] += 1
        taken = [r for r in device.answers.get(event.id, []) if r in SETTLED]
        if len(taken) > 1:
            verdict.duplicated.append(f"{device.driver}: {event.kind} #{event.seq}")
    made = {event.id for event in device.outbox.made}
    verdict.duplicated += [
        f"{device.driver}: event {row_id} was never made"
        for row_id in kept.keys() - made
    ]


def _count_twice_held(devices: Sequence[Device], verdict: Verdict) -> None:
    holders = Counter(
        stop_id for device in devices for stop_id in device.store.rows("stops")
    )
    verdict.duplicated += [
        f"stop {stop_id} is on {count} devices"
        for stop_id, count in holders.items()
        if count > 1
    ]


def _count_outcomes(
    devices: Sequence[Device], office: Office, verdict: Verdict
) -> None:
    """What was applied of the devices' outcomes is what the orders say now."""
    status_of = {
        stop["id"]: stop["status"]
        for route in office.routes()
        for stop in route["stops"]
    }
    applied: dict[str, list[str]] = {}
    for device in devices:
        rows = device.store.rows("event_results")
        for event in device.outbox.made:
            row = rows.get(event.id)
            if (
                event.kind in OUTCOMES
                and row is not None
                and row["result"] == "applied"
            ):
                applied.setdefault(event.stop_id, []).append(OUTCOMES[event.kind])
    for stop_id, outcomes in applied.items():
        if outcomes.count("succeeded") > 1:
            verdict.duplicated.append(f"stop {stop_id} was delivered twice")
        status = status_of.get(stop_id)
        if status is not None and status not in outcomes:
            verdict.lost.append(f"stop {stop_id}: {outcomes} was applied, now {status}")
