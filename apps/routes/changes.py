"""What people may change of a running plan, one frozen dataclass a kind, and its impact. Pure.

Ids are strings, of stops, routes, shifts, vehicles and recommendations; instants are aware.
`from_wire` reads what a device, a page or a programme sends; `as_wire` writes it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from apps.core.problems import FieldError, Invalid

Id = Annotated[str, Meta(min_length=1, max_length=64)]
OptionalId = Annotated[str, Meta(max_length=64)]
Why = Annotated[str, Meta(max_length=300)]
Place = Annotated[int, Meta(ge=1, le=5000)]
Seconds = Annotated[int, Meta(ge=60, le=8 * 3600)]
Instant = Annotated[datetime, Meta(tz=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStop:
    """Serve a stop at another place of its route, and keep it there.

    Exactly one says where: its new number on the route as the driver sees it (`place`),
    or the stop that it comes directly before or after.
    """

    stop_id: Id
    place: Place | None = None
    before_stop_id: OptionalId = ""
    after_stop_id: OptionalId = ""
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinStop:
    """Keep a stop at its place, with its driver, or within a time, whatever else changes.

    `at_place` holds its number on the route; `from_at` and `until_at` hold the begin of
    its service in [from_at, until_at). `is_released` takes all its pins off again.
    """

    stop_id: Id
    at_place: bool = False
    with_driver: bool = False
    from_at: Instant | None = None
    until_at: Instant | None = None
    is_released: bool = False
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveStop:
    """Give a stop to another driver's shift, and keep it there.

    Without a `place` it goes where it costs least. A parcel that is on the road already
    changes hands only where the drivers meet: `is_handed_over` says that they do.
    """

    stop_id: Id
    shift_id: Id
    place: Place | None = None
    is_handed_over: bool = False
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOff:
    """Nobody serves a stop today; its order stays open for another day."""

    stop_id: Id
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStop:
    """The driver passes a stop by: the attempt has failed, and why."""

    stop_id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow:
    """Serve a stop's order within another window, [opens_at, closes_at)."""

    stop_id: Id
    opens_at: Instant
    closes_at: Instant
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRoute:
    """Leave a route as it is: re-optimization neither adds, removes nor reorders.

    Until `until_at`, or for the rest of the day.
    """

    route_id: Id
    until_at: Instant | None = None
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockRoute:
    """Let re-optimization change a locked route again."""

    route_id: Id
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeAlternative:
    """Follow one of a recommendation's alternatives instead of the recommendation itself.

    `alternative` counts from 0, as the recommendation lists them.
    """

    recommendation_id: Id
    alternative: Annotated[int, Meta(ge=0, le=99)] = 0
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndShiftEarly:
    """End a shift at `ends_at`, before its plan: what does not fit any more goes elsewhere."""

    shift_id: Id
    ends_at: Instant
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVehicle:
    """Drive a shift, or the rest of it, with another vehicle of the depot."""

    shift_id: Id
    vehicle_id: Id
    reason: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraBreak:
    """Rest once more, beginning from `from_at` to `until_at`, both included."""

    shift_id: Id
    from_at: Instant
    until_at: Instant
    duration_s: Seconds
    reason: Why = ""


Change = (
    MoveStop
    | PinStop
    | GiveStop
    | TakeOff
    | SkipStop
    | ChangeWindow
    | LockRoute
    | UnlockRoute
    | TakeAlternative
    | EndShiftEarly
    | ChangeVehicle
    | ExtraBreak
)

KINDS: Final[Mapping[str, type[Change]]] = {
    "move_stop": MoveStop,
    "pin_stop": PinStop,
    "give_stop": GiveStop,
    "take_off": TakeOff,
    "skip_stop": SkipStop,
    "change_window": ChangeWindow,
    "lock_route": LockRoute,
    "unlock_route": UnlockRoute,
    "take_alternative": TakeAlternative,
    "end_shift_early": EndShiftEarly,
    "change_vehicle": ChangeVehicle,
    "extra_break": ExtraBreak,
}
"""Every kind of change by its name on the wire."""

KIND_NAMES: Final[Mapping[str, str]] = {
    "move_stop": "Move a stop",
    "pin_stop": "Pin a stop",
    "give_stop": "Give a stop to another driver",
    "take_off": "Take a stop off today",
    "skip_stop": "Skip a stop",
    "change_window": "Change a window",
    "lock_route": "Lock a route",
    "unlock_route": "Unlock a route",
    "take_alternative": "Take an alternative",
    "end_shift_early": "End a shift early",
    "change_vehicle": "Change the vehicle",
    "extra_break": "An extra break",
}
"""Every kind in plain English."""


def kind_of(change: Change) -> str:
    """Return a change's kind, by its name on the wire."""
    return next(name for name, kind in KINDS.items() if type(change) is kind)


def from_wire(kind: str, values: Mapping[str, Any]) -> Change:
    """Read a change from JSON values.

    Raises:
        Invalid: there is no such kind, or a value is missing, unknown or of another
            shape; each fault names its member.
    """
    shape = KINDS.get(kind)
    if shape is None:
        known = ", ".join(KINDS)
        text = f"There is no change “{kind[:40]}”. There are: {known}."
        raise Invalid(text, errors=[FieldError("/kind", "unknown", text)])
    unknown = sorted(set(values) - {one.name for one in fields(shape)})
    if unknown:
        raise Invalid(
            errors=[
                FieldError(f"/{name}", "unknown", f"A {kind} has no such member.")
                for name in unknown
            ]
        )
    try:
        change: Change = msgspec.convert(dict(values), shape)
    except msgspec.ValidationError as fault:
        raise _invalid(fault) from fault
    if faults := [*_faults(change)]:
        raise Invalid(faults[0].detail, errors=faults)
    return change


def as_wire(change: Change) -> dict[str, Any]:
    """Return a change as JSON values, without what it leaves open; see `kind_of`."""
    values: dict[str, Any] = msgspec.to_builtins(change)
    return {name: value for name, value in values.items() if value or value == 0}


def _invalid(fault: msgspec.ValidationError) -> Invalid:
    """Turn `… - at `$.place`` into a fault with a JSON pointer."""
    sentence, _, path = str(fault).partition(" - at `$")
    pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    return Invalid(sentence, errors=[FieldError(pointer, "shape", sentence)])


def _faults(change: Change) -> list[FieldError]:
    """Return what a shape alone cannot say of a change."""
    if isinstance(change, MoveStop):
        named = [change.place, change.before_stop_id, change.after_stop_id]
        if sum(bool(one) for one in named) != 1:
            text = "Say where: one of place, before_stop_id and after_stop_id."
            return [FieldError("/place", "one_of", text)]
        if change.stop_id in {change.before_stop_id, change.after_stop_id}:
            text = "A stop cannot come before or after itself: name two."
            return [FieldError("/stop_id", "same", text)]
    if isinstance(change, PinStop):
        return _pin_faults(change)
    if isinstance(change, ChangeWindow) and change.closes_at <= change.opens_at:
        return [
            FieldError("/closes_at", "inverted", "The window ends before it opens.")
        ]
    if isinstance(change, ExtraBreak) and change.until_at < change.from_at:
        text = "The latest begin lies before the earliest."
        return [FieldError("/until_at", "inverted", text)]
    return []


def _pin_faults(change: PinStop) -> list[FieldError]:
    holds = [change.at_place, change.with_driver, change.from_at, change.until_at]
    if any(holds) == change.is_released:
        text = "Say what is pinned: its place, its driver or its time; or is_released."
        return [FieldError("/at_place", "one_of", text)]
    if change.from_at and change.until_at and change.until_at <= change.from_at:
        return [FieldError("/until_at", "inverted", "The time ends before it begins.")]
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule or a promise that a change breaks, for one order or one shift.

    Ids are empty where they do not apply. `is_promise` tells an ETA that was told from a
    window or another rule. `text` has stop numbers and references, never a person's name.
    """

    code: str
    order_id: str = ""
    stop_id: str = ""
    shift_id: str = ""
    minutes_late: int = 0
    is_promise: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One visit of a route in an impact: its number on the route and when it is reached."""

    stop_id: str
    order_id: str
    number: int
    eta_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSketch:
    """What is ahead of one route: for a picture of it, and a map.

    `route_id` is empty for a shift that has no route yet.
    """

    shift_id: str
    driver_id: str
    route_id: str
    ends_at: datetime
    stops: tuple[Called, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a change does to the plan that runs, before anybody decides.

    `minutes`, `distance_m` and `cost_minor` are differences, plus is more. `left_out` are
    orders that no driver has any more, `moved` the stops whose driver, number or time
    differs, `other_drivers` those touched beside the one whose stop, route or shift it is.
    `version` names the state it was worked out on: `apply_change` wants it back.
    `departs_at` is when the first touched route leaves the depot, or left it.

    `is_feasible` says that no window, shift, load or skill is broken. `summary` and
    `reasons` are plain words without names of persons. `inputs` and `answer` are canonical
    JSON for the ledger; the same inputs give the same answer to the byte (`rerun_impact`).
    """

    kind: str
    summary: str
    minutes: int
    distance_m: int
    cost_minor: int
    currency: str
    left_out: tuple[str, ...]
    moved: tuple[str, ...]
    broken: tuple[Broken, ...]
    drivers: tuple[str, ...]
    other_drivers: tuple[str, ...]
    before: tuple[RouteSketch, ...]
    after: tuple[RouteSketch, ...]
    version: str
    is_feasible: bool
    reasons: tuple[str, ...]
    depot_id: str
    worked_out_at: datetime
    departs_at: datetime | None = None
    inputs: bytes = b""
    answer: bytes = b""
    engine: str = ""
    engine_version: str = ""
    seed: int = 0

    @property
    def stops_moved(self) -> int:
        """How many stops change their driver, number or time."""
        return len(self.moved)

    @property
    def windows_broken(self) -> int:
        """How many windows of customers are missed."""
        return sum(one.code == "window_missed" for one in self.broken)

    @property
    def promises_broken(self) -> int:
        """How many customers are reached later than they were told."""
        return sum(one.is_promise for one in self.broken)


def impact_as_wire(impact: Impact) -> dict[str, Any]:
    """Return an impact as JSON values, for a row or a page; without the ledger's bytes."""
    values: dict[str, Any] = msgspec.to_builtins(impact)
    return {name: values[name] for name in values if name not in {"inputs", "answer"}}


def impact_from_wire(values: Mapping[str, Any]) -> Impact:
    """Read what `impact_as_wire` wrote."""
    return msgspec.convert(dict(values), Impact)
