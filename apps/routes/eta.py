"""When a route's next stops are reached: each leg at its own moment. Pure, no solver.

From where the driver is, the sequence that holds is driven in thought: the plan's travel
times × the hour × the conditions in force, services, windows, breaks. Each ETA has an
interval and its reason.

The interval is meant to hold nine times in ten. Its spread grows with what is ahead:
every leg and every service adds its own (independent, so in squares), and a part grows
with the whole time ahead (a slow day is slow throughout). How many spreads it reaches to
either side is the normal distribution's guess, or learned from past errors where a
calibration is given (`conformal`). A wait for a window swallows what is earlier.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from apps.core.units import Point, great_circle_m
from apps.routes.conditions import RoadCondition, minutes_text
from apps.routes.conformal import Calibration, Group
from apps.routes.dayinputs import Interval
from apps.routes.hours import hour_factor
from apps.routes.parameters import Parameters
from apps.routes.places import shares_of_ways

Z90 = 1.645
"""Nine of ten values of a normal distribution lie within so many deviations."""

WORTH_SAYING_S = 60
"""A difference below is no reason."""

BREAK_EARLY = timedelta(minutes=5)
"""A driver who is free so shortly before the planned break begins it."""

MOST_REASONS = 3

NO_STOP_YET = "the start"
"""Where a driver is who has been nowhere yet."""


@dataclass(frozen=True, slots=True)
class TravelLaw:
    """How travel is reckoned; `c_s` and `p` for a leg that no plan has looked up.

    Without a `calibration` intervals are the normal distribution's.
    """

    c_s: float
    p: float
    speed_percent: int
    zone: str
    travel_cv: float
    service_cv: float
    drift: float
    by_hour: tuple[float, ...] = ()
    calibration: Calibration | None = None

    def clear_s(self, visit: "Visit", origin: Point) -> float:
        """Return a leg's time on a clear road, as the day has it in the mean."""
        if visit.leg_s is not None:
            return float(visit.leg_s)
        crow_km = great_circle_m(origin, visit.point) / 1000
        return self.c_s * math.pow(crow_km, self.p)

    def hourly(self, at: datetime) -> float:
        """Return what the hour and the vehicle make of a clear second."""
        hour = at.astimezone(ZoneInfo(self.zone)).hour
        return hour_factor(hour, by_hour=self.by_hour) * 100 / self.speed_percent


def law_of(parameters: Parameters, *, speed_percent: int, zone: str) -> TravelLaw:
    """Return how a depot reckons the travel of one vehicle, by the clock of a zone."""
    return TravelLaw(
        c_s=parameters.travel_c_s,
        p=parameters.travel_p,
        speed_percent=speed_percent,
        zone=zone,
        travel_cv=parameters.eta_travel_cv,
        service_cv=parameters.eta_service_cv,
        drift=parameters.eta_drift,
        by_hour=parameters.travel_by_hour,
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop ahead. `leg_s` is the plan's travel from the stop before, where it has it.

    `preferred` is the window that its customer likes and that the plan keeps: a driver
    who is early waits for it; one who is late loses nothing more by it. `closed` are
    the times in which nobody gets there, as far as the plan waits for their end. `line`
    is the way from the stop before as it is drawn along the roads, if it is. `zone` is
    the part of town, by whose past errors its interval goes.
    """

    stop_id: UUID
    point: Point
    service_s: int
    windows: tuple[Interval, ...] = ()
    leg_s: int | None = None
    plan_eta_at: datetime | None = None
    preferred: Interval | None = None
    closed: tuple[Interval, ...] = ()
    line: tuple[Point, ...] = ()
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """A break that is still to be taken; it begins between two instants."""

    opens_at: datetime
    closes_at: datetime
    duration_s: int
    planned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outset:
    """From where, and when, the driver goes on; how far that is behind the plan.

    `idle_from` is since when there is nothing to do but to wait for the departure.
    """

    point: Point
    at: datetime
    late_s: int = 0
    where: str = NO_STOP_YET
    spread_s: float = 0.0
    idle_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one stop; `eta_at` is the begin of service.

    `spread_s` is the model's spread of the arrival, `ahead_s` how far it is from the
    outset; `is_one_sided` whether its interval can be missed on the late side alone.
    """

    stop_id: UUID
    leaves_at: datetime
    arrives_at: datetime
    eta_at: datetime
    low_at: datetime
    high_at: datetime
    reason: str
    spread_s: float = 0.0
    ahead_s: float = 0.0
    is_one_sided: bool = False


@dataclass(slots=True)
class _Way:
    """The drive in thought: where it has come to, and what has moved it."""

    at: datetime
    point: Point
    variance_s2: float
    began_at: datetime
    rests: list[Rest]
    rested_s: int = 0
    not_planned_s: int = 0
    hours_s: float = 0.0
    slowed_s: dict[UUID, float] = field(default_factory=dict)


def propagate(
    outset: Outset,
    visits: Sequence[Visit],
    rests: Sequence[Rest],
    conditions: Sequence[RoadCondition],
    law: TravelLaw,
) -> list[Expected]:
    """Return what is expected of each visit, in the given sequence."""
    shares = _shares(outset, visits, conditions)
    way = _Way(
        at=outset.at,
        point=outset.point,
        variance_s2=outset.spread_s**2,
        began_at=outset.at,
        rests=sorted(rests, key=lambda rest: rest.opens_at),
    )
    if outset.idle_from is not None:
        way.at = outset.idle_from
        _rest_while_waiting(way, outset.at)
        way.at = outset.at
    planned_rests = [rest for rest in way.rests if rest.planned_at is not None]
    found = []
    for number, visit in enumerate(visits):
        clear_s = law.clear_s(visit, way.point)
        _rest_before(way, visit, clear_s)
        leaves_at = way.at
        usual_s = clear_s * law.hourly(leaves_at)
        way.hours_s += usual_s - clear_s * 100 / law.speed_percent
        leg_s = usual_s + _slowed(way, conditions, shares[number], usual_s)
        way.at += timedelta(seconds=leg_s)
        way.variance_s2 += (law.travel_cv * leg_s) ** 2
        arrives_at = way.at
        ahead_s = (arrives_at - way.began_at).total_seconds()
        spread_s = math.sqrt(way.variance_s2 + (law.drift * ahead_s) ** 2)
        low_at, high_at, is_one_sided = _wait_and_spread(way, visit, law, spread_s)
        found.append(
            Expected(
                stop_id=visit.stop_id,
                leaves_at=leaves_at,
                arrives_at=arrives_at,
                eta_at=way.at,
                low_at=low_at,
                high_at=high_at,
                reason=_reason(
                    way,
                    outset,
                    visit,
                    number,
                    arrives_at,
                    planned_rests,
                    conditions,
                    law,
                ),
                spread_s=spread_s,
                ahead_s=ahead_s,
                is_one_sided=is_one_sided,
            )
        )
        way.at += timedelta(seconds=visit.service_s)
        way.variance_s2 += (law.service_cv * visit.service_s) ** 2
        way.point = visit.point
    return found


def _shares(
    outset: Outset, visits: Sequence[Visit], conditions: Sequence[RoadCondition]
) -> list[list[float]]:
    """Return, by leg, how much of it lies inside each condition's place."""
    ends = [visit.point for visit in visits]
    starts = [outset.point, *ends[:-1]] if ends else []
    lines = [visit.line for visit in visits]
    columns = [
        np.ones(len(ends))
        if condition.place is None
        else shares_of_ways(condition.place, starts, ends, lines)
        for condition in conditions
    ]
    return [[float(column[leg]) for column in columns] for leg in range(len(ends))]


def _rest_before(way: _Way, visit: Visit, leg_s: float) -> None:
    """Take the breaks that begin before this leg: as planned, or at the latest."""
    while way.rests:
        rest = way.rests[0]
        planned_at = rest.planned_at or rest.opens_at
        busy_until = way.at + timedelta(seconds=leg_s + visit.service_s)
        is_due = way.at >= planned_at - BREAK_EARLY or busy_until > rest.closes_at
        if way.at < rest.opens_at - BREAK_EARLY or not is_due:
            return
        way.at += timedelta(seconds=rest.duration_s)
        way.rested_s += rest.duration_s
        if rest.planned_at is None:
            way.not_planned_s += rest.duration_s
        way.rests.pop(0)


def _slowed(
    way: _Way,
    conditions: Sequence[RoadCondition],
    shares: Sequence[float],
    usual_s: float,
) -> float:
    """Return what the conditions in force at the leg's begin add to it."""
    whole_s = 0.0
    for condition, share in zip(conditions, shares, strict=True):
        if share > 0 and condition.is_in_force(way.at):
            more_s = usual_s * share * condition.extra
            whole_s += more_s
            known_s = way.slowed_s.get(condition.condition_id, 0.0)
            way.slowed_s[condition.condition_id] = known_s + more_s
    return whole_s


def _wait_and_spread(
    way: _Way, visit: Visit, law: TravelLaw, spread_s: float
) -> tuple[datetime, datetime, bool]:
    """Wait for the window, resting meanwhile if a break is due; return the interval."""
    arrives_at, opens_at = way.at, _opens(visit, way.at)
    low_at, high_at, is_one_sided = _interval(way, visit, law, spread_s, opens_at)
    if opens_at is None or opens_at <= arrives_at:
        low_at = max(low_at, way.began_at, opens_at or low_at)
        return low_at, high_at, is_one_sided
    _rest_while_waiting(way, opens_at)
    way.at = opens_at
    by_then_s = Z90 * spread_s - (opens_at - arrives_at).total_seconds()
    way.variance_s2 = min(way.variance_s2, (max(0.0, by_then_s) / Z90) ** 2)
    return opens_at, max(opens_at, high_at), is_one_sided


def _interval(
    way: _Way,
    visit: Visit,
    law: TravelLaw,
    spread_s: float,
    opens_at: datetime | None,
) -> tuple[datetime, datetime, bool]:
    """Return between what the arrival lies, its ETA inside; where it cannot be early, up to less."""
    arrives_at = way.at
    if law.calibration is None:
        margin = timedelta(seconds=Z90 * spread_s)
        return arrives_at - margin, arrives_at + margin, False
    ahead_s = (arrives_at - way.began_at).total_seconds()
    group = Group(visit.zone, arrives_at.astimezone(ZoneInfo(law.zone)).hour)
    opens_s = (opens_at - arrives_at).total_seconds() if opens_at else None
    reach = law.calibration.reach(ahead_s, spread_s, group, opens_s)
    low_at = arrives_at + timedelta(seconds=reach.low_s)
    high_at = arrives_at + timedelta(seconds=reach.high_s)
    return low_at, high_at, reach.is_one_sided


def _rest_while_waiting(way: _Way, until: datetime) -> None:
    while way.rests:
        rest = way.rests[0]
        begins_at = max(way.at, rest.opens_at)
        ends_at = begins_at + timedelta(seconds=rest.duration_s)
        if ends_at > until or begins_at > rest.closes_at:
            return
        way.at = ends_at
        way.rested_s += rest.duration_s
        way.rests.pop(0)


def _opens(visit: Visit, at: datetime) -> datetime | None:
    """Return the begin of the window that is open, or opens next; None: any time."""
    ahead = [window.opens_at for window in visit.windows if window.closes_at > at]
    begins = [min(ahead)] if ahead else []
    liked = visit.preferred
    if liked is not None and liked.closes_at > at:
        begins.append(liked.opens_at)
    begins += [
        shut.closes_at
        for shut in visit.closed
        if shut.opens_at <= max([at, *begins]) < shut.closes_at
    ]
    return max(begins, default=None)


def _reason(  # noqa: PLR0917
    way: _Way,
    outset: Outset,
    visit: Visit,
    number: int,
    arrives_at: datetime,
    planned_rests: Sequence[Rest],
    conditions: Sequence[RoadCondition],
    law: TravelLaw,
) -> str:
    """Say in plain words why the stop is reached then, the nearest cause first."""
    by_plan_s = 0.0
    if visit.plan_eta_at is not None:
        by_plan_s = (way.at - visit.plan_eta_at).total_seconds()
    has_moved = abs(by_plan_s) >= WORTH_SAYING_S
    parts: list[str] = []
    if has_moved and outset.late_s * by_plan_s > 0:
        parts += _lateness(outset, number)
    parts += slowed_texts(way.slowed_s, conditions)
    parts += _rest_text(way, visit, planned_rests)
    if has_moved and by_plan_s > 0 and way.not_planned_s:
        parts.append(f"break before it: {minutes_text(way.not_planned_s)}")
    waits_s = (way.at - arrives_at).total_seconds()
    if waits_s >= WORTH_SAYING_S:
        opens = way.at.astimezone(ZoneInfo(law.zone))
        is_wish = visit.preferred is not None and visit.preferred.opens_at == way.at
        what = "the time its customer prefers," if is_wish else "its window at"
        if any(shut.closes_at == way.at for shut in visit.closed):
            what = "the road to be open again at"
        parts.append(f"waits for {what} {opens:%H:%M}")
    if has_moved and not parts:
        parts.append(
            f"usual traffic of the hour: {minutes_text(by_plan_s)}"
            if way.hours_s * by_plan_s > 0 and 2 * abs(way.hours_s) >= abs(by_plan_s)
            else f"travel and stops before it: {minutes_text(by_plan_s)}"
        )
    text = "; ".join(parts[:MOST_REASONS])
    return text[:1].upper() + text[1:200]


def _lateness(outset: Outset, number: int) -> list[str]:
    if abs(outset.late_s) < WORTH_SAYING_S:
        return []
    is_next = number == 0 and outset.where != NO_STOP_YET
    where = "the stop before" if is_next else outset.where
    minutes = minutes_text(abs(outset.late_s)).removeprefix("+")
    return [f"{minutes} {'late' if outset.late_s > 0 else 'early'} at {where}"]


def slowed_texts(
    slowed_s: Mapping[UUID, float], conditions: Sequence[RoadCondition]
) -> list[str]:
    """Return what each condition adds on the way, the worst first."""
    names = {condition.condition_id: condition.name for condition in conditions}
    worst = sorted(slowed_s.items(), key=lambda item: -abs(item[1]))
    return [
        f"{names[condition_id]} on the way: {minutes_text(more_s)}"
        for condition_id, more_s in worst
        if abs(more_s) >= WORTH_SAYING_S
    ]


def _rest_text(way: _Way, visit: Visit, planned: Sequence[Rest]) -> list[str]:
    """Say whether a break has come to lie on the other side of the stop."""
    if visit.plan_eta_at is None or not planned:
        return []
    was_before = sum(
        rest.duration_s
        for rest in planned
        if rest.planned_at is not None and rest.planned_at < visit.plan_eta_at
    )
    is_before = sum(rest.duration_s for rest in planned if rest not in way.rests)
    if is_before > was_before:
        return ["break moved before it"]
    return ["break moved behind it"] if is_before < was_before else []
