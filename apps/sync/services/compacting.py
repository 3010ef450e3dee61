"""Keeping feeds short: devices drop what is over, and later it is forgotten here too.

Two steps, each after the same time. What is over and has not changed for so long leaves
the feed as a deleted row, so that devices drop it. So long after that the deleted row
itself is forgotten, and the feed's horizon moves on: a device that stayed away for all
of it gets the full set.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Q

from apps.core.actors import Actor
from apps.feedback.models import Feedback, SurveyAsk
from apps.feedback.states import ANSWERED
from apps.journal.models import Change
from apps.journal.services import forget_removed, writing
from apps.overrides.models import Override
from apps.recommendations.models import Recommendation
from apps.routes.models import PlanChange, Route, Stop
from apps.routes.selectors import parse_id
from apps.sync.models import Attachment, DeviceEvent
from apps.sync.services.judging import HELD
from apps.sync.states import AttachmentState
from apps.verdicts.models import Verdict

BATCH: Final = 500
"""How many rows a transaction retires: a driver's lock is not held for long."""

Still = Callable[[Collection[str], uuid.UUID, date], set[str]]
"""Of these ids, of a driver's, since a day: those that are not over."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many rows left a feed, and how many deleted ones were forgotten."""

    retired: int
    forgotten: int


def feeds_to_compact(*, before: datetime) -> list[uuid.UUID]:
    """Return the feeds with rows that have not changed since before an instant."""
    rows = Change.objects.filter(at__lt=before).values_list("scope", flat=True)
    return sorted(set(rows.distinct()))


def compact_feed(
    *, driver_id: uuid.UUID, before: datetime, by: Actor, now: datetime
) -> Compacted:
    """Rid one driver's feed of what is over; again changes nothing."""
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        forgotten = forget_removed(driver_id, before=before, journal=journal)
    retired = 0
    for table, still in STILL.items():
        last = 0
        while True:
            with writing(by=by, now=now, scopes=[driver_id]) as journal:
                rows = list(
                    Change.objects.filter(
                        scope=driver_id,
                        table=table,
                        deleted=False,
                        at__lt=before,
                        pk__gt=last,
                    )
                    .order_by("pk")
                    .values_list("pk", "row_id")[:BATCH]
                )
                if not rows:
                    break
                last = rows[-1][0]
                ids = {row_id for _, row_id in rows}
                over = ids - still(ids, driver_id, before.date())
                journal.removed(driver_id, table, *sorted(over))
                retired += len(over)
    return Compacted(retired, forgotten)


def _known(ids: Collection[str]) -> list[uuid.UUID]:
    return [parsed for text in ids if (parsed := parse_id(text)) is not None]


def _routes(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = Route.objects.filter(pk__in=_known(ids), driver_id=driver_id)
    return _texts(rows.filter(service_date__gte=since).values_list("pk", flat=True))


def _stops(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = Stop.objects.filter(pk__in=_known(ids), route__driver_id=driver_id)
    rows = rows.filter(route__service_date__gte=since)
    return _texts(rows.values_list("pk", flat=True))


def _orders(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = Stop.objects.filter(order__in=_known(ids), route__driver_id=driver_id)
    rows = rows.filter(route__service_date__gte=since)
    return _texts(rows.values_list("order_id", flat=True))


def _plan_changes(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = PlanChange.objects.filter(pk__in=_known(ids), driver_id=driver_id)
    rows = rows.filter(route__service_date__gte=since)
    return _texts(rows.values_list("pk", flat=True))


def _recommendations(
    ids: Collection[str], driver_id: uuid.UUID, since: date
) -> set[str]:
    rows = Recommendation.objects.filter(pk__in=_known(ids), issued_at__date__gte=since)
    return _texts(rows.values_list("pk", flat=True))


def _event_results(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = DeviceEvent.objects.filter(pk__in=ids, result=HELD)
    return _texts(rows.values_list("pk", flat=True))


def _attachments(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    kept = Q(status__in=[AttachmentState.STORED, AttachmentState.REFUSED])
    rows = Attachment.objects.filter(~kept, pk__in=ids)
    return _texts(rows.values_list("pk", flat=True))


def _feedback_answers(
    ids: Collection[str], driver_id: uuid.UUID, since: date
) -> set[str]:
    rows = Feedback.objects.filter(pk__in=_known(ids)).exclude(status__in=ANSWERED)
    return _texts(rows.values_list("pk", flat=True))


def _surveys(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = SurveyAsk.objects.filter(pk__in=_known(ids), closed_at=None)
    return _texts(rows.values_list("pk", flat=True))


def _overrides(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = Override.objects.filter(pk__in=_known(ids), service_date__gte=since)
    return _texts(rows.values_list("pk", flat=True))


def _verdicts(ids: Collection[str], driver_id: uuid.UUID, since: date) -> set[str]:
    rows = Verdict.objects.filter(pk__in=_known(ids), service_date__gte=since)
    return _texts(rows.values_list("pk", flat=True))


def _texts(keys: Collection[object]) -> set[str]:
    return {str(key) for key in keys}


STILL: Final[Mapping[str, Still]] = {
    "stops": _stops,
    "orders": _orders,
    "routes": _routes,
    "plan_changes": _plan_changes,
    "recommendations": _recommendations,
    "overrides": _overrides,
    "event_results": _event_results,
    "attachments": _attachments,
    "feedback_answers": _feedback_answers,
    "surveys": _surveys,
    "verdicts": _verdicts,
}
