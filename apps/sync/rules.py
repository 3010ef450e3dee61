"""The merge, explained: one table of rules for every report that met another fact. Pure.

A rule names a conflict, whose word counts, and what the driver is told and can do. It is
found by the verdict's code and the event's kind; the first row that fits is the one. The
sentences are marked for translation here, and translated where they are shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

YOURS, OURS, BOTH, OFFICE, WAITS = "yours", "ours", "both", "office", "waits"
"""Whose word counts: the device's report, what we knew, both, a person's, not known yet."""

CLOCK_AHEAD_BY: Final = timedelta(minutes=2)
"""A wall clock that is further ahead than this is told so; networks are slow too."""

DELIVERED = ("stop.succeeded", "stop.partial")
CORRECTION = ("event.corrected",)
DISMISSED: Final = "dismissed"
"""The rule whose sentence holds the words of whoever dismissed a report."""

NOT_POSSIBLE: Final = "not_possible"
"""The rule whose sentence names what met: see `words`."""


def _(words: str) -> str:
    """Mark words for translation."""
    return words


@dataclass(frozen=True, slots=True)
class Rule:
    """One named conflict; without `says` the driver is told the verdict's own words."""

    id: str
    code: str
    winner: str
    says: str
    do: str
    kinds: tuple[str, ...] = ()


NOTHING_TO_DO = _("There is nothing to do.")
NOT_THERE = _("Do not go there any more.")

RULES: Final = (
    Rule(
        "delivered_after_reassignment",
        "applied_after_reassign",
        YOURS,
        _("Counted, though the stop had left your route meanwhile."),
        _(
            "There is nothing to do: the office knows, and so does whoever has the stop now."
        ),
        (*DELIVERED, "stop.failed"),
    ),
    Rule(
        "reported_after_reassignment",
        "applied_after_reassign",
        YOURS,
        _("Noted, though the stop had left your route meanwhile."),
        NOT_THERE,
    ),
    Rule(
        "delivered_twice",
        "already_delivered",
        OURS,
        _("The stop was already delivered. Your report is kept beside the first one."),
        _("Call the office if you handed something over: it may have gone out twice."),
        DELIVERED,
    ),
    Rule(
        "failed_after_delivered",
        "already_delivered",
        OURS,
        _("The stop was already delivered. Your report that it failed is kept."),
        _("Bring back what you still carry for this stop."),
        ("stop.failed",),
    ),
    Rule(
        "corrected_after_delivered",
        "already_delivered",
        OURS,
        _("The stop was already delivered. Your correction is kept beside it."),
        _("Call the office if you handed something over: it may have gone out twice."),
        CORRECTION,
    ),
    Rule(
        "step_after_delivered",
        "already_delivered",
        OURS,
        _("The stop was already delivered. Your report is kept."),
        NOT_THERE,
    ),
    Rule(
        "shift_over",
        "newer_event",
        OURS,
        _("The shift was over by then. Your report is kept."),
        _("Ask the office if the shift ended at the wrong time."),
        ("shift.started", "shift.paused"),
    ),
    Rule(
        "newer_report",
        "newer_event",
        OURS,
        _("A newer report counts. Yours is kept."),
        _("Look at the stop, and send a correction if it is wrong."),
    ),
    Rule(
        "delivered_after_cancellation",
        "cancelled_meanwhile",
        OFFICE,
        _(
            "The order was cancelled meanwhile. Your report is kept; the office decides."
        ),
        _("Tell the office whether the customer has kept the goods."),
        DELIVERED,
    ),
    Rule(
        "corrected_after_cancellation",
        "cancelled_meanwhile",
        OFFICE,
        _(
            "The order was cancelled meanwhile. Your correction is kept; the office decides."
        ),
        _("Tell the office whether the customer has kept the goods."),
        CORRECTION,
    ),
    Rule(
        "reported_after_cancellation",
        "cancelled_meanwhile",
        OFFICE,
        _("The order was cancelled meanwhile. Your report is kept."),
        _("Hand nothing over at this stop any more; bring it back."),
    ),
    Rule(
        "corrected_after_reschedule",
        "window_moved",
        OFFICE,
        _(
            "Something else has become of the order meanwhile. Your correction is kept; the office decides."
        ),
        _("Tell the office whether the customer has kept the goods."),
        CORRECTION,
    ),
    Rule(
        "reopened_after_reschedule",
        "window_moved",
        OURS,
        _("The customer chose another time meanwhile. The stop stays closed."),
        _("Do not go there now; bring back what you carry for this stop."),
    ),
    Rule(
        "override_for_gone_stop",
        "stop_gone",
        OURS,
        _("This stop is no longer open on your route. Nothing was changed."),
        _("Ask again for a stop that is on your route."),
    ),
    Rule(
        "feedback_on_older_plan",
        "older_plan",
        BOTH,
        _(
            "Thank you. The plan has changed since: your words are kept with the old one."
        ),
        _("Tell us of the new plan as well, if it is no better."),
    ),
    Rule(
        "acknowledged_older_plan",
        "newer_plan",
        OURS,
        _("Noted. A newer change of your plan has come meanwhile."),
        _("Look at the newer change and confirm it."),
    ),
    Rule(
        "out_of_order",
        "out_of_order",
        WAITS,
        _("This report is safe with us. It waits for an earlier one of yours."),
        _("Stay online for a moment, so that the rest can be sent."),
    ),
    Rule(
        "dependency_missing",
        "dependency_missing",
        WAITS,
        _("An earlier report that this one builds on has not come yet."),
        _("Stay online for a moment, so that the rest can be sent."),
    ),
    Rule(
        "id_reused",
        "id_reused",
        OURS,
        _("This report carries another one's number. It is set aside."),
        _("Report it again; tell the office if you read this once more."),
    ),
    Rule(
        "revoked_device",
        "device_revoked",
        OFFICE,
        _(
            "This device was out of service by then. Your report is kept; the office decides."
        ),
        _("Ask the office for another device."),
    ),
    Rule(
        "shift_ended_twice",
        "shift_already",
        OURS,
        _("The shift had ended already. The first end counts."),
        _("Ask the office if the shift ended at the wrong time."),
        ("shift.ended",),
    ),
    Rule(
        "shift_started_twice",
        "shift_already",
        OURS,
        _("The shift was running already. The first start counts."),
        NOTHING_TO_DO,
        ("shift.started",),
    ),
    Rule(
        "shift_paused_twice",
        "shift_already",
        OURS,
        _("The shift was paused already."),
        NOTHING_TO_DO,
        ("shift.paused",),
    ),
    Rule(
        "road_report_late",
        "came_late",
        OURS,
        _("Your report is kept. It came too late to change anything."),
        _("Report it again if it is still so."),
    ),
    Rule(
        "trouble_at_done_stop",
        "stop_over",
        OURS,
        _("This stop is done already. Your report is kept."),
        _("Tell the office if something is still wrong there."),
    ),
    Rule(
        "trouble_known",
        "known_already",
        BOTH,
        _("The office knows of it already. Your report is kept with the first one."),
        _("Call the office if it has become worse."),
    ),
    Rule(
        "never_assigned",
        "never_assigned",
        OURS,
        _("This stop was never yours. Your report is set aside."),
        _("Tell the office if you were there all the same."),
    ),
    Rule(
        "corrected",
        "corrected",
        YOURS,
        _("Your correction counts instead of the earlier report. Both are kept."),
        NOTHING_TO_DO,
    ),
    Rule(
        "corrected_twice",
        "newer_correction",
        OURS,
        _("A newer correction of the same report counts. This one is kept."),
        _("Correct the report once more if it is still wrong."),
    ),
    Rule(
        "correction_waits",
        "correction",
        OFFICE,
        _("Your correction is kept; the office decides."),
        NOTHING_TO_DO,
    ),
    Rule(
        "correction_of_unknown",
        "unknown_event",
        OURS,
        _("The report that you correct has never come. Your correction is set aside."),
        _("Report again what happened."),
    ),
    Rule(
        "correction_of_another",
        "not_yours",
        OURS,
        _("The report that you correct is another driver's. Nothing was changed."),
        _("Tell the office what is wrong with it."),
    ),
    Rule(
        "not_correctable",
        "not_correctable",
        OURS,
        _("A report of this kind cannot be corrected like this. Nothing was changed."),
        _("Tell the office what is wrong with it."),
    ),
    Rule(
        DISMISSED,
        "dismissed",
        OFFICE,
        _("The office has looked at this report and lets it rest: {reason}"),
        _("Talk to the office if you see it otherwise."),
    ),
    Rule(
        NOT_POSSIBLE,
        "invalid",
        OURS,
        "",
        _("The office sees your report and can mend it."),
    ),
    Rule(
        "read_only",
        "read_only_table",
        OURS,
        _(
            "This cannot be changed on your device. It shows the right state again at once."
        ),
        _("Tell the office if something is wrong there."),
    ),
    Rule(
        "never_taken_back",
        "delete_not_allowed",
        OURS,
        _("A report is never taken back."),
        _("Send a correction of it."),
    ),
)

CLOCK_AHEAD: Final = Rule(
    "clock_ahead",
    "ok",
    OURS,
    _("Counted. Your clock is ahead: the time at which the report came counts."),
    _("Let your device set its clock by itself."),
)
DEPENDENCY_NEVER_CAME: Final = Rule(
    "dependency_never_came",
    "ok",
    YOURS,
    _("Counted, though the report that it builds on has not come."),
    _("Report that again as well, if it is missing."),
)
FAILED_HERE: Final = Rule(
    "failed_here",
    "internal",
    OFFICE,
    _("Something is wrong on our side. Your report is kept; the office decides."),
    NOTHING_TO_DO,
)
MENDED: Final = Rule(
    "mended",
    "ok",
    OFFICE,
    _("The office has mended this report. It counts now."),
    NOTHING_TO_DO,
)
FILE_OF_REJECTED: Final = Rule(
    "file_of_rejected_report",
    "file_kept",
    OFFICE,
    _("The report of this file was set aside. The file is kept for the office."),
    _("Keep the goods' papers until the office has decided."),
)
"""For a file whose event was rejected: it is evidence all the same."""

BY_ID: Final = {
    rule.id: rule
    for rule in (
        *RULES,
        CLOCK_AHEAD,
        DEPENDENCY_NEVER_CAME,
        FAILED_HERE,
        MENDED,
        FILE_OF_REJECTED,
    )
}


def rule_of(kind: str, code: str) -> Rule | None:
    """Return the rule by which an event of a kind got a code; None without conflict."""
    for rule in RULES:
        if rule.code == code and (not rule.kinds or kind in rule.kinds):
            return rule
    return None


def is_clock_ahead(
    quality: str, device_at: datetime | None, occurred_at: datetime, came_at: datetime
) -> bool:
    """Tell whether an event's wall clock pointed to a time after it came."""
    if quality != "wall" or device_at is None or occurred_at < came_at:
        return False
    return device_at > came_at + CLOCK_AHEAD_BY
