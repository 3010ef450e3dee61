"""Questions to drivers, shifts and credentials; they never write."""

import uuid
from datetime import datetime, timedelta

from knox.crypto import hash_token

from apps.core.units import instant_of
from apps.drivers.models import Driver, Position, Shift, Token
from apps.drivers.states import ShiftState

LONGEST_SHIFT = timedelta(days=2)
"""How long before a fix the shift that it belongs to may have begun."""

NEAR = timedelta(hours=12)
"""How far from its shift a driver's word about "the shift" may come."""


def token_by_secret(secret: str) -> Token | None:
    """Return the credential that a secret belongs to, expired ones included."""
    try:
        digest = hash_token(secret)
    except UnicodeEncodeError:
        return None
    rows = Token.objects.select_related("user__driver", "device__driver__user")
    token: Token | None = rows.filter(pk=digest).first()
    return token


def drivers_who_signed_in(device_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the drivers who ever had a session on a device."""
    sessions = Token.objects.filter(device=device_id, purpose=Token.Purpose.SESSION)
    rows = Driver.objects.filter(user__in=sessions.values("user"))
    return set(rows.values_list("pk", flat=True))


def shift_near(driver_id: uuid.UUID, at: datetime) -> Shift | None:
    """Return the shift that a driver must mean at an instant: under way, else next."""
    near = Shift.objects.filter(
        driver_id=driver_id, starts_at__lt=at + NEAR, ends_at__gt=at - NEAR
    ).exclude(status=ShiftState.CANCELLED)
    order = [ShiftState.STARTED, ShiftState.PAUSED, ShiftState.PLANNED]
    shifts = sorted(near, key=lambda shift: abs((shift.starts_at - at).total_seconds()))
    for status in order:
        for shift in shifts:
            if shift.status == status:
                return shift
    return shifts[0] if shifts else None


def spans_of_work(
    driver_id: uuid.UUID, *, from_ms: int, until_ms: int, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Return when a driver worked, or was to work, between two epoch milliseconds.

    A shift that has begun counts from its begin to its end, or on until `now`; one that
    has not, since its word may still be on its way, counts as it was planned.
    """
    first_at, last_at = instant_of(from_ms), instant_of(until_ms)
    rows = Shift.objects.filter(
        driver_id=driver_id,
        starts_at__gt=first_at - LONGEST_SHIFT,
        starts_at__lte=last_at + NEAR,
    ).exclude(status=ShiftState.CANCELLED)
    spans = []
    for shift in rows:
        begins_at = shift.started_at or shift.starts_at
        planned_end = shift.ends_at + timedelta(seconds=shift.max_overtime_s)
        open_end = max(planned_end, now) if shift.started_at else planned_end
        spans.append((begins_at, shift.ended_at or open_end))
    return spans


def last_position(driver_id: uuid.UUID) -> Position | None:
    """Return the newest fix of a driver."""
    return Position.objects.filter(driver_id=driver_id).first()
