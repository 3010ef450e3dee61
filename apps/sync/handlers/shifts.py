"""Steps of a shift, and what a driver has seen of the plan."""

from collections.abc import Callable
from typing import Final

from apps.core.states import IllegalStep
from apps.core.verdicts import OK, REJECTED, SUPERSEDED, Verdict
from apps.drivers import services as drivers
from apps.drivers.models import Shift
from apps.drivers.selectors import shift_near
from apps.drivers.states import ShiftState
from apps.journal.services import Writer
from apps.routes.models import Route
from apps.routes.selectors import parse_id
from apps.routes.services.acknowledging import acknowledge_plan_change
from apps.sync.handlers.report import NO_ID, Report
from apps.sync.kinds import Acknowledged, OfShift

SHIFT_AFTER: Final = {
    "shift.started": ShiftState.STARTED,
    "shift.paused": ShiftState.PAUSED,
    "shift.ended": ShiftState.ENDED,
}


def acknowledge_plan(report: Report, journal: Writer) -> Verdict:
    """Note that the driver has seen a change of the plan."""
    payload = report.payload
    if not isinstance(payload, Acknowledged):
        raise TypeError(payload)
    return acknowledge_plan_change(
        driver_id=report.event.driver_id,
        change_id=payload.change_id,
        occurred_at=report.event.occurred_at,
        by=report.by,
        now=report.now,
    )


def start_shift(report: Report, journal: Writer) -> Verdict:
    """Start the shift, or go on with it after a pause."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    if shift.status == ShiftState.PAUSED:
        return _take(report, journal, shift, drivers.resume_shift)
    return _take(report, journal, shift, drivers.start_shift)


def pause_shift(report: Report, journal: Writer) -> Verdict:
    """Pause the shift."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    return _take(report, journal, shift, drivers.pause_shift)


def end_shift(report: Report, journal: Writer) -> Verdict:
    """End the shift."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    return _take(report, journal, shift, drivers.end_shift)


ShiftVerb = Callable[..., Shift]


def _take(report: Report, journal: Writer, shift: Shift, verb: ShiftVerb) -> Verdict:
    """Take a step of the shift; tell the driver of the routes that show it."""
    at = report.event.occurred_at
    if shift.status == SHIFT_AFTER[report.event.kind]:
        since = shift.ended_at or shift.started_at
        detail = f"The shift is {shift.status} already."
        known = str(shift.status)
        return Verdict(SUPERSEDED, "shift_already", detail, ours=known, ours_at=since)
    if shift.ended_at is not None and at <= shift.ended_at:
        return Verdict(
            SUPERSEDED,
            "newer_event",
            "The shift is over.",
            ours=str(ShiftState.ENDED),
            ours_at=shift.ended_at,
        )
    try:
        verb(shift_id=shift.pk, occurred_at=at, by=report.by, now=report.now)
    except IllegalStep as problem:
        known = str(shift.status)
        return Verdict(REJECTED, "invalid", problem.detail, ours=known)
    routes = Route.objects.filter(shift=shift).values_list("pk", flat=True)
    journal.changed(shift.driver_id, "routes", *routes)
    return OK


def _shift_of(report: Report) -> Shift | None:
    payload, event = report.payload, report.event
    if not isinstance(payload, OfShift):
        raise TypeError(payload)
    if not payload.shift_id:
        return shift_near(event.driver_id, event.occurred_at)
    shift_id = parse_id(payload.shift_id) or NO_ID
    return Shift.objects.filter(pk=shift_id, driver_id=event.driver_id).first()


def _no_shift() -> Verdict:
    return Verdict(REJECTED, "invalid", "You have no such shift.")
