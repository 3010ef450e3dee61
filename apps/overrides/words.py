"""What a driver is told of a request, in the language that is active."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from apps.core.wording import local_time
from apps.overrides.answerwords import (
    ASK_THEM,
    DENIED,
    DENIED_BEYOND,
    DENIED_HOURS,
    MAY,
    MUST_ASK,
    NO_RULE,
    TOO_FAR,
    told_done,
    told_misses,
    told_refusal,
)
from apps.overrides.models import Override
from apps.overrides.rights import Decision, Outcome
from apps.overrides.states import AnswerReason, OverrideState
from apps.overrides.wishes import OTHER
from apps.routes.changes import Impact, from_wire, impact_from_wire

SAYS: Final[Mapping[str, str]] = {
    OverrideState.REQUESTED: _("Your request has come. Its cost is being worked out."),
    OverrideState.WAITING: _(
        "Asked: {approver}. You get an answer by {time}; until then all stays as it is."
    ),
    OverrideState.APPLIED: _("Approved and done."),
    OverrideState.REJECTED: _("Not approved: {reason}. Your route stays as it is."),
    OverrideState.DENIED: ASK_THEM,
    OverrideState.WITHDRAWN: _("You have taken this request back."),
    OverrideState.EXPIRED: _("Nobody answered in time. Your route stays as it is."),
    OverrideState.FAILED: _("This cannot be done on your route as it is now."),
}

REASONS: Final[Mapping[str, str]] = {
    AnswerReason.SENSIBLE: _("it makes sense"),
    AnswerReason.CUSTOMER_FIRST: _("for the customer’s sake"),
    AnswerReason.PEOPLE_FIRST: _("for your own sake"),
    AnswerReason.TOO_LATE: _("it makes others late"),
    AnswerReason.TOO_DEAR: _("it costs too much"),
    AnswerReason.PROMISED: _("the time was promised to the customer"),
    AnswerReason.OTHER_WAY: _("it is solved another way"),
    AnswerReason.NOT_NEEDED: _("it is not needed any more"),
    AnswerReason.OTHER: _("for another reason"),
}

ROLES: Final[Mapping[str, str]] = {
    "Coordinator": _("coordinator"),
    "Route planner": _("route planner"),
    "Supervisor": _("supervisor"),
    "Administrator": _("administrator"),
}

INSTEAD: Final = _("Approved with another change, and done.")
ALLOWED: Final = _("Done: you may do this without asking.")
BY_RULE: Final = "right:"
"""Who answered what the table allows by itself: the rule."""
MEANS: Final = _("It means: {impact}")
WOULD_MEAN: Final = _("It would mean: {impact}")

AS_LONG: Final = _("As long and as far as now.")
NAMED: Final = 3
"""So many late stops are named; a device is small."""
MORE: Final = (AS_LONG, INSTEAD, ALLOWED, MEANS, WOULD_MEAN)


def told_override(row: Override) -> str:
    """Return how a request stands and why, what it means, and what was said to it."""
    note = f"“{row.answer_note}”" if row.answer_note else ""
    parts = (_stands(row), _why(row), _means(row), note)
    return " ".join(part for part in parts if part)


def _stands(row: Override) -> str:
    says = SAYS[row.state]
    if row.state == OverrideState.DENIED:
        return f"{told_denied(row)} {gettext(says)}"
    if row.state == OverrideState.FAILED:
        return f"{gettext(says)} {told_refusal(row.refusal)}".strip()
    if row.state == OverrideState.APPLIED and row.change != row.asked_change:
        says = INSTEAD
    elif row.state == OverrideState.APPLIED and row.answered_by.startswith(BY_RULE):
        says = ALLOWED
    return gettext(says).format(
        approver=told_role(row.approver),
        time=local_time(row.deadline_at, row.depot.time_zone, "%H:%M"),
        reason=gettext(REASONS.get(row.answer_reason, REASONS[AnswerReason.OTHER])),
    )


def _why(row: Override) -> str:
    """Return what was done, or why it had to be asked."""
    if row.state == OverrideState.APPLIED:
        change = None if row.kind == OTHER else from_wire(row.kind, row.change)
        return told_done(change, row.depot.time_zone)
    if row.state == OverrideState.WAITING and row.misses:
        misses = told_misses(row.misses, row.depot.currency)
        return gettext(TOO_FAR).format(misses=misses)
    return ""


def told_denied(row: Override) -> str:
    """Return why the table of rights does not allow a request."""
    if row.misses:
        misses = told_misses(row.misses, row.depot.currency)
        return gettext(DENIED_BEYOND).format(misses=misses)
    right = row.right
    if right is None:
        return gettext(NO_RULE)
    if right.hours_from is None or right.hours_until is None:
        return gettext(DENIED)
    return gettext(DENIED_HOURS).format(
        from_at=f"{right.hours_from:%H:%M}", until_at=f"{right.hours_until:%H:%M}"
    )


def _means(row: Override) -> str:
    """Return what it costs; nothing of what was taken back, or cannot be done."""
    if not row.impact or row.state in {OverrideState.WITHDRAWN, OverrideState.FAILED}:
        return ""
    says = MEANS if row.state == OverrideState.APPLIED else WOULD_MEAN
    return gettext(says).format(impact=told_impact(impact_from_wire(row.impact)))


def told_preview(impact: Impact, decision: Decision, currency: str) -> str:
    """Return what a change would mean, and who would decide on it, before it is asked."""
    said = gettext(WOULD_MEAN).format(impact=told_impact(impact))
    misses = told_misses([asdict(miss) for miss in decision.misses], currency)
    if decision.outcome == Outcome.ALLOWED:
        return f"{said} {gettext(MAY)}"
    if decision.outcome == Outcome.APPROVAL:
        asks = gettext(MUST_ASK).format(approver=told_role(decision.approver))
        why = gettext(TOO_FAR).format(misses=misses) if misses else ""
        return " ".join(part for part in (said, asks, why) if part)
    hours = decision.rule.limits.hours if decision.rule is not None else None
    if misses:
        why = gettext(DENIED_BEYOND).format(misses=misses)
    elif hours is not None:
        opens, closes = (f"{each:%H:%M}" for each in hours)
        why = gettext(DENIED_HOURS).format(from_at=opens, until_at=closes)
    else:
        why = gettext(NO_RULE if decision.rule is None else DENIED)
    return f"{said} {why} {gettext(ASK_THEM)}"


def told_impact(impact: Impact) -> str:
    """Return what a change does: to the driver's own stops by number, to others by count."""
    parts = [_figures(impact)]
    own, others = _late_stops(impact)
    parts += [
        gettext("Stop {number}: {minutes} min late.").format(
            number=number, minutes=minutes
        )
        for number, minutes in sorted(own[:NAMED])
    ]
    rest = len(own) - NAMED
    if rest > 0:
        words = ngettext(
            "{count} more stop is late.", "{count} more stops are late.", rest
        )
        parts.append(words.format(count=rest))
    if impact.other_drivers:
        count = len(impact.other_drivers)
        words = ngettext(
            "{count} other driver is touched.",
            "{count} other drivers are touched.",
            count,
        )
        parts.append(words.format(count=count))
    if others:
        words = ngettext(
            "{count} of their stops is late.",
            "{count} of their stops are late.",
            others,
        )
        parts.append(words.format(count=others))
    return " ".join(parts)


def _figures(impact: Impact) -> str:
    km = round(impact.distance_m / 1000, 1)
    if not impact.minutes and not km:
        return gettext(AS_LONG)
    return gettext("{minutes:+d} min, {km:+.1f} km.").format(
        minutes=impact.minutes, km=km + 0.0
    )


def _late_stops(impact: Impact) -> tuple[list[tuple[int, int]], int]:
    """Return the own stops that are late, the worst first, and how many of others are.

    Own is every touched route but those of other drivers; each as number and minutes.
    """
    others = {*impact.other_drivers}
    numbers = {
        called.order_id: called.number
        for side in impact.after
        if side.driver_id not in others
        for called in side.stops
    }
    late: dict[str, int] = {}
    for one in impact.broken:
        if one.order_id and one.minutes_late > 0:
            late[one.order_id] = max(late.get(one.order_id, 0), one.minutes_late)
    own = [(numbers[each], late[each]) for each in late if each in numbers]
    own.sort(key=lambda each: (-each[1], each[0]))
    return own, len(late) - len(own)


def told_role(role: str) -> str:
    """Return a role in the language that is active."""
    return gettext(ROLES[role]) if role in ROLES else role


def impact_for_device(impact: Impact | None) -> dict[str, Any] | None:
    """Return an impact's figures as a device shows them."""
    if impact is None:
        return None
    return {
        "minutes": impact.minutes,
        "cost_minor": impact.cost_minor,
        "currency": impact.currency,
        "distance_m": impact.distance_m,
        "stops_moved": impact.stops_moved,
        "windows_broken": impact.windows_broken,
        "promises_broken": impact.promises_broken,
        "other_drivers": len(impact.other_drivers),
        "is_feasible": impact.is_feasible,
    }
