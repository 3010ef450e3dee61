"""What time does to requests: they escalate, and they expire."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from apps.core.actors import SYSTEM
from apps.journal.services import writing
from apps.overrides.defaults import PATIENCE
from apps.overrides.models import Override
from apps.overrides.rights import next_role
from apps.overrides.services.closing import (
    AlreadyAnswered,
    SeenOlder,
    close,
    guarded_update,
)
from apps.overrides.services.deciding import present_role
from apps.overrides.states import OverrideState


def expire_overrides(*, now: datetime) -> int:
    """End what nobody answered in time; the plan stays as it is. Return how many."""
    due = Override.objects.filter(state=OverrideState.WAITING, deadline_at__lte=now)
    count = 0
    for row in (*due, *_never_priced(now)):
        try:
            close(row, OverrideState.EXPIRED, by=SYSTEM, now=now)
        except (AlreadyAnswered, SeenOlder):
            continue  # Answered in the last moment: that counts.
        count += 1
    return count


def _never_priced(now: datetime) -> Iterator[Override]:
    """Yield what could not even be priced within the time that its kind has."""
    for row in Override.objects.filter(state=OverrideState.REQUESTED):
        within = timedelta(minutes=PATIENCE[row.kind].answer_within)
        if row.received_at + within <= now:
            yield row


def escalate_overrides(*, now: datetime) -> int:
    """Ask the next role where the one asked has not answered; return how many."""
    due = Override.objects.filter(
        state=OverrideState.WAITING, escalates_at__lte=now, deadline_at__gt=now
    )
    count = 0
    for row in due:
        try:
            _escalate(row, now)
        except (AlreadyAnswered, SeenOlder):
            continue  # Answered, or priced anew, in the last moment.
        count += 1
    return count


def _escalate(row: Override, now: datetime) -> None:
    """Ask the next role; half of what time is left is its own, before the one after."""
    asked, higher = row.approver, next_role(row.approver)
    if higher is None or row.deadline_at is None:
        return
    role = present_role(higher, row.depot_id, now)
    again = now + (row.deadline_at - now) / 2 if next_role(role) else None
    scopes = [row.driver_id] if row.driver_id else []
    with writing(by=SYSTEM, now=now, scopes=scopes) as journal:
        guarded_update(
            row,
            None,
            approver=role,
            escalations=row.escalations + 1,
            escalates_at=again,
        )
        journal.record(
            "override.escalated",
            row,
            depot_id=row.depot_id,
            kind=row.kind,
            old_approver=asked,
            approver=role,
        )
        if row.driver_id is not None:
            journal.changed(row.driver_id, "overrides", row.pk)
