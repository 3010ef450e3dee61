"""Why a stop is reached when it is, in plain words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.routes.conditions import RoadCondition, minutes_text
from apps.routes.etaparts import NO_STOP_YET, Drive, Outset, Rest, TravelLaw, Visit, Way

WORTH_SAYING_S = 60
"""A difference below is no reason."""

MOST_REASONS = 3


def reason_of(
    drive: Drive, way: Way, visit: Visit, number: int, arrives_at: datetime
) -> str:
    """Say in plain words why the stop is reached then, the nearest cause first.

    `number` counts the visits from 0; `way` has come to the begin of its service.
    """
    outset = drive.outset
    by_plan_s = 0.0
    if visit.plan_eta_at is not None:
        by_plan_s = (way.at - visit.plan_eta_at).total_seconds()
    has_moved = abs(by_plan_s) >= WORTH_SAYING_S
    parts: list[str] = []
    if has_moved and outset.late_s * by_plan_s > 0:
        parts += _lateness(outset, number)
    parts += slowed_texts(way.slowed_s, drive.conditions)
    parts += _rest_text(way, visit, drive.planned)
    if has_moved and by_plan_s > 0 and way.not_planned_s:
        parts.append(f"break before it: {minutes_text(way.not_planned_s)}")
    parts += _wait_text(way, visit, arrives_at, drive.law)
    if has_moved and not parts:
        parts.append(
            f"usual traffic of the hour: {minutes_text(by_plan_s)}"
            if way.hours_s * by_plan_s > 0 and 2 * abs(way.hours_s) >= abs(by_plan_s)
            else f"travel and stops before it: {minutes_text(by_plan_s)}"
        )
    text = "; ".join(parts[:MOST_REASONS])
    return text[:1].upper() + text[1:200]


def _wait_text(
    way: Way, visit: Visit, arrives_at: datetime, law: TravelLaw
) -> list[str]:
    """Say what the driver waits for, if for anything."""
    waits_s = (way.at - arrives_at).total_seconds()
    if waits_s < WORTH_SAYING_S:
        return []
    opens = way.at.astimezone(ZoneInfo(law.zone))
    is_wish = visit.preferred is not None and visit.preferred.opens_at == way.at
    what = "the time its customer prefers," if is_wish else "its window at"
    if any(shut.closes_at == way.at for shut in visit.closed):
        what = "the road to be open again at"
    return [f"waits for {what} {opens:%H:%M}"]


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


def _rest_text(way: Way, visit: Visit, planned: Sequence[Rest]) -> list[str]:
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
