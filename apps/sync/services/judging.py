"""Judging one event: its handler's verdict, or why it has to wait."""

from collections.abc import Collection

import msgspec
import structlog
from django.db import OperationalError

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.verdicts import REJECTED, Verdict
from apps.journal.services import Writer, writing
from apps.sync import handlers
from apps.sync.handlers import RETRY, Report
from apps.sync.kinds import PAYLOADS
from apps.sync.models import DeviceEvent

log = structlog.get_logger(__name__)

HELD = "held"
DEPENDENCY_MISSING = Verdict(
    RETRY, "dependency_missing", "What it depends on has not come yet."
)
OUT_OF_ORDER = Verdict(HELD, "out_of_order", "It waits for an earlier report of yours.")


def judge(
    row: DeviceEvent, checked: msgspec.Struct | None, journal: Writer, fault: str = ""
) -> Verdict:
    """Let the handler of an event's kind decide; what fails unexpectedly is retried.

    Its own savepoint is rolled back then, so that it blocks none of those behind it.
    """
    if fault or checked is None:
        return Verdict(REJECTED, "invalid", fault)
    handler = handlers.HANDLERS[row.kind]
    by = Actor("driver", str(row.driver_id))
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


def settle(row: DeviceEvent, verdict: Verdict) -> None:
    """Write into an event's row what became of it."""
    row.result, row.code = verdict.result, verdict.code
    row.detail = verdict.detail[:300]


def checked_again(row: DeviceEvent) -> msgspec.Struct:
    """Return the payload of a kept event in the shape of its kind."""
    shape: type[msgspec.Struct] = PAYLOADS[row.kind]
    return msgspec.convert(row.payload, shape)


def present(ids: Collection[str]) -> set[str]:
    """Return those of `ids` whose events have come and do not wait."""
    rows = DeviceEvent.objects.filter(pk__in=ids).exclude(result=HELD)
    return set(rows.values_list("pk", flat=True))
