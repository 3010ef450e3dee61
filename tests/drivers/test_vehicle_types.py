"""Vehicle types: what a kind of vehicle can, and what a vehicle makes of it (C9)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core.problems import Invalid, NotFound
from apps.drivers import services
from apps.drivers.kinds import FIRST_TYPES, abilities_of
from apps.drivers.models import Vehicle, VehicleType
from apps.drivers.services.people import NameTaken, StillOnShift
from apps.journal.models import Entry
from tests.factories import NOW, DriverFactory, ShiftFactory, VehicleFactory
from tests.office import make_office, make_user, signed_in
from tests.routes.days import OFFICE

pytestmark = pytest.mark.django_db

V1 = "/api/v1"


def administrator() -> APIClient:
    user = make_user("Supervisor")
    user.is_superuser = True
    user.save()
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_first_types_are_there_and_machines_take_no_signature() -> None:
    rows = VehicleType.objects.in_bulk()
    assert rows.keys() >= FIRST_TYPES.keys()
    for code in ("robot", "drone", "locker"):
        assert not rows[code].is_crewed
        assert "proof-signature" not in rows[code].capabilities
    assert "proof-signature" in rows["van"].capabilities


def test_abilities_of_are_the_types_and_its_own_less_what_it_lacks() -> None:
    found = abilities_of(["Cash", "upstairs"], own=["Cool box"], lacks=["cash"])
    assert found == ("cool-box", "upstairs")


def test_vehicle_goes_by_its_type_unless_it_says_otherwise() -> None:
    bike = VehicleFactory(type_id="cargo-bike")
    assert (bike.travel_speed_percent, "cash" in bike.abilities) == (80, True)
    fast = VehicleFactory(
        type_id="cargo-bike", speed_percent=95, lacks=["cash"], capabilities=["lift"]
    )
    assert fast.travel_speed_percent == 95
    assert {"lift", "upstairs"} <= {*fast.abilities}
    assert "cash" not in fast.abilities


def test_add_vehicle_type_code_that_is_there_is_refused() -> None:
    with pytest.raises(NameTaken):
        services.add_vehicle_type(code="van", fields={"name": "V"}, by=OFFICE, now=NOW)


def test_change_vehicle_type_changes_every_vehicle_of_it_and_is_recorded() -> None:
    robot = VehicleFactory(type_id="robot")
    services.change_vehicle_type(
        code="robot",
        expected_version=1,
        fields={"capabilities": ["proof-code", "cash"]},
        by=OFFICE,
        now=NOW,
    )
    assert Vehicle.objects.get(pk=robot.pk).abilities == ("cash", "proof-code")
    entry = Entry.objects.get(kind="vehicle_type.changed")
    assert (entry.subject_id, entry.payload) == ("robot", {"fields": ["capabilities"]})
    with pytest.raises(NotFound):
        services.change_vehicle_type(
            code="ufo", expected_version=None, fields={}, by=OFFICE, now=NOW
        )


def test_api_types_are_read_by_the_office_and_changed_by_administrators() -> None:
    office = make_office()
    planner = APIClient()
    planner.force_authenticate(make_user("Route planner", office.depot))
    listed = planner.get(f"{V1}/vehicle-types").json()["results"]
    assert {row["code"] for row in listed} >= FIRST_TYPES.keys()
    new = {"code": "boat", "name": "Boat", "capabilities": ["cash"]}
    assert planner.post(f"{V1}/vehicle-types", new).status_code == 403
    boss = administrator()
    added = boss.post(f"{V1}/vehicle-types", new)
    assert (added.status_code, added.json()["is_crewed"]) == (201, True)
    url = f"{V1}/vehicle-types/boat"
    assert boss.patch(url, {"is_crewed": False}).status_code == 428
    done = boss.patch(url, {"is_crewed": False}, HTTP_IF_MATCH='"1"')
    assert (done.json()["is_crewed"], done["ETag"]) == (False, '"2"')


def test_api_vehicle_shows_all_that_it_can_and_refuses_an_unknown_type() -> None:
    office = make_office()
    client = APIClient()
    client.force_authenticate(make_user("Supervisor", office.depot))
    url = f"{V1}/vehicles/{office.vehicle.pk}"
    change = {"type": "robot", "lacks": ["proof-photo"], "speed_percent": None}
    shown = client.patch(url, change, format="json", HTTP_IF_MATCH="*").json()
    assert (shown["type"], shown["can"], shown["speed_percent"]) == (
        "robot",
        ["proof-code"],
        None,
    )
    wrong = client.patch(url, {"type": "ufo"}, format="json", HTTP_IF_MATCH="*")
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["pointer"] == "/type"


def test_admin_administrator_changes_a_type_and_sees_the_vehicles() -> None:
    boss = make_user("Supervisor")
    boss.is_superuser = True
    boss.save()
    client = signed_in(boss)
    page = client.get(reverse("admin:drivers_vehicletype_changelist"))
    assert "proof-signature" in page.content.decode()
    url = reverse("admin:drivers_vehicletype_change", args=["robot"])
    fields = {
        "name": "Pavement robot",
        "capabilities": "proof-photo",
        "speed_percent": 20,
        "is_active": "on",
        "read_version": 1,
    }
    assert client.post(url, fields).status_code == 302
    row = VehicleType.objects.get(pk="robot")
    assert (row.name, row.capabilities, row.is_crewed) == (
        "Pavement robot",
        ["proof-photo"],
        False,
    )


def test_change_vehicle_out_of_service_with_shifts_ahead_is_refused() -> None:
    shift = ShiftFactory()
    with pytest.raises(StillOnShift):
        services.change_vehicle(
            vehicle_id=shift.vehicle_id,
            expected_version=None,
            fields={"is_active": False},
            by=OFFICE,
            now=NOW,
        )
    with pytest.raises(StillOnShift):
        services.change_driver(
            driver_id=shift.driver_id,
            expected_version=None,
            fields={"is_active": False},
            by=OFFICE,
            now=NOW,
        )
    services.cancel_shift(shift_id=shift.pk, expected_version=None, by=OFFICE, now=NOW)
    van = services.change_vehicle(
        vehicle_id=shift.vehicle_id,
        expected_version=None,
        fields={"is_active": False},
        by=OFFICE,
        now=NOW,
    )
    assert not van.is_active


@pytest.mark.parametrize("who", ["driver", "vehicle"])
def test_plan_shift_with_what_is_out_of_service_is_refused(who: str) -> None:
    driver = DriverFactory(is_active=who != "driver")
    van = VehicleFactory(depot=driver.depot, is_active=who != "vehicle")
    with pytest.raises(Invalid) as refused:
        services.plan_shift(
            driver=driver,
            vehicle=van,
            service_date=NOW.date(),
            times=services.ShiftTimes(NOW, NOW + timedelta(hours=4)),
            by=OFFICE,
            now=NOW,
        )
    assert [fault.pointer for fault in refused.value.errors] == [f"/{who}"]
