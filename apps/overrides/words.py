"""What a driver is told of a request, in the language that is active."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from apps.core.wording import local_time
from apps.overrides.models import Override
from apps.overrides.states import AnswerReason, OverrideState
from apps.routes.changes import Impact, impact_from_wire

SAYS: Final[Mapping[str, str]] = {
    OverrideState.REQUESTED: _("Your request has come. Its cost is being worked out."),
    OverrideState.WAITING: _("Asked: {approver}. You get an answer by {time}."),
    OverrideState.APPLIED: _("Done. Your route has changed."),
    OverrideState.REJECTED: _("Not approved: {reason}."),
    OverrideState.DENIED: _("This is not allowed. Ask the office if it must be."),
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

INSTEAD: Final = _("Approved with another change. Your route has changed.")


def told_override(row: Override) -> str:
    """Return how a request stands, what it costs, and what was said to it."""
    says = SAYS[row.state]
    if row.state == OverrideState.APPLIED and row.change != row.asked_change:
        says = INSTEAD
    said = gettext(says).format(
        approver=_role(row.approver),
        time=local_time(row.deadline_at, row.depot.time_zone, "%H:%M"),
        reason=gettext(REASONS.get(row.answer_reason, REASONS[AnswerReason.OTHER])),
    )
    impact = impact_from_wire(row.impact) if row.impact else None
    cost = "" if impact is None else told_impact(impact)
    note = f"“{row.answer_note}”" if row.answer_note else ""
    return " ".join(part for part in (said, cost, note) if part)


def told_impact(impact: Impact) -> str:
    """Return what a change does, by the numbers of the driver's stops alone."""
    parts = [
        gettext("{minutes:+d} min, {km:+.1f} km.").format(
            minutes=impact.minutes, km=impact.distance_m / 1000
        )
    ]
    numbers = {
        called.order_id: called.number for side in impact.after for called in side.stops
    }
    for one in impact.broken:
        number = numbers.get(one.order_id)
        if number is not None and one.minutes_late > 0:
            parts.append(
                gettext("Stop {number}: {minutes} min late.").format(
                    number=number, minutes=one.minutes_late
                )
            )
    if impact.other_drivers:
        count = len(impact.other_drivers)
        parts.append(
            ngettext(
                "{count} other driver is touched.",
                "{count} other drivers are touched.",
                count,
            ).format(count=count)
        )
    return " ".join(parts)


def _role(role: str) -> str:
    return gettext(ROLES[role]) if role in ROLES else role


def impact_for_device(impact: Impact | None) -> dict[str, Any] | None:
    """Return an impact's figures as a device shows them."""
    if impact is None:
        return None
    return {
        "minutes": impact.minutes,
        "distance_m": impact.distance_m,
        "stops_moved": impact.stops_moved,
        "windows_broken": impact.windows_broken,
        "promises_broken": impact.promises_broken,
        "other_drivers": len(impact.other_drivers),
        "is_feasible": impact.is_feasible,
    }
