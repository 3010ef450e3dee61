"""The recommended and the chosen way replayed on the same day, and which was better. Pure.

Both ways are driven through the same world: a leg or a service that both have is the same
in both, whatever is known of it, and cancels. What is uncertain is moved, one thing at a
time, and the change of the *difference* is what it adds to the spread. Each is moved by
fixed steps to both sides and the steepest answer counts, so that a window just about to be
missed is seen; and since the steps do not depend on how uncertain a thing is, more noise
always means a larger spread.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apps.verdicts.ways import (
    END,
    Judged,
    LegKey,
    Part,
    Replayed,
    Ruling,
    Step,
    Visit,
    Way,
    World,
)

Z: Final = 1.96
"""A choice is judged only if the difference is so many spreads from nothing: where both
ways were equal, one of twenty is judged (normal distribution, both sides)."""

LEAST_S: Final = 60.0
"""What is worth less than a minute of the driver is not judged, however sure it is."""

STEPS_S: Final = (-240.0, -60.0, 60.0, 240.0)
"""By how much one leg or service is moved to see what it changes."""

COMMON_STEPS: Final = (-0.20, -0.05, 0.05, 0.20)
"""The same for the factor that all estimated legs of a shift share."""

MOST_PARTS: Final = 12

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Source:
    """One uncertain thing: its name, its spread, and the steps by which it is moved."""

    name: str
    sd: float
    steps: tuple[float, ...]
    leg: LegKey | None = None
    stop: str = ""
    shift: str = ""
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class _Stay:
    """What happens at a stop, in each column: seconds."""

    waits: Numbers
    service: Numbers
    window_late: Numbers
    promise_late: Numbers


@dataclass(slots=True)
class _Run:
    """Ways driven in as many worlds at once as there are columns."""

    milli: Numbers
    seconds: Numbers
    leaves: list[Numbers] = field(default_factory=list)
    base: list[Step] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, milli: Numbers) -> None:
        """Add one part of the cost to every column, and to the sums of the first."""
        self.milli += milli
        self.costs[name] = self.costs.get(name, 0.0) + float(milli[0])


def judge(recommended: Sequence[Way], chosen: Sequence[Way], world: World) -> Judged:
    """Replay both ways and say whether the choice was right, wrong, or undecidable.

    Raises:
        KeyError: a leg or a visit of a way is not in the world.
        ValueError: the ways are not of the same shifts.
    """
    if {way.shift_id for way in recommended} != {way.shift_id for way in chosen}:
        raise ValueError("Both ways are of the same shifts.")
    sources = _sources((*recommended, *chosen), world)
    first = _driven(recommended, world, sources)
    second = _driven(chosen, world, sources)
    gained_milli = first.milli - second.milli
    gained_s = first.seconds - second.seconds
    parts = _spreads(gained_milli, sources)
    metres = _distance_parts(recommended, chosen, world)
    least = _least_milli((*recommended, *chosen))
    gained, sd = float(gained_milli[0]), _root([*parts, *metres.values()])
    named = [source.name for source in sources] + [f"m {name}" for name in metres]
    found = sorted(
        (
            Part(name=name, sd_minor=part / 1000)
            for name, part in zip(named, [*parts, *metres.values()], strict=True)
            if part > 0
        ),
        key=lambda part: (-part.sd_minor, part.name),
    )
    return Judged(
        ruling=ruling_of(gained, sd, least),
        gained_minor=gained / 1000,
        gained_s=float(gained_s[0]),
        sd_minor=sd / 1000,
        sd_s=_root(_spreads(gained_s, sources)),
        least_minor=max(Z * sd, least) / 1000,
        recommended=_replayed(first, sources),
        chosen=_replayed(second, sources),
        parts=tuple(found[:MOST_PARTS]),
    )


def ruling_of(gained: float, sd: float, least: float) -> Ruling:
    """Return who was right by a gain, its spread, and what is worth a ruling at all.

    All in one unit. Undecidable: not beyond `Z` spreads, or less than `least`.
    """
    if abs(gained) <= Z * sd or abs(gained) < least:
        return Ruling.UNDECIDABLE
    return Ruling.RIGHT if gained > 0 else Ruling.WRONG


def _least_milli(ways: Sequence[Way]) -> float:
    return LEAST_S * max((way.prices.per_s_milli for way in ways), default=0.0)


def _sources(ways: Sequence[Way], world: World) -> list[_Source]:
    """Return what is uncertain of these ways, in an order that does not depend on theirs."""
    keys = sorted({key for way in ways for key in way.keys})
    stops = sorted({stop for way in ways for stop in way.stops})
    found = [
        _Source(" ".join(key), world.legs[key].sd_s, STEPS_S, leg=key)
        for key in keys
        if world.legs[key].sd_s > 0
    ]
    found += [
        _Source(stop, world.visits[stop].sd_s, STEPS_S, stop=stop)
        for stop in stops
        if world.visits[stop].sd_s > 0
    ]
    estimated = {key[0] for key in keys if world.legs[key].common}
    found += [
        _Source(f"day {shift}", world.common_sd[shift], COMMON_STEPS, shift=shift)
        for shift in sorted(estimated)
        if world.common_sd.get(shift, 0.0) > 0
    ]
    paces = {way.shift_id: way.pace_sd for way in ways if way.stops and way.pace_sd}
    found += [
        _Source(f"vehicle {name}", sd, COMMON_STEPS, vehicle=name)
        for name, sd in sorted(paces.items())
    ]
    return found


def _driven(ways: Sequence[Way], world: World, sources: Sequence[_Source]) -> _Run:
    """Drive ways in the world as it is (column 0) and in every moved one."""
    count = 1 + sum(len(source.steps) for source in sources)
    run = _Run(np.zeros(count), np.zeros(count))
    moved = _Moved(sources, count)
    for way in sorted(ways, key=lambda way: way.shift_id):
        if way.stops:
            _drive(way, world, moved, run)
    return run


class _Moved:
    """By how much each leg and service is moved in each column."""

    def __init__(self, sources: Sequence[_Source], count: int) -> None:
        self.none = np.zeros(count)
        self._legs: dict[LegKey, Numbers] = {}
        self._stops: dict[str, Numbers] = {}
        self._shifts: dict[str, Numbers] = {}
        self._vehicles: dict[str, Numbers] = {}
        at = 1
        for source in sources:
            row = np.zeros(count)
            row[at : at + len(source.steps)] = source.steps
            at += len(source.steps)
            if source.leg is not None:
                self._legs[source.leg] = row
            elif source.stop:
                self._stops[source.stop] = row
            elif source.vehicle:
                self._vehicles[source.vehicle] = row
            else:
                self._shifts[source.shift] = row

    def leg_s(self, key: LegKey, world: World) -> Numbers:
        """Return a leg's seconds in each column."""
        leg = world.legs[key]
        found = leg.seconds + self._legs.get(key, self.none)
        if leg.common and key[0] in self._shifts:
            found = found + leg.seconds * leg.common * self._shifts[key[0]]
        return found

    def pace(self, way: Way) -> Numbers:
        """Return how long a way's legs take in each column, by those that were driven."""
        moved = self._vehicles.get(way.shift_id, self.none)
        return way.pace * (1 + moved if way.pace_sd else 1 + self.none)

    def service_s(self, stop: str, world: World) -> Numbers:
        """Return a service's seconds in each column."""
        return world.visits[stop].service_s + self._stops.get(stop, self.none)


class _Clock:
    """When a driver is where, in each column, and which breaks are still to come."""

    def __init__(self, way: Way, count: int) -> None:
        self.at = np.full(count, float(way.begins_s))
        self._rests = sorted(way.rests, key=lambda rest: (rest.due_s, rest.duration_s))
        self._open = [np.ones(count, dtype=bool) for _ in self._rests]

    def rest(self, *, at_the_end: bool = False) -> float:
        """Take what is due; return how long that was in the first column.

        A break that was not due before the end is taken there: both ways have it.
        """
        before = float(self.at[0])
        for number, rest in enumerate(self._rests):
            is_open = self._open[number]
            due = is_open if at_the_end else is_open & (self.at >= rest.due_s)
            self.at = np.where(due, self.at + rest.duration_s, self.at)
            self._open[number] = is_open & ~due
        return float(self.at[0]) - before


def _drive(way: Way, world: World, moved: _Moved, run: _Run) -> None:
    """Drive one way, and add what it costs."""
    clock = _Clock(way, len(run.milli))
    distance_m, late, broken = 0, moved.none, moved.none
    pace = moved.pace(way)
    for key in way.keys:
        leg, there = world.legs[key], key[2]
        rested_s = clock.rest()
        clock.at = clock.at + moved.leg_s(key, world) * pace
        arrives_s = float(clock.at[0])
        rested_s += clock.rest(at_the_end=there == END)
        stay = _Stay(moved.none, moved.none, moved.none, moved.none)
        if there != END:
            visit = _visit(way, there, world)
            stay = _stay(visit, clock.at, moved.service_s(there, world))
        clock.at = clock.at + stay.waits + stay.service
        late, broken = late + stay.window_late, broken + stay.promise_late
        distance_m += leg.distance_m
        run.leaves.append(clock.at)
        run.base.append(
            Step(
                shift_id=way.shift_id,
                here=key[1],
                there=there,
                is_observed=leg.is_observed and way.pace == 1,
                leg_s=leg.seconds * way.pace,
                leg_sd_s=_leg_sd_s(key, world) * way.pace,
                distance_m=leg.distance_m,
                arrives_s=arrives_s,
                waits_s=float(stay.waits[0]),
                rests_s=rested_s,
                service_s=float(stay.service[0]),
                is_service_observed=there == END or world.visits[there].is_observed,
                leaves_s=float(clock.at[0]),
                leaves_sd_s=0.0,
                window_late_s=float(stay.window_late[0]),
                promise_late_s=float(stay.promise_late[0]),
            )
        )
    milli = late * way.prices.window_late_per_s_milli
    run.add("late", milli + broken * way.prices.promise_late_per_s_milli)
    _pay(way, run, clock.at, distance_m)


def _visit(way: Way, stop: str, world: World) -> Visit:
    """Return a stop's visit with the windows that it has in this way."""
    visit = world.visits[stop]
    if stop not in way.windows:
        return visit
    return replace(visit, windows=way.windows[stop], promised_s=None)


def _leg_sd_s(key: LegKey, world: World) -> float:
    """Return a leg's whole spread: its own, and its share of the day's."""
    leg, common_sd = world.legs[key], world.common_sd.get(key[0], 0.0)
    return math.hypot(leg.sd_s, leg.seconds * leg.common * common_sd)


def _stay(visit: Visit, at: Numbers, service: Numbers) -> _Stay:
    begins, window_late = _within(visit.windows, at)
    promise_late = np.zeros(len(at))
    if visit.promised_s is not None:
        promise_late = np.maximum(0.0, begins - visit.promised_s)
    return _Stay(begins - at, service, window_late, promise_late)


def _pay(way: Way, run: _Run, ends: Numbers, distance_m: int) -> None:
    """Add what time, distance and overtime of a way cost."""
    prices, took = way.prices, ends - way.begins_s
    over = np.maximum(0.0, ends - max(way.shift_ends_s, way.begins_s))
    run.seconds += took
    run.add("time", took * prices.per_s_milli)
    run.add("distance", np.full(len(took), distance_m * prices.per_m_milli))
    run.add("overtime", over * prices.overtime_per_s_milli)
    run.costs["overtime_s"] = run.costs.get("overtime_s", 0.0) + float(over[0])


def _within(
    windows: Sequence[tuple[float, float]], at: Numbers
) -> tuple[Numbers, Numbers]:
    """Return when service begins, and by how much that is after a window.

    Who comes between two windows serves late, or waits for the next, whichever is less.
    """
    if not windows:
        return at, np.zeros(len(at))
    ordered = sorted(windows)
    begins, late = at, np.maximum(0.0, at - ordered[-1][1])
    for number in reversed(range(len(ordered))):
        opens, closes = ordered[number]
        missed = at - ordered[number - 1][1] if number else np.full(len(at), np.inf)
        waits = (at < closes) & (missed >= opens - at)
        begins = np.where(waits, np.maximum(at, opens), begins)
        late = np.where(waits, 0.0, late)
        serves = (at < opens) & (missed >= 0) & (missed < opens - at)
        begins = np.where(serves, at, begins)
        late = np.where(serves, missed, late)
    return begins, late


def _spreads(values: Numbers, sources: Sequence[_Source]) -> list[float]:
    """Return what each source adds to the spread of a value: its steepest slope × sd."""
    found, at = [], 1
    for source in sources:
        steps = np.array(source.steps)
        slopes = np.abs((values[at : at + len(steps)] - values[0]) / steps)
        at += len(steps)
        found.append(_flat(float(slopes.max())) * source.sd)
    return found


def _distance_parts(
    recommended: Sequence[Way], chosen: Sequence[Way], world: World
) -> dict[str, float]:
    """Return what the distances add to the spread: of legs that only one way has."""
    times: Counter[tuple[LegKey, float]] = Counter()
    for sign, ways in ((1, recommended), (-1, chosen)):
        for way in ways:
            for key in way.keys:
                times[key, way.prices.per_m_milli] += sign
    return {
        " ".join(key): abs(count) * price * world.legs[key].distance_sd_m
        for (key, price), count in sorted(times.items())
        if count and world.legs[key].distance_sd_m > 0
    }


def _flat(slope: float) -> float:
    """Take what floating point leaves of nothing as nothing."""
    return 0.0 if slope < 1e-9 else slope


def _root(parts: Sequence[float]) -> float:
    return math.sqrt(math.fsum(sorted(part * part for part in parts)))


def _replayed(run: _Run, sources: Sequence[_Source]) -> Replayed:
    steps = tuple(
        replace(step, leaves_sd_s=_root(_spreads(leaves, sources)))
        for step, leaves in zip(run.base, run.leaves, strict=True)
    )
    return Replayed(
        duration_s=float(run.seconds[0]),
        distance_m=sum(step.distance_m for step in steps),
        overtime_s=run.costs.get("overtime_s", 0.0),
        window_late_s=math.fsum(step.window_late_s for step in steps),
        promise_late_s=math.fsum(step.promise_late_s for step in steps),
        time_minor=run.costs.get("time", 0.0) / 1000,
        distance_minor=run.costs.get("distance", 0.0) / 1000,
        overtime_minor=run.costs.get("overtime", 0.0) / 1000,
        late_minor=run.costs.get("late", 0.0) / 1000,
        steps=steps,
    )
