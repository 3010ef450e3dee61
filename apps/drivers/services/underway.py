"""What people change of a shift that may be running: its end, its vehicle, its breaks.

The routes that follow are planned with it by whoever calls; this room knows no routes.
"""

import uuid
from datetime import datetime

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.drivers.models import Shift, ShiftBreak, Vehicle
from apps.drivers.services.rosters import (
    BreakTime,
    ShiftTimes,
    check_free,
    lock_vehicle,
)
from apps.drivers.services.shifts import locked_shift
from apps.drivers.states import ShiftState
from apps.journal.services import Writer, writing

OPEN = (ShiftState.PLANNED, ShiftState.STARTED, ShiftState.PAUSED)


class ShiftOver(Conflict):
    """The shift has ended, or was cancelled."""

    type = "/problems/shift-over"
    title = "This shift is over: choose one that is planned or running."


def end_shift_early(
    *, shift_id: uuid.UUID, ends_at: datetime, by: Actor, now: datetime
) -> Shift:
    """Let a shift end before its plan, without overtime; breaks after that are dropped.

    Raises:
        NotFound: there is no such shift.
        ShiftOver: it has ended, or was cancelled.
        Invalid: that is no earlier end within the shift, or is past.
    """
    with writing(by=by, now=now) as journal:
        shift = _open_shift(journal, shift_id)
        if not max(shift.starts_at, now) < ends_at < shift.ends_at:
            text = "Choose a time that is still to come, before the shift ends anyway."
            raise Invalid(text, errors=[FieldError("/ends_at", "not_earlier", text)])
        before = shift.ends_at
        shift.ends_at, shift.max_overtime_s = ends_at, 0
        shift.breaks.filter(taken_at=None, opens_at__gte=ends_at).delete()
        shift.breaks.filter(taken_at=None, closes_at__gt=ends_at).update(
            closes_at=ends_at
        )
        _save(shift, "ends_at", "max_overtime_s")
        _record(journal, shift, "ends_at", before.isoformat(), ends_at.isoformat())
    return shift


def swap_vehicle(
    *, shift_id: uuid.UUID, vehicle_id: uuid.UUID, by: Actor, now: datetime
) -> Shift:
    """Let a shift, or the rest of it, be driven with another vehicle of its depot.

    Raises:
        NotFound: there is no such shift or vehicle.
        ShiftOver: it has ended, or was cancelled.
        Invalid: the vehicle is another depot's, or out of service.
        Overlap: the vehicle has another shift at that time.
    """
    with writing(by=by, now=now) as journal:
        shift = _open_shift(journal, shift_id)
        vehicle = Vehicle.objects.filter(pk=vehicle_id).first()
        if vehicle is None:
            raise NotFound("There is no such vehicle.")
        if vehicle.depot_id != shift.depot_id:
            text = "Is another depot's."
            raise Invalid(errors=[FieldError("/vehicle_id", "other_depot", text)])
        lock_vehicle(vehicle.pk)
        times = ShiftTimes(max(shift.starts_at, now), shift.ends_at)
        check_free(shift.driver_id, vehicle.pk, times, shift.pk)
        before = shift.vehicle_id
        shift.vehicle = vehicle
        _save(shift, "vehicle")
        _record(journal, shift, "vehicle_id", str(before), str(vehicle.pk))
    return shift


def add_break(
    *, shift_id: uuid.UUID, rest: BreakTime, by: Actor, now: datetime
) -> Shift:
    """Give a shift one more break.

    Raises:
        NotFound: there is no such shift.
        ShiftOver: it has ended, or was cancelled.
        Invalid: it cannot begin within the shift, or its time is over.
    """
    with writing(by=by, now=now) as journal:
        shift = _open_shift(journal, shift_id)
        inside = shift.starts_at <= rest.opens_at <= rest.closes_at <= shift.ends_at
        if not inside or rest.closes_at < now or rest.duration_s < 1:
            text = "Choose a begin that is still to come and lies within the shift."
            raise Invalid(text, errors=[FieldError("/from_at", "outside", text)])
        ShiftBreak.objects.create(
            shift=shift,
            opens_at=rest.opens_at,
            closes_at=rest.closes_at,
            duration_s=rest.duration_s,
        )
        _save(shift)
        _record(journal, shift, "breaks", "", f"{rest.duration_s} s")
    return shift


def _open_shift(journal: Writer, shift_id: uuid.UUID) -> Shift:
    shift = locked_shift(journal, shift_id)
    if shift.status not in OPEN:
        raise ShiftOver(f"This shift is {shift.get_status_display().lower()}.")
    return shift


def _save(shift: Shift, *names: str) -> None:
    shift.version += 1
    shift.save(update_fields=[*names, "version"])


def _record(journal: Writer, shift: Shift, field: str, old: str, new: str) -> None:
    journal.record(
        "shift.changed",
        shift,
        depot_id=shift.depot_id,
        shift_id=str(shift.pk),
        driver_id=str(shift.driver_id),
        service_date=shift.service_date.isoformat(),
        field=field,
        old=old,
        new=new,
    )
