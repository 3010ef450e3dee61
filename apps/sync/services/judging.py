"""Judging one event: its handler's verdict, or why it has to wait."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import structlog
from django.db import OperationalError

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.verdicts import NEEDS_REVIEW, OK, REJECTED, Verdict
from apps.drivers.states import DeviceState
from apps.journal.services import Writer, writing
from apps.sync import handlers
from apps.sync.handlers import RETRY, Report
from apps.sync.kinds import PAYLOADS
from apps.sync.models import DeviceEvent
from apps.sync.rules import (
    CLOCK_AHEAD,
    DEPENDENCY_NEVER_CAME,
    FAILED_HERE,
    is_clock_ahead,
    rule_of,
)
from apps.sync.vocabulary import value_of

log = structlog.get_logger(__name__)

HELD = handlers.HELD
DEPENDENCY_MISSING = Verdict(
    RETRY, "dependency_missing", "What it depends on has not come yet."
)
DEVICE_REVOKED = Verdict(
    NEEDS_REVIEW, "device_revoked", "The device was out of service by then."
)
UNKNOWN_EVENT = Verdict(
    REJECTED, "unknown_event", "The report that it corrects has not come."
)
FAILED_FOR_LONG = Verdict(
    NEEDS_REVIEW,
    "internal",
    "Something went wrong here again and again.",
    rule=FAILED_HERE.id,
)
REPAIR_TIME = timedelta(days=1)
"""How long devices send again what fails here by our fault, before a person sees it."""

OUT_OF_ORDER = Verdict(HELD, "out_of_order", "It waits for an earlier report of yours.")


def judge(
    row: DeviceEvent,
    checked: msgspec.Struct | None,
    journal: Writer,
    fault: str = "",
    *,
    by: Actor | None = None,
) -> Verdict:
    """Let the handler of an event's kind decide; what fails unexpectedly is retried.

    Its own savepoint is rolled back then, so that it blocks none of those behind it.
    `by` is a person of the office who answers for it; otherwise its driver does.
    """
    if fault or checked is None:
        return Verdict(REJECTED, "invalid", fault)
    if by is None and was_out_of_service(row):
        return DEVICE_REVOKED
    handler = handlers.HANDLERS[row.kind]
    by = by or Actor("driver", str(row.driver_id))
    try:
        with writing(by=by, now=journal.now):
            return handler(Report(row, checked, by, journal.now), journal)
    except Problem as problem:
        return Verdict(REJECTED, "invalid", problem.detail)
    except OperationalError:
        raise  # deadlock or lost connection: the whole push is sent again
    except Exception:
        log.exception("event_failed", kind=row.kind, event_id=row.pk)
        return Verdict(RETRY, "internal", "Something went wrong here.")


def judge_together(
    reports: Sequence[tuple[DeviceEvent, msgspec.Struct | None]], journal: Writer
) -> list[Verdict] | None:
    """Judge one driver's events of stops in one go.

    None where one of them fails: nothing was kept, and each has to be judged alone.

    Raises:
        Exception: one fails, and the transaction has no savepoint to go back to.
    """
    if not reports:
        return []
    by, now = Actor("driver", str(reports[0][0].driver_id)), journal.now
    try:
        # All or nothing: the verb that takes them has a savepoint of its own.
        return handlers.report_stops(
            [Report(row, checked, by, now) for row, checked in reports]
        )
    except OperationalError:
        raise
    except Problem:
        if journal.is_holding_back:
            raise
        return None  # whose it is, and which, shows when they are judged one by one
    except Exception:
        if journal.is_holding_back:
            raise
        log.exception("events_failed_together", count=len(reports))
        return None


def was_out_of_service(row: DeviceEvent) -> bool:
    """Tell whether a device reports what happened after its trust was taken away.

    It may hand in what it holds from before; of what comes after, a person judges.
    """
    device = row.device
    if device.status == DeviceState.ACTIVE or device.revoked_at is None:
        return False
    certainly = row.occurred_at - timedelta(milliseconds=row.uncertainty_ms)
    return row.kind != "device.status" and certainly > device.revoked_at


def without_its_base(row: DeviceEvent, verdict: Verdict) -> Verdict:
    """Return a verdict that says that what the event builds on never came."""
    if verdict != OK:
        return verdict
    return replace(OK, rule=DEPENDENCY_NEVER_CAME.id, yours=value_of(row.kind))


VERDICT_FIELDS = ("result", "code", "detail", "rule", "yours", "ours", "ours_at")


def settle(row: DeviceEvent, verdict: Verdict) -> Verdict:
    """Write into an event's row what became of it, and by which rule; return both."""
    full = ruled(row, verdict)
    row.result, row.code = full.result, full.code
    row.detail, row.rule = full.detail[:300], full.rule
    row.yours, row.ours, row.ours_at = full.yours, full.ours, full.ours_at
    return full


def ruled(row: DeviceEvent, verdict: Verdict) -> Verdict:
    """Return a verdict with the rule that it follows, and both values."""
    rule = rule_of(row.kind, verdict.code)
    if rule is not None:
        yours = verdict.yours or value_of(row.kind)
        return replace(verdict, rule=rule.id, yours=yours)
    came_at = row.received_at
    if verdict == OK and is_clock_ahead(
        row.time_quality, row.device_time, row.occurred_at, came_at
    ):
        said = row.device_time.isoformat() if row.device_time else ""
        return replace(
            verdict,
            rule=CLOCK_AHEAD.id,
            yours=said[:19],
            ours=came_at.isoformat()[:19],
            ours_at=came_at,
        )
    return verdict


def checked_again(row: DeviceEvent) -> msgspec.Struct:
    """Return the payload of a kept event in the shape of its kind."""
    shape: type[msgspec.Struct] = PAYLOADS[row.kind]
    return msgspec.convert(row.payload, shape)


def present(ids: Collection[str]) -> set[str]:
    """Return those of `ids` whose events have come and do not wait."""
    if not ids:
        return set()
    rows = DeviceEvent.objects.filter(pk__in=ids).exclude(result=HELD)
    return set(rows.values_list("pk", flat=True))
