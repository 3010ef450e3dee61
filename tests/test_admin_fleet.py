"""The office's pages of drivers, vehicles, shifts and devices, by their addresses."""

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.core.roles import SUPERVISOR
from apps.drivers.models import Device, Driver, EnrolmentCode, Shift, Vehicle
from apps.drivers.states import DeviceState, ShiftState
from apps.journal.models import Entry
from tests.factories import DriverFactory, VehicleFactory
from tests.office import Office, make_office, make_user, signed_in
from tests.qr import modules_of, read

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def office() -> Office:
    return make_office(name="Lauf")


@pytest.fixture
def supervisor(office: Office) -> Client:
    return signed_in(make_user(SUPERVISOR, office.depot))


def page(name: str, *rows: object) -> str:
    return reverse(f"admin:{name}", args=[getattr(row, "pk", row) for row in rows])


def test_enrolment_code_is_shown_once_with_its_picture(
    office: Office, supervisor: Client
) -> None:
    url = page("drivers_driver_enrolment_code", office.driver)
    assert "Make the code" in supervisor.get(url).content.decode()
    assert not EnrolmentCode.objects.exists()
    answer = supervisor.post(url)
    text = answer.content.decode()
    row = EnrolmentCode.objects.get(driver=office.driver)
    assert "no-store" in answer["Cache-Control"]
    assert "<svg" in text
    assert row.code_hash not in text
    assert row.expires_at.astimezone(BERLIN).strftime("%H:%M") in text


def test_picture_of_the_enrolment_code_enrols_a_device(
    office: Office, supervisor: Client, client: Client
) -> None:
    url = page("drivers_driver_enrolment_code", office.driver)
    text = supervisor.post(url).content.decode()
    said = urlsplit(read(modules_of(text[text.index("<svg") :])))
    assert (said.scheme, said.netloc) == ("roundsman", "enrol")
    asked = dict(parse_qsl(said.query))
    assert asked["server"] == settings.PUBLIC_URL
    assert asked["code"] in text
    done = client.post(
        "/api/sync/v1/enrol",
        {"code": asked["code"], "name": "Handheld", "platform": "test"},
        content_type="application/json",
    )
    assert done.status_code == 201
    assert done.json()["driver"]["id"] == str(office.driver.pk)


def test_enrolment_code_for_an_inactive_driver_is_refused(
    office: Office, supervisor: Client
) -> None:
    Driver.objects.filter(pk=office.driver.pk).update(is_active=False)
    supervisor.post(page("drivers_driver_enrolment_code", office.driver))
    assert not EnrolmentCode.objects.exists()


@pytest.mark.parametrize(
    ("action", "state"),
    [("drain_then_wipe", DeviceState.DRAINING), ("wipe", DeviceState.REVOKED)],
)
def test_revoke_takes_the_device_back(
    action: str, state: str, office: Office, supervisor: Client
) -> None:
    url = page("drivers_device_revoke", office.device)
    assert "Revoke" in supervisor.get(url).content.decode()
    supervisor.post(url, {"action": action})
    device = Device.objects.get(pk=office.device.pk)
    assert device.status == state
    assert device.revoked_by.startswith("user:")


def test_revoke_needs_a_choice_and_only_once(
    office: Office, supervisor: Client
) -> None:
    url = page("drivers_device_revoke", office.device)
    supervisor.post(url, {"action": "explode"})
    assert Device.objects.get(pk=office.device.pk).status == DeviceState.ACTIVE
    supervisor.post(url, {"action": "wipe"})
    answer = supervisor.get(url, follow=True)
    assert "This device is revoked already." in answer.content.decode()


def test_driver_is_hired_with_a_log_in(office: Office, supervisor: Client) -> None:
    answer = supervisor.post(
        page("drivers_driver_add"),
        {
            "depot": office.depot.pk,
            "name": "Ewa Nowak",
            "phone": "+4991231234567",
            "language": "de",
            "skills": "fridge, ladder, fridge",
            "username": "ewa",
            "password": "",
        },
    )
    assert answer.status_code == 302
    driver = Driver.objects.get(name="Ewa Nowak")
    assert driver.skills == ["fridge", "ladder"]
    assert driver.user.username == "ewa"
    assert not driver.user.has_usable_password()
    assert Entry.objects.filter(kind="driver.hired").exists()


def test_driver_with_a_taken_user_name_is_refused_beside_the_form(
    office: Office, supervisor: Client
) -> None:
    taken = office.driver.user.username
    fields = {"depot": office.depot.pk, "name": "Ewa", "username": taken}
    answer = supervisor.post(page("drivers_driver_add"), fields)
    assert answer.status_code == 200
    assert "This user name is taken." in answer.content.decode()
    assert Driver.objects.count() == 1


def test_vehicle_change_moves_its_version_and_refuses_a_stale_form(
    office: Office, supervisor: Client
) -> None:
    url = page("drivers_vehicle_change", office.vehicle)
    fields = {
        "name": "Van 7",
        "type": "van",
        "capacity_g": 500_000,
        "capacity_ml": 1,
        "capacity_pieces": 10,
        "capabilities": "lift",
        "cost_per_km_minor": 30,
        "cost_per_hour_minor": 2400,
        "speed_percent": 100,
        "is_active": "on",
        "read_version": 1,
    }
    assert 'name="read_version" value="1"' in supervisor.get(url).content.decode()
    assert supervisor.post(url, fields).status_code == 302
    vehicle = Vehicle.objects.get(pk=office.vehicle.pk)
    assert (vehicle.name, vehicle.version) == ("Van 7", 2)
    stale = supervisor.post(url, {**fields, "name": "Van 8"})
    assert stale.status_code == 200
    assert Vehicle.objects.get(pk=office.vehicle.pk).name == "Van 7"


SHIFT = {
    "starts": "22:00",
    "ends": "06:00",
    "max_overtime_min": "30",
    "break_1_opens": "01:00",
    "break_1_closes": "02:00",
    "break_1_min": "45",
}


def test_shift_is_planned_by_the_depots_clock_past_midnight(
    office: Office, supervisor: Client
) -> None:
    driver = DriverFactory(depot=office.depot)
    van = VehicleFactory(depot=office.depot)
    answer = supervisor.post(
        page("drivers_shift_add"),
        {
            **SHIFT,
            "driver": driver.pk,
            "vehicle": van.pk,
            "service_date": "2026-03-18",
        },
    )
    assert answer.status_code == 302
    shift = Shift.objects.get(driver=driver)
    assert shift.starts_at == datetime(2026, 3, 18, 22, 0, tzinfo=BERLIN)
    assert shift.ends_at == datetime(2026, 3, 19, 6, 0, tzinfo=BERLIN)
    assert shift.max_overtime_s == 1800
    rest = shift.breaks.get()
    assert rest.opens_at == datetime(2026, 3, 19, 1, 0, tzinfo=BERLIN)
    assert rest.duration_s == 2700


def test_shift_change_keeps_the_form_where_the_verb_refuses(
    office: Office, supervisor: Client
) -> None:
    url = page("drivers_shift_change", office.shift)
    shown = supervisor.get(url).content.decode()
    assert 'value="07:00' in shown
    fields = {**SHIFT, "starts": "07:00", "ends": "15:00", "read_version": 1}
    fields |= {"vehicle": str(office.vehicle.pk)}
    refused = supervisor.post(url, fields)  # its break at one lies outside
    assert "Lies outside the shift." in refused.content.decode()
    fields |= {"break_1_opens": "11:00", "break_1_closes": "12:00"}
    assert supervisor.post(url, fields).status_code == 302
    office.shift.refresh_from_db()
    assert office.shift.version == 2
    assert office.shift.breaks.get().duration_s == 2700


def test_shift_form_asks_for_the_whole_break(
    office: Office, supervisor: Client
) -> None:
    fields = {**SHIFT, "break_1_min": "", "read_version": 1}
    fields |= {"vehicle": str(office.vehicle.pk)}
    answer = supervisor.post(page("drivers_shift_change", office.shift), fields)
    assert "A break has a begin" in answer.content.decode()


def test_shift_offers_no_driver_of_another_depot(
    office: Office, supervisor: Client
) -> None:
    other = make_office()
    text = supervisor.get(page("drivers_shift_add")).content.decode()
    assert office.driver.name in text
    assert str(other.driver.pk) not in text


def test_shift_is_cancelled_after_a_question(
    office: Office, supervisor: Client
) -> None:
    url = page("drivers_shift_cancel", office.shift)
    assert "Cancel the shift" in supervisor.get(url).content.decode()
    supervisor.post(url)
    office.shift.refresh_from_db()
    assert office.shift.status == ShiftState.CANCELLED
    assert supervisor.post(url).status_code == 302
    shown = supervisor.get(page("drivers_shift_change", office.shift))
    assert 'name="starts"' not in shown.content.decode()
