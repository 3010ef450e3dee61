"""Which stops a condition of the road touches, in words for driver and office. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.core.units import Point
from apps.routes.conditions import RoadCondition
from apps.routes.etaparts import Expected, Visit
from apps.routes.places import distances_m, shares_of_ways

NEARBY_M = 100
"""A stop so near to a closed road's place is marked as well: one cannot park there."""

SEVERITY = ("closure", "roadworks", "traffic", "weather")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Warned:
    """The mark of a stop: the condition's kind, and a sentence."""

    kind: str
    text: str


NOT_WARNED = Warned("", "")


def warnings_for(
    origin: Point,
    visits: Sequence[Visit],
    expected: Sequence[Expected],
    conditions: Sequence[RoadCondition],
    *,
    now: datetime,
) -> Mapping[UUID, Warned]:
    """Return the mark of each visit that a condition touches; the gravest counts.

    A closure marks every stop near it, as long as it is not over before the visit; any
    condition marks the stop on whose way it lies when that way is driven. What holds for
    the whole depot marks none: it says nothing of a stop.
    """
    found: dict[UUID, tuple[int, Warned]] = {}
    ends = [visit.point for visit in visits]
    starts = [origin, *ends[:-1]] if ends else []
    lines = [visit.line for visit in visits]
    for condition in conditions:
        if condition.place is None:
            continue
        rank = SEVERITY.index(condition.kind) * 2
        shares = shares_of_ways(condition.place, starts, ends, lines)
        away_m = distances_m(condition.place, ends)
        for visit, when, share, metres in zip(
            visits, expected, shares, away_m, strict=True
        ):
            done_at = when.high_at + timedelta(seconds=visit.service_s)
            grade = None
            if (
                condition.is_closure
                and metres <= NEARBY_M
                and condition.intervals(now, done_at)
            ):
                where = "at this stop" if metres <= 0 else "near this stop"
                grade = rank, Warned(condition.kind, _text(condition, where))
            elif share > 0 and condition.is_in_force(when.leaves_at):
                words = _text(condition, "on the way here")
                grade = rank + 1, Warned(condition.kind, words)
            known = found.get(visit.stop_id)
            if grade is not None and (known is None or grade[0] < known[0]):
                found[visit.stop_id] = grade
    return {stop_id: warned for stop_id, (_, warned) in found.items()}


def _text(condition: RoadCondition, where: str) -> str:
    until = condition.until_at.astimezone(ZoneInfo(condition.zone))
    doubt = "" if condition.is_confirmed else ", not yet confirmed"
    end = f" {where} until {until:%H:%M}{doubt}"
    return condition.name[: LONGEST - len(end)] + end
