"""Drivers, vehicles and their types: hired, added, changed."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, NotFound
from apps.depots.models import Depot
from apps.drivers.models import Driver, Shift, Vehicle, VehicleType
from apps.drivers.states import ShiftState
from apps.journal.services import writing

DRIVER_FIELDS = frozenset({"name", "phone", "language", "skills", "is_active"})
VEHICLE_FIELDS = frozenset(
    {
        "name",
        "type",
        "capacity_g",
        "capacity_ml",
        "capacity_pieces",
        "capabilities",
        "lacks",
        "cost_per_km_minor",
        "cost_per_hour_minor",
        "speed_percent",
        "is_active",
    }
)
TYPE_FIELDS = frozenset(
    {"name", "capabilities", "is_crewed", "speed_percent", "is_active"}
)

Row = TypeVar("Row", Driver, Vehicle, VehicleType)


class NameTaken(Conflict):
    """The name is another one's already."""

    type = "/problems/name-taken"
    title = "This name is taken."


class StillOnShift(Conflict):
    """Shifts are planned for what is to be taken out of service."""

    type = "/problems/still-on-shift"
    title = "Shifts are planned with it: change or cancel them first."


def hire_driver(
    *,
    depot: Depot,
    username: str,
    password: str | None,
    fields: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Driver:
    """Make a driver with a log-in; without a password only enrolment opens a session.

    Raises:
        NameTaken: somebody has this user name.
    """
    with writing(by=by, now=now) as journal:
        try:
            with transaction.atomic():
                user = User.objects.create_user(username, password=password)
        except IntegrityError as error:
            raise NameTaken("This user name is taken.") from error
        driver = Driver.objects.create(
            depot=depot, user=user, **_known(fields, DRIVER_FIELDS)
        )
        journal.record("driver.hired", driver, depot_id=depot.pk)
    return driver


def change_driver(
    *,
    driver_id: uuid.UUID,
    expected_version: int | None,
    fields: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Driver:
    """Change a driver's data; the journal keeps which fields, not their values.

    Raises:
        NotFound: there is no such driver.
        PreconditionFailed: the row was changed since the caller read it.
        StillOnShift: a driver with planned shifts cannot leave.
    """
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        if fields.get("is_active") is False:
            _check_off_shift(Shift.objects.filter(driver_id=driver_id), now)
        driver = _changed(
            Driver, driver_id, expected_version, _known(fields, DRIVER_FIELDS)
        )
        journal.record(
            "driver.changed", driver, depot_id=driver.depot_id, fields=sorted(fields)
        )
    return driver


def add_vehicle(
    *, depot: Depot, fields: Mapping[str, Any], by: Actor, now: datetime
) -> Vehicle:
    """Add a vehicle to a depot.

    Raises:
        NameTaken: the depot has a vehicle of this name.
    """
    with writing(by=by, now=now) as journal:
        try:
            with transaction.atomic():
                vehicle = Vehicle.objects.create(
                    depot=depot, **_known(fields, VEHICLE_FIELDS)
                )
        except IntegrityError as error:
            raise NameTaken("The depot has a vehicle of this name.") from error
        journal.record("vehicle.added", vehicle, depot_id=depot.pk)
    return vehicle


def change_vehicle(
    *,
    vehicle_id: uuid.UUID,
    expected_version: int | None,
    fields: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Vehicle:
    """Change a vehicle.

    Raises:
        NotFound: there is no such vehicle.
        PreconditionFailed: the row was changed since the caller read it.
        NameTaken: the depot has another vehicle of this name.
        StillOnShift: a vehicle with planned shifts cannot go out of service.
    """
    with writing(by=by, now=now) as journal:
        if fields.get("is_active") is False:
            Vehicle.objects.select_for_update().filter(pk=vehicle_id).first()
            _check_off_shift(Shift.objects.filter(vehicle_id=vehicle_id), now)
        try:
            vehicle = _changed(
                Vehicle, vehicle_id, expected_version, _known(fields, VEHICLE_FIELDS)
            )
        except IntegrityError as error:
            raise NameTaken("The depot has a vehicle of this name.") from error
        journal.record(
            "vehicle.changed", vehicle, depot_id=vehicle.depot_id, fields=sorted(fields)
        )
    return vehicle


def add_vehicle_type(
    *, code: str, fields: Mapping[str, Any], by: Actor, now: datetime
) -> VehicleType:
    """Add a kind of vehicle that every depot may choose.

    Raises:
        NameTaken: there is a type with this code.
    """
    with writing(by=by, now=now) as journal:
        if VehicleType.objects.filter(pk=code).exists():
            raise NameTaken("There is a vehicle type with this code.")
        row = VehicleType.objects.create(code=code, **_known(fields, TYPE_FIELDS))
        journal.record("vehicle_type.added", row)
    return row


def change_vehicle_type(
    *,
    code: str,
    expected_version: int | None,
    fields: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> VehicleType:
    """Change what all vehicles of a type can; the next planning goes by it.

    Raises:
        NotFound: there is no such type.
        PreconditionFailed: the row was changed since the caller read it.
    """
    with writing(by=by, now=now) as journal:
        row = _changed(VehicleType, code, expected_version, _known(fields, TYPE_FIELDS))
        journal.record("vehicle_type.changed", row, fields=sorted(fields))
    return row


def _check_off_shift(shifts: QuerySet[Shift], now: datetime) -> None:
    """Nobody plans with what is out of service, so it has no shift ahead."""
    ahead = shifts.filter(status=ShiftState.PLANNED, ends_at__gt=now)
    if count := ahead.count():
        raise StillOnShift(f"{count} shifts are planned: change or cancel them first.")


def _known(fields: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in names}


def _changed(
    model: type[Row],
    row_id: uuid.UUID | str,
    expected_version: int | None,
    fields: Mapping[str, Any],
) -> Row:
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=row_id)
    found = row.first()
    if found is None:
        raise NotFound
    if expected_version is not None and found.version != expected_version:
        raise PreconditionFailed
    for name, value in fields.items():
        setattr(found, name, value)
    found.version += 1
    with transaction.atomic():
        found.save(update_fields=[*fields, "version"])
    return found
