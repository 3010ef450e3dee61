"""Shifts: planned, changed, worked; each exit of each verb."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from apps.core.actors import SYSTEM
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, Invalid, NotFound
from apps.core.states import IllegalStep
from apps.drivers.models import Shift
from apps.drivers.selectors import shift_near
from apps.drivers.services import (
    BreakTime,
    ShiftTimes,
    cancel_shift,
    change_shift,
    end_shift,
    pause_shift,
    plan_shift,
    resume_shift,
    start_shift,
)
from apps.drivers.services.rosters import Overlap
from apps.journal.selectors import entries_about
from tests.factories import (
    NOW,
    SERVICE_DATE,
    DepotFactory,
    DriverFactory,
    ShiftFactory,
    VehicleFactory,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
TIMES = ShiftTimes(
    NOW, NOW + 8 * HOUR, 600, (BreakTime(NOW + 3 * HOUR, NOW + 4 * HOUR, 1800),)
)


def at(hours: float) -> dict[str, Any]:
    return {"occurred_at": NOW + hours * HOUR, "by": SYSTEM, "now": NOW + 9 * HOUR}


def test_shift_is_worked_from_start_to_end() -> None:
    shift = ShiftFactory(starts_at=NOW)
    start_shift(shift_id=shift.pk, **at(0.25))
    pause_shift(shift_id=shift.pk, **at(3))
    resume_shift(shift_id=shift.pk, **at(3.5))
    ended = end_shift(shift_id=shift.pk, **at(8))
    assert (ended.status, ended.version) == ("ended", 5)
    assert (ended.started_at, ended.ended_at) == (NOW + HOUR / 4, NOW + 8 * HOUR)
    entries = entries_about("shift", shift.pk)
    assert [entry.kind for entry in entries] == [
        "shift.started",
        "shift.paused",
        "shift.resumed",
        "shift.ended",
    ]
    assert entries[0].depot_id == shift.depot_id
    assert entries[0].payload == {
        "shift_id": str(shift.pk),
        "driver_id": str(shift.driver_id),
        "service_date": SERVICE_DATE.isoformat(),
        "occurred_at": (NOW + HOUR / 4).isoformat(),
        "late_s": 900,
    }


def test_start_shift_early_is_not_late() -> None:
    shift = ShiftFactory(starts_at=NOW)
    start_shift(shift_id=shift.pk, **at(-0.25))
    assert entries_about("shift", shift.pk)[0].payload["late_s"] == 0


@pytest.mark.parametrize(
    ("status", "verb", "allowed"),
    [
        ("planned", pause_shift, ["cancelled", "started"]),
        ("planned", resume_shift, ["cancelled", "started"]),
        ("planned", end_shift, ["cancelled", "started"]),
        ("started", start_shift, ["ended", "paused"]),
        ("started", resume_shift, ["ended", "paused"]),
        ("paused", start_shift, ["ended", "started"]),
        ("ended", end_shift, []),
        ("cancelled", start_shift, []),
    ],
)
def test_shift_step_that_is_not_allowed_names_those_that_are(
    status: str, verb: Any, allowed: list[str]
) -> None:
    shift = ShiftFactory(status=status, started_at=NOW)
    with pytest.raises(IllegalStep) as refused:
        verb(shift_id=shift.pk, **at(1))
    assert refused.value.extra["allowed"] == allowed
    assert Shift.objects.get().version == 1


def test_start_shift_that_is_unknown() -> None:
    with pytest.raises(NotFound):
        start_shift(shift_id=uuid.uuid4(), **at(0))


def planned(**more: Any) -> Shift:
    driver = more.pop("driver", None) or DriverFactory()
    vehicle = more.pop("vehicle", None) or VehicleFactory(depot=driver.depot)
    return plan_shift(
        driver=driver,
        vehicle=vehicle,
        service_date=SERVICE_DATE,
        times=more.pop("times", TIMES),
        by=SYSTEM,
        now=NOW,
    )


def test_plan_shift_with_its_break() -> None:
    shift = planned()
    assert shift.breaks.get().duration_s == 1800
    assert entries_about("shift", shift.pk)[0].kind == "shift.planned"


def test_plan_shift_while_driver_or_vehicle_is_taken() -> None:
    first = planned()
    with pytest.raises(Overlap):
        planned(driver=first.driver)
    colleague = DriverFactory(depot=first.depot)
    with pytest.raises(Overlap):
        planned(driver=colleague, vehicle=first.vehicle)
    after = ShiftTimes(TIMES.ends_at, TIMES.ends_at + HOUR)
    assert planned(driver=first.driver, vehicle=first.vehicle, times=after).pk


def test_plan_shift_with_another_depots_vehicle() -> None:
    with pytest.raises(Invalid):
        planned(vehicle=VehicleFactory(depot=DepotFactory()))


@pytest.mark.parametrize(
    ("times", "pointer"),
    [
        (ShiftTimes(NOW, NOW), "/ends_at"),
        (
            ShiftTimes(NOW, NOW + HOUR, 0, (BreakTime(NOW - HOUR, NOW, 60),)),
            "/breaks/0",
        ),
    ],
)
def test_plan_shift_at_times_that_make_no_sense(
    times: ShiftTimes, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        planned(times=times)
    assert refused.value.errors[0].pointer == pointer


def test_change_shift_gives_it_other_times_and_another_vehicle() -> None:
    shift = planned()
    van = VehicleFactory(depot=shift.depot)
    changed = change_shift(
        shift_id=shift.pk,
        expected_version=1,
        times=ShiftTimes(NOW + HOUR, NOW + 9 * HOUR),
        vehicle=van,
        by=SYSTEM,
        now=NOW,
    )
    assert (changed.version, changed.vehicle) == (2, van)
    assert not changed.breaks.exists()
    with pytest.raises(PreconditionFailed):
        change_shift(
            shift_id=shift.pk,
            expected_version=1,
            times=TIMES,
            vehicle=None,
            by=SYSTEM,
            now=NOW,
        )


def test_change_shift_that_has_started() -> None:
    shift = planned()
    start_shift(shift_id=shift.pk, **at(0))
    with pytest.raises(Conflict):
        change_shift(
            shift_id=shift.pk,
            expected_version=None,
            times=TIMES,
            vehicle=None,
            by=SYSTEM,
            now=NOW,
        )


def test_cancel_shift_frees_driver_and_vehicle() -> None:
    shift = planned()
    cancel_shift(shift_id=shift.pk, expected_version=1, by=SYSTEM, now=NOW)
    later = ShiftTimes(NOW + HOUR, NOW + 2 * HOUR)
    assert planned(driver=shift.driver, vehicle=shift.vehicle, times=later).pk
    with pytest.raises(IllegalStep):
        cancel_shift(shift_id=shift.pk, expected_version=None, by=SYSTEM, now=NOW)
    with pytest.raises(Overlap):  # the cancelled one keeps its start
        planned(
            driver=shift.driver,
            times=ShiftTimes(NOW, NOW + HOUR / 2),
        )


def test_shift_near_prefers_the_one_under_way() -> None:
    driver = DriverFactory()
    early = ShiftFactory(driver=driver, depot=driver.depot, starts_at=NOW - 8 * HOUR)
    late = ShiftFactory(driver=driver, depot=driver.depot, starts_at=NOW)
    assert shift_near(driver.pk, NOW) == late
    start_shift(shift_id=early.pk, **at(-8))
    found = shift_near(driver.pk, NOW)
    assert found is not None
    assert found.pk == early.pk
    assert shift_near(driver.pk, NOW + 100 * HOUR) is None
