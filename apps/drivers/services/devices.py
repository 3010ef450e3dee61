"""Devices: enrolled by a one-time code, opened by a session, revoked from afar."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.crypto import salted_hmac

from apps.core.actors import Actor
from apps.core.problems import NotFound, Problem
from apps.drivers.models import Device, Driver, EnrolmentCode, Token
from apps.drivers.services.tokens import mint
from apps.drivers.states import DEVICE_STEPS, DeviceState
from apps.journal.services import writing

CODE_TTL = timedelta(hours=24)
SESSION_TTL = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How often the note of a device's last sign of life is renewed."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that a person takes for a digit."""

CODE_LENGTH = 12
"""60 bits: not to be guessed within its day, throttled or not."""

_SOFT = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class CodeRefused(Problem):
    """The enrolment code is unknown, used, or too old; which of them is not told."""

    type = "/problems/enrolment-code-refused"
    title = "This code is not valid (any more): ask your depot for a new one."
    status = 403


class DriverRefused(Problem):
    """The driver may not sign in on this device."""

    type = "/problems/driver-refused"
    title = "This driver cannot sign in on this device."
    status = 403


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A driver's new session on a device; the secret is shown this once."""

    device: Device
    driver: Driver
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that now belongs to a driver; the secrets are shown this once."""

    device: Device
    device_token: str
    session: OpenedSession


def create_enrolment_code(
    *, driver_id: uuid.UUID, by: Actor, now: datetime
) -> tuple[EnrolmentCode, str]:
    """Make a code that enrols one device for a driver; return its row and the code.

    Raises:
        NotFound: there is no such driver, or the driver works no more.
    """
    driver = Driver.objects.filter(pk=driver_id, is_active=True).first()
    if driver is None:
        raise NotFound
    plain = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    with writing(by=by, now=now) as journal:
        row = EnrolmentCode.objects.create(
            driver=driver,
            code_hash=code_hash(plain),
            created_at=now,
            created_by=str(by),
            expires_at=now + CODE_TTL,
        )
        journal.record(
            "enrolment_code.created",
            row,
            depot_id=driver.depot_id,
            driver_id=str(driver.pk),
        )
    return row, "-".join(plain[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def code_hash(code: str) -> str:
    """Return the keyed hash of a code, however a person has typed it."""
    plain = code.upper().translate(_SOFT)
    return salted_hmac("drivers.enrolment", plain, algorithm="sha256").hexdigest()


def enrol_device(
    *, code: str, name: str, platform: str, by: Actor, now: datetime
) -> Enrolled:
    """Use up a code: make the device, its credential, and its first session.

    Raises:
        CodeRefused: the code is unknown, used or expired, or its driver is inactive.
    """
    digest = code_hash(code)
    with writing(by=by, now=now) as journal:
        used = EnrolmentCode.objects.filter(
            code_hash=digest, used_at=None, expires_at__gt=now, driver__is_active=True
        ).update(used_at=now)
        if used != 1:
            raise CodeRefused
        row = EnrolmentCode.objects.select_related("driver__user").get(code_hash=digest)
        driver = row.driver
        device = Device.objects.create(
            depot_id=driver.depot_id,
            driver=driver,
            name=name or platform or "Device",
            platform=platform,
            enrolled_at=now,
            last_seen_at=now,
        )
        EnrolmentCode.objects.filter(pk=row.pk).update(used_by_device=device)
        _, device_token = mint(
            user=driver.user,
            purpose=Token.Purpose.DEVICE,
            device=device,
            expires_at=None,
        )
        session = _begin_session(device, driver, now)
        journal.record(
            "device.enrolled",
            device,
            depot_id=device.depot_id,
            driver_id=str(driver.pk),
        )
    return Enrolled(device, device_token, session)


def open_session(
    *, device_id: uuid.UUID, by: Actor, now: datetime, user: User | None = None
) -> OpenedSession:
    """Open or renew a driver's session on a device.

    Without `user` the driver goes on whom the device knows of; with `user` (whose
    password the door has checked) that driver takes the device over, and the sessions
    of others on it end. Ended sessions still hand in evidence. The answer may be lost:
    until the new session is shown, the device acts for the driver before.

    Raises:
        DriverRefused: the device is not active, or the person does not drive, works
            no more, or belongs to another depot.
    """
    with writing(by=by, now=now) as journal:
        device = Device.objects.select_for_update().get(pk=device_id)
        known_id = device.shown_driver_id or device.driver_id
        who = Q(pk=known_id) if user is None else Q(user=user)
        driver = (
            Driver.objects.select_related("user")
            .filter(who, is_active=True, user__is_active=True)
            .first()
        )
        if driver is None or driver.depot_id != device.depot_id:
            raise DriverRefused
        if device.status != DeviceState.ACTIVE:
            raise DriverRefused("The device was revoked.")
        if driver.pk != device.driver_id:
            _change_driver(device, driver, now)
            journal.record(
                "device.driver_changed",
                device,
                depot_id=device.depot_id,
                driver_id=str(driver.pk),
            )
        return _begin_session(device, driver, now)


def note_session_shown(
    *, device_id: uuid.UUID, number: int, driver_id: uuid.UUID
) -> None:
    """Note that a device has shown a session; only a newer one than before counts.

    A session that was opened before is shown again and again, since what was done under
    it is sent with it: it says nothing of who has the device now.
    """
    older = Device.objects.filter(pk=device_id, shown_session__lt=number)
    older.update(shown_session=number, shown_driver=driver_id)


def _change_driver(device: Device, driver: Driver, now: datetime) -> None:
    device.shown_driver_id = device.shown_driver_id or device.driver_id
    device.driver = driver
    device.save(update_fields=["driver", "shown_driver"])
    Token.objects.filter(device=device, purpose=Token.Purpose.DEVICE).update(
        user=driver.user
    )
    _end_sessions(device, now)


def _end_sessions(device: Device, now: datetime) -> None:
    Token.objects.filter(
        device=device, purpose=Token.Purpose.SESSION, expiry__gt=now
    ).update(expiry=now)


def _begin_session(device: Device, driver: Driver, now: datetime) -> OpenedSession:
    expires_at = now + SESSION_TTL
    device.sessions += 1  # its row is locked, or new
    device.save(update_fields=["sessions"])
    _, secret = mint(
        user=driver.user,
        purpose=Token.Purpose.SESSION,
        device=device,
        expires_at=expires_at,
        number=device.sessions,
    )
    return OpenedSession(device, driver, secret, expires_at)


def revoke_device(
    *, device_id: uuid.UUID, action: str, by: Actor, now: datetime
) -> Device:
    """Take a device's trust away: `drain_then_wipe` lets it send what it holds first.

    Its sessions end; its credential stays, so that it can be told what to do.

    Raises:
        NotFound: there is no such device.
        IllegalStep: it was revoked before; a draining one may still be told to wipe.
    """
    status = (
        DeviceState.DRAINING if action == "drain_then_wipe" else DeviceState.REVOKED
    )
    with writing(by=by, now=now) as journal:
        device = Device.objects.select_for_update().filter(pk=device_id).first()
        if device is None:
            raise NotFound
        DEVICE_STEPS.check(device.status, status)
        device.status = status
        device.revoked_at, device.revoked_by = now, str(by)
        device.save(update_fields=["status", "revoked_at", "revoked_by"])
        _end_sessions(device, now)
        journal.record(
            "device.revoked",
            device,
            depot_id=device.depot_id,
            driver_id=str(device.driver_id),
            action=action,
        )
    return device


def note_device_seen(
    *, device_id: uuid.UUID, now: datetime, known_at: datetime | None = None
) -> None:
    """Keep when a device was heard of last, once a minute at the most.

    `known_at` is what the caller has just read: it saves the asking.
    """
    if known_at is not None and known_at >= now - SEEN_EVERY:
        return
    stale = Q(last_seen_at=None) | Q(last_seen_at__lt=now - SEEN_EVERY)
    Device.objects.filter(stale, pk=device_id).update(last_seen_at=now)
