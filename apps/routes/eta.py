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
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from apps.routes.conditions import RoadCondition
from apps.routes.conformal import Group
from apps.routes.etaparts import Drive, Expected, Outset, Rest, TravelLaw, Visit, Way
from apps.routes.etareasons import reason_of
from apps.routes.places import shares_of_ways

Z90 = 1.645
"""Nine of ten values of a normal distribution lie within so many deviations."""

BREAK_EARLY = timedelta(minutes=5)
"""A driver who is free so shortly before the planned break begins it."""


def propagate(
    outset: Outset,
    visits: Sequence[Visit],
    rests: Sequence[Rest],
    conditions: Sequence[RoadCondition],
    law: TravelLaw,
) -> list[Expected]:
    """Return what is expected of each visit, in the given sequence."""
    shares = _shares(outset, visits, conditions)
    way = _set_out(outset, rests)
    planned = [rest for rest in way.rests if rest.planned_at is not None]
    drive = Drive(outset, planned, conditions, law)
    return [
        _visited(drive, way, visit, number, shares[number])
        for number, visit in enumerate(visits)
    ]


def _set_out(outset: Outset, rests: Sequence[Rest]) -> Way:
    """Begin the drive; who waits for the departure rests meanwhile."""
    way = Way(
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
    return way


def _visited(
    drive: Drive, way: Way, visit: Visit, number: int, shares: Sequence[float]
) -> Expected:
    """Drive on to a visit and through it; return what is expected of it."""
    law = drive.law
    clear_s = law.clear_s(visit, way.point)
    _rest_before(way, visit, clear_s)
    leaves_at = way.at
    usual_s = clear_s * law.hourly(leaves_at)
    way.hours_s += usual_s - clear_s * 100 / law.speed_percent
    leg_s = usual_s + _slowed(way, drive.conditions, shares, usual_s)
    way.at += timedelta(seconds=leg_s)
    way.variance_s2 += (law.travel_cv * leg_s) ** 2
    arrives_at = way.at
    ahead_s = (arrives_at - way.began_at).total_seconds()
    spread_s = math.sqrt(way.variance_s2 + (law.drift * ahead_s) ** 2)
    low_at, high_at, is_one_sided = _wait_and_spread(way, visit, law, spread_s)
    found = Expected(
        stop_id=visit.stop_id,
        leaves_at=leaves_at,
        arrives_at=arrives_at,
        eta_at=way.at,
        low_at=low_at,
        high_at=high_at,
        reason=reason_of(drive, way, visit, number, arrives_at),
        spread_s=spread_s,
        ahead_s=ahead_s,
        is_one_sided=is_one_sided,
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


def _rest_before(way: Way, visit: Visit, leg_s: float) -> None:
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
    way: Way,
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
    way: Way, visit: Visit, law: TravelLaw, spread_s: float
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
    way: Way,
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


def _rest_while_waiting(way: Way, until: datetime) -> None:
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
