"""Questions to drivers, shifts and credentials; they never write."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from knox.crypto import hash_token

from apps.core.statements import Statement, as_is, partly, read_instant, read_uuid
from apps.core.units import instant_of
from apps.drivers.models import Device, Driver, Position, Shift, Token
from apps.drivers.states import ShiftState
from apps.journal.models import FeedHead

LONGEST_SHIFT = timedelta(days=2)
"""How long before a fix the shift that it belongs to may have begun."""

NEAR = timedelta(hours=12)
"""How far from its shift a driver's word about "the shift" may come."""


def token_by_secret(secret: str) -> Token | None:
    """Return the credential that a secret belongs to, expired ones included."""
    rows = Token.objects.select_related("user__driver", "device__driver__user")
    token: Token | None = rows.filter(pk=_digest(secret)).first()
    return token


SHOWN: Final = Statement(
    """
    SELECT t.purpose, t.expiry, t.number,
           d.id, d.depot_id, d.driver_id, d.shown_session, d.status, d.enrolled_at,
           d.last_seen_at, d.revoked_at, d.clock_offset_ms, d.clock_measured_at,
           r.id, r.depot_id, r.user_id, r.language, r.is_active,
           u.id, u.username, u.is_active, f.head, f.horizon, f.epoch
      FROM drivers_token t
      JOIN drivers_device d ON d.id = t.device_id
      JOIN drivers_driver r ON r.id = CASE t.purpose WHEN 'session' THEN
           (SELECT s.id FROM drivers_driver s WHERE s.user_id = t.user_id)
           ELSE COALESCE(d.shown_driver_id, d.driver_id) END
      JOIN auth_user u ON u.id = r.user_id
      LEFT JOIN journal_feedhead f ON f.scope = r.id
     WHERE t.digest = %s
    """,
    *(as_is, read_instant, as_is),
    *(read_uuid, read_uuid, read_uuid, as_is, as_is, read_instant, read_instant),
    *(read_instant, as_is, read_instant),
    *(read_uuid, read_uuid, as_is, as_is, bool),
    *(as_is, as_is, bool),
    *(as_is, as_is, as_is),
)
DEVICE_SHOWN: Final = (
    *("id", "depot_id", "driver_id", "shown_session", "status", "enrolled_at"),
    *("last_seen_at", "revoked_at", "clock_offset_ms", "clock_measured_at"),
)
DRIVER_SHOWN: Final = ("id", "depot_id", "user_id", "language", "is_active")
USER_SHOWN: Final = ("id", "username", "is_active")
FEED_SHOWN: Final = ("scope", "head", "horizon", "epoch")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a secret is for, until when, which session it is, on which device, and whose.

    `feed` is how far the driver's feed went when this was read; at 0 where nothing was told.
    """

    purpose: str
    expires_at: datetime | None
    number: int
    device: Device
    driver: Driver
    feed: FeedHead


def shown_by_device(secret: str) -> Shown | None:
    """Return what a device's secret stands for.

    Every request asks this, and an idle pull asks nothing else: of the rows only the
    columns that doors need are read, the others when they are asked for.
    """
    digest = _digest(secret)
    rows = SHOWN.rows(digest) if digest else []
    if not rows:
        return None
    [row] = rows
    device = partly(Device, DEVICE_SHOWN, row[3:13])
    driver = partly(Driver, DRIVER_SHOWN, row[13:18])
    # Not the other way round as well: what points to each other waits for the collector.
    driver._state.fields_cache["user"] = partly(User, USER_SHOWN, row[18:21])
    head, horizon, epoch = row[21:]
    feed = (
        FeedHead(scope=driver.pk)
        if head is None
        else partly(FeedHead, FEED_SHOWN, (driver.pk, head, horizon, epoch))
    )
    return Shown(row[0], row[1], row[2], device, driver, feed)


def _digest(secret: str) -> str:
    try:
        return str(hash_token(secret))
    except UnicodeEncodeError:
        return ""


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


def last_positions(
    driver_ids: Collection[uuid.UUID], *, since: datetime
) -> dict[uuid.UUID, Position]:
    """Return by driver the newest fix, where there is one since an instant."""
    newest = Position.objects.filter(driver=OuterRef("pk")).order_by("-occurred_ms")
    drivers = Driver.objects.filter(pk__in=driver_ids)
    fixes = drivers.annotate(fix=Subquery(newest.values("pk")[:1])).values("fix")
    rows = Position.objects.filter(
        pk__in=fixes.order_by(), occurred_ms__gte=round(since.timestamp() * 1000)
    )
    return {row.driver_id: row for row in rows.order_by()}
