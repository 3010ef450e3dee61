"""The office's side of a shift: planned, changed, cancelled before it starts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.core.actors import Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, FieldError, Invalid
from apps.drivers.models import Driver, Shift, ShiftBreak, Vehicle
from apps.drivers.services.shifts import locked_shift
from apps.drivers.states import SHIFT_STEPS, ShiftState
from apps.journal.services import Writer, writing


class Overlap(Conflict):
    """Driver or vehicle has another shift at that time."""

    type = "/problems/shift-overlap"
    title = "The driver or the vehicle has another shift at that time."


@dataclass(frozen=True, slots=True)
class BreakTime:
    """A break that must begin in [opens_at, closes_at]."""

    opens_at: datetime
    closes_at: datetime
    duration_s: int


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """When a shift is, with its breaks; half-open, [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime
    max_overtime_s: int = 0
    breaks: tuple[BreakTime, ...] = ()

    def check(self) -> None:
        """Let times that make sense pass.

        Raises:
            Invalid: the shift or a break has no length, or a break lies outside.
        """
        faults = []
        if self.ends_at <= self.starts_at:
            faults.append(
                FieldError("/ends_at", "before_start", "Ends before it starts.")
            )
        for index, rest in enumerate(self.breaks):
            inside = self.starts_at <= rest.opens_at <= rest.closes_at <= self.ends_at
            if not inside:
                faults.append(
                    FieldError(f"/breaks/{index}", "outside", "Lies outside the shift.")
                )
        if faults:
            raise Invalid(errors=faults)


def plan_shift(
    *,
    driver: Driver,
    vehicle: Vehicle,
    service_date: date,
    times: ShiftTimes,
    by: Actor,
    now: datetime,
) -> Shift:
    """Plan a shift of a driver with a vehicle of the same depot.

    Raises:
        Invalid: the times make no sense, the vehicle is another depot's, or driver or
            vehicle is out of service.
        Overlap: driver or vehicle is taken at that time.
    """
    times.check()
    if vehicle.depot_id != driver.depot_id:
        raise Invalid(
            errors=[FieldError("/vehicle", "other_depot", "Is another depot's.")]
        )
    with writing(by=by, now=now, scopes=[driver.pk]) as journal:
        lock_vehicle(vehicle.pk)
        _check_driver(driver.pk)
        check_free(driver.pk, vehicle.pk, times, None)
        shift = _insert(driver, vehicle, service_date, times)
        _add_breaks(shift, times.breaks)
        _record(journal, "shift.planned", shift)
    return shift


def _insert(
    driver: Driver, vehicle: Vehicle, service_date: date, times: ShiftTimes
) -> Shift:
    try:
        with transaction.atomic():
            return Shift.objects.create(
                depot_id=driver.depot_id,
                driver=driver,
                vehicle=vehicle,
                service_date=service_date,
                starts_at=times.starts_at,
                ends_at=times.ends_at,
                max_overtime_s=times.max_overtime_s,
            )
    except IntegrityError as error:  # a cancelled shift with the same start
        raise Overlap from error


def change_shift(
    *,
    shift_id: uuid.UUID,
    expected_version: int | None,
    times: ShiftTimes,
    vehicle: Vehicle | None,
    by: Actor,
    now: datetime,
) -> Shift:
    """Give a shift that has not started other times, breaks or another vehicle.

    Raises:
        NotFound: there is no such shift.
        PreconditionFailed: it was changed since the caller read it.
        Conflict: it has started, or is over.
        Invalid, Overlap: as for `plan_shift`.
    """
    times.check()
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        _check_version(shift, expected_version)
        if shift.status != ShiftState.PLANNED:
            raise Conflict("Only a shift that has not started can be changed.")
        if vehicle is not None and vehicle.depot_id != shift.depot_id:
            raise Invalid(
                errors=[FieldError("/vehicle", "other_depot", "Is another depot's.")]
            )
        shift.vehicle_id = vehicle.pk if vehicle else shift.vehicle_id
        lock_vehicle(shift.vehicle_id)
        _check_driver(shift.driver_id)
        check_free(shift.driver_id, shift.vehicle_id, times, shift.pk)
        shift.starts_at, shift.ends_at = times.starts_at, times.ends_at
        shift.max_overtime_s = times.max_overtime_s
        shift.version += 1
        try:
            with transaction.atomic():
                shift.save()
        except IntegrityError as error:
            raise Overlap from error
        shift.breaks.all().delete()
        _add_breaks(shift, times.breaks)
        _record(journal, "shift.changed", shift)
    return shift


def cancel_shift(
    *, shift_id: uuid.UUID, expected_version: int | None, by: Actor, now: datetime
) -> Shift:
    """Take a planned shift back.

    Raises:
        NotFound: there is no such shift.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it has started, or is over.
    """
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        _check_version(shift, expected_version)
        SHIFT_STEPS.check(shift.status, ShiftState.CANCELLED)
        shift.status = ShiftState.CANCELLED
        shift.version += 1
        shift.save(update_fields=["status", "version"])
        _record(journal, "shift.cancelled", shift)
    return shift


def _check_version(shift: Shift, expected: int | None) -> None:
    if expected is not None and shift.version != expected:
        raise PreconditionFailed


def lock_vehicle(vehicle_id: uuid.UUID) -> None:
    """Lock a vehicle that is to be driven.

    Raises:
        Invalid: it is out of service.
    """
    vehicle = Vehicle.objects.select_for_update().get(pk=vehicle_id)
    if not vehicle.is_active:
        raise _out_of_service("/vehicle")


def _check_driver(driver_id: uuid.UUID) -> None:
    if not Driver.objects.filter(pk=driver_id, is_active=True).exists():
        raise _out_of_service("/driver")


def _out_of_service(pointer: str) -> Invalid:
    text = "Is out of service: make it active, or choose another."
    return Invalid(errors=[FieldError(pointer, "inactive", text)])


def check_free(
    driver_id: uuid.UUID,
    vehicle_id: uuid.UUID,
    times: ShiftTimes,
    except_id: uuid.UUID | None,
) -> None:
    """Let a driver and a vehicle pass that have no other shift at that time.

    Raises:
        Overlap: one of them has.
    """
    taken = Shift.objects.filter(
        Q(driver_id=driver_id) | Q(vehicle_id=vehicle_id),
        starts_at__lt=times.ends_at,
        ends_at__gt=times.starts_at,
    ).exclude(status__in=[ShiftState.CANCELLED, ShiftState.ENDED])
    if except_id is not None:
        taken = taken.exclude(pk=except_id)
    if taken.exists():
        raise Overlap


def _add_breaks(shift: Shift, breaks: Sequence[BreakTime]) -> None:
    ShiftBreak.objects.bulk_create(
        ShiftBreak(
            shift=shift,
            opens_at=rest.opens_at,
            closes_at=rest.closes_at,
            duration_s=rest.duration_s,
        )
        for rest in breaks
    )


def _record(journal: Writer, kind: str, shift: Shift) -> None:
    journal.record(
        kind,
        shift,
        depot_id=shift.depot_id,
        shift_id=str(shift.pk),
        driver_id=str(shift.driver_id),
        service_date=shift.service_date.isoformat(),
    )
