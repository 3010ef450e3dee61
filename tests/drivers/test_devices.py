"""Devices: enrolled once, opened by sessions, revoked; each exit of each verb."""

import uuid
from datetime import timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.core.problems import NotFound
from apps.core.states import IllegalStep
from apps.drivers.authentication import device_credential, take_note
from apps.drivers.models import Device, EnrolmentCode, Token
from apps.drivers.services import (
    create_enrolment_code,
    enrol_device,
    note_device_seen,
    open_session,
    revoke_device,
)
from apps.drivers.services.devices import (
    CODE_TTL,
    SESSION_TTL,
    CodeRefused,
    DriverRefused,
    Enrolled,
    code_hash,
)
from apps.journal.selectors import entries_about
from tests.factories import NOW, DriverFactory

pytestmark = pytest.mark.django_db


def enrolled(driver: object = None) -> Enrolled:
    driver = driver or DriverFactory()
    pk = driver.pk  # type: ignore[attr-defined]
    _, code = create_enrolment_code(driver_id=pk, by=SYSTEM, now=NOW)
    return enrol_device(code=code, name="", platform="web", by=SYSTEM, now=NOW)


def test_create_enrolment_code_is_stored_as_a_hash_alone() -> None:
    row, code = create_enrolment_code(driver_id=DriverFactory().pk, by=SYSTEM, now=NOW)
    assert len(code) == 14
    assert row.expires_at == NOW + timedelta(hours=24)
    assert code.replace("-", "") not in str(EnrolmentCode.objects.values().get())


def test_create_enrolment_code_for_one_who_is_gone_is_refused() -> None:
    with pytest.raises(NotFound):
        create_enrolment_code(
            driver_id=DriverFactory(is_active=False).pk, by=SYSTEM, now=NOW
        )


def test_code_hash_bears_how_people_type() -> None:
    assert code_hash("10-AB") == code_hash("io ab") == code_hash("LOAB")


def test_enrol_device_makes_device_credential_and_session() -> None:
    done = enrolled()
    assert done.device.name == "web"
    assert done.session.expires_at == NOW + SESSION_TTL
    own = device_credential(done.device_token)
    session = device_credential(done.session.token)
    assert own is not None
    assert session is not None
    assert (own.purpose, own.device) == ("device", done.device)
    assert not own.is_session(NOW)
    assert session.is_session(NOW)
    assert not session.is_session(NOW + SESSION_TTL)
    (entry,) = entries_about("device", done.device.pk)
    assert entry.kind == "device.enrolled"
    assert EnrolmentCode.objects.get().used_by_device == done.device


@pytest.mark.parametrize("fault", ["used", "late", "unknown", "inactive"])
def test_enrol_device_with_a_code_that_does_not_count(fault: str) -> None:
    driver = DriverFactory()
    _, code = create_enrolment_code(driver_id=driver.pk, by=SYSTEM, now=NOW)
    at = NOW
    if fault == "used":
        enrol_device(code=code, name="1", platform="", by=SYSTEM, now=NOW)
    elif fault == "late":
        at = NOW + CODE_TTL
    elif fault == "unknown":
        code = "0000-0000-0000"
    else:
        driver.is_active = False
        driver.save()
    before = Device.objects.count()
    with pytest.raises(CodeRefused):
        enrol_device(code=code, name="2", platform="", by=SYSTEM, now=at)
    assert Device.objects.count() == before


def test_open_session_renews_and_leaves_the_old_one_its_time() -> None:
    done = enrolled()
    later = NOW + timedelta(hours=1)
    again = open_session(device_id=done.device.pk, by=SYSTEM, now=later)
    assert again.expires_at == later + SESSION_TTL
    old = device_credential(done.session.token)
    assert old is not None
    assert old.is_session(later)


def test_open_session_of_another_driver_ends_the_first_ones() -> None:
    done = enrolled()
    other = DriverFactory(depot=done.device.depot)
    opened = open_session(device_id=done.device.pk, by=SYSTEM, now=NOW, user=other.user)
    first = device_credential(done.session.token)
    own = device_credential(done.device_token)
    assert opened.driver == other
    assert first is not None
    assert own is not None
    assert not first.is_session(NOW)
    assert first.driver != other
    assert own.driver == first.driver  # it may not know of the other one yet
    hers = device_credential(opened.token)
    assert hers is not None
    assert hers.is_shown_first
    take_note(hers)
    own = device_credential(done.device_token)
    assert own is not None
    assert own.driver == other
    kinds = [entry.kind for entry in entries_about("device", done.device.pk)]
    assert kinds == ["device.enrolled", "device.driver_changed"]


def test_open_session_on_a_revoked_device_is_refused() -> None:
    done = enrolled()
    revoke_device(device_id=done.device.pk, action="wipe", by=SYSTEM, now=NOW)
    with pytest.raises(DriverRefused):
        open_session(device_id=done.device.pk, by=SYSTEM, now=NOW)


def test_revoke_device_ends_sessions_and_keeps_what_tells_it() -> None:
    done = enrolled()
    device = revoke_device(
        device_id=done.device.pk, action="drain_then_wipe", by=SYSTEM, now=NOW
    )
    assert device.status == "draining"
    session = device_credential(done.session.token)
    assert session is not None
    assert not session.is_session(NOW)
    assert device_credential(done.device_token) is not None
    wiped = revoke_device(device_id=device.pk, action="wipe", by=SYSTEM, now=NOW)
    assert wiped.status == "revoked"
    with pytest.raises(IllegalStep):
        revoke_device(device_id=device.pk, action="drain_then_wipe", by=SYSTEM, now=NOW)


def test_revoke_device_that_is_unknown() -> None:
    with pytest.raises(NotFound):
        revoke_device(device_id=uuid.uuid4(), action="wipe", by=SYSTEM, now=NOW)


def test_note_device_seen_writes_once_a_minute() -> None:
    device = enrolled().device
    note_device_seen(device_id=device.pk, now=NOW + timedelta(seconds=59))
    device.refresh_from_db()
    assert device.last_seen_at == NOW
    note_device_seen(device_id=device.pk, now=NOW + timedelta(seconds=61))
    device.refresh_from_db()
    assert device.last_seen_at == NOW + timedelta(seconds=61)


@pytest.mark.parametrize("secret", ["", "x", "0" * 64, "é\x00", "\ud800"])
def test_device_credential_of_no_device(secret: str) -> None:
    assert device_credential(secret) is None
    assert not Token.objects.exists()
