"""From what the ETAs of a route follow from to the course whose risk is assessed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from apps.core.units import Point
from apps.routes.conditions import RoadCondition
from apps.routes.eta import BREAK_EARLY, propagate
from apps.routes.etaparts import Expected, Outset, Rest, TravelLaw, Visit
from apps.routes.risk import Course, Leg, Pause, Spread

KNOWN_AFTER_S = 7_200.0
"""Two hours of services in a part of town weigh as much as the belief that it is as
planned. Our choice: some twenty stops, behind which a tenth more is no chance."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is ahead of a route, and from where to where it goes.

    `numbers` and `zones` are those of `visits`; `service_factors` say by zone how much
    longer services take there than planned.
    """

    outset: Outset
    visits: tuple[Visit, ...]
    rests: tuple[Rest, ...]
    conditions: tuple[RoadCondition, ...]
    law: TravelLaw
    numbers: tuple[int, ...]
    zones: tuple[str, ...]
    service_factors: Mapping[str, float]
    home: Point
    latest_at: datetime


def service_factors(
    planned_s: Mapping[str, float], true_s: Mapping[str, float]
) -> dict[str, float]:
    """Return by zone how much longer services take than planned; little seen, near 1."""
    return {
        zone: (true_s[zone] + KNOWN_AFTER_S) / (planned + KNOWN_AFTER_S)
        for zone, planned in planned_s.items()
        if zone in true_s
    }


def spread_of(law: TravelLaw) -> Spread:
    """Return how far times scatter: the same law as for the ETAs' intervals."""
    return Spread(travel=law.travel_cv, service=law.service_cv, drift=law.drift)


def course_of(ahead: Ahead) -> Course:
    """Return the course of what is ahead: legs at their own hour and conditions."""
    slow = _expected(ahead, ahead.conditions)
    clear = _expected(ahead, ()) if ahead.conditions else slow
    legs = []
    slowed_s = 0.0
    for number, zone, visit, leg, free in zip(
        ahead.numbers, ahead.zones, ahead.visits, slow, clear, strict=True
    ):
        travel_s = (leg.arrives_at - leg.leaves_at).total_seconds()
        free_s = (free.arrives_at - free.leaves_at).total_seconds()
        longer_s = visit.service_s * (ahead.service_factors.get(zone, 1.0) - 1)
        slowed_s += max(0.0, travel_s - free_s)
        legs.append(
            Leg(
                number=number,
                travel_s=travel_s,
                service_s=visit.service_s + longer_s,
                windows=tuple(
                    (_after(ahead, window.opens_at), _after(ahead, window.closes_at))
                    for window in visit.windows
                ),
                slowed_s=max(0.0, travel_s - free_s),
                longer_s=longer_s,
                zone=zone,
            )
        )
    return Course(
        legs=tuple(legs),
        home_s=_home_s(ahead, slow),
        ends_s=_after(ahead, ahead.latest_at),
        pauses=tuple(_pause(ahead, rest) for rest in ahead.rests),
        late_s=float(ahead.outset.late_s),
        spread_s=ahead.outset.spread_s,
        where=ahead.outset.where,
        slowed_by=ahead.conditions[0].name if len(ahead.conditions) == 1 else "",
    )


def _expected(ahead: Ahead, conditions: Sequence[RoadCondition]) -> list[Expected]:
    visits = [
        replace(
            visit,
            service_s=round(visit.service_s * ahead.service_factors.get(zone, 1.0)),
        )
        for visit, zone in zip(ahead.visits, ahead.zones, strict=True)
    ]
    return propagate(ahead.outset, visits, ahead.rests, conditions, ahead.law)


def _home_s(ahead: Ahead, expected: Sequence[Expected]) -> float:
    if not expected:
        return 0.0
    back = Visit(stop_id=expected[-1].stop_id, point=ahead.home, service_s=0)
    clear_s = ahead.law.clear_s(back, ahead.visits[-1].point)
    return clear_s * ahead.law.hourly(expected[-1].eta_at)


def _pause(ahead: Ahead, rest: Rest) -> Pause:
    early_s = BREAK_EARLY.total_seconds()
    planned_at = rest.planned_at or rest.opens_at
    return Pause(
        opens_s=_after(ahead, rest.opens_at) - early_s,
        closes_s=_after(ahead, rest.closes_at),
        planned_s=_after(ahead, planned_at) - early_s,
        duration_s=rest.duration_s,
    )


def _after(ahead: Ahead, instant: datetime) -> float:
    return (instant - ahead.outset.at).total_seconds()
