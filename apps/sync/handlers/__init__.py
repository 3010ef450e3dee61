"""What each kind of event asks of the house: one table, kind to handler."""

from collections.abc import Mapping
from typing import Final

from apps.core.verdicts import OK, Verdict
from apps.journal.services import Writer
from apps.sync.handlers.report import HELD, RETRY, Handler, Report
from apps.sync.handlers.road import report_exception
from apps.sync.handlers.shifts import (
    acknowledge_plan,
    end_shift,
    pause_shift,
    start_shift,
)
from apps.sync.handlers.stops import (
    CORRECTED_MISSING,
    correct_event,
    report_stop,
    report_stops,
)
from apps.sync.handlers.voices import answer_survey, give_feedback, request_override

__all__ = [
    "CORRECTED_MISSING",
    "HANDLERS",
    "HELD",
    "RETRY",
    "Handler",
    "Report",
    "go_together",
    "report_stop",
    "report_stops",
]


def note_status(report: Report, journal: Writer) -> Verdict:
    """Keep how the device is: the event itself says it."""
    return OK


HANDLERS: Final[Mapping[str, Handler]] = {
    "stop.enroute": report_stop,
    "stop.arrived": report_stop,
    "stop.succeeded": report_stop,
    "stop.failed": report_stop,
    "stop.partial": report_stop,
    "stop.reopened": report_stop,
    "stop.note": report_stop,
    "exception.reported": report_exception,
    "override.requested": request_override,
    "feedback.given": give_feedback,
    "survey.answered": answer_survey,
    "plan.acknowledged": acknowledge_plan,
    "shift.started": start_shift,
    "shift.paused": pause_shift,
    "shift.ended": end_shift,
    "device.status": note_status,
    "event.corrected": correct_event,
}


def go_together(kind: str) -> bool:
    """Tell whether events of a kind may be judged in one go: see `report_stops`."""
    return HANDLERS.get(kind) is report_stop
