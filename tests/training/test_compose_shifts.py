"""`compose_shifts`: a crew for any imported day."""

import io
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from apps.drivers.models import Driver, Shift, Vehicle
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 17)


def compose(depot: str, **options: Any) -> str:
    said = io.StringIO()
    given = {"date": DAY, "drivers": 3, **options}
    call_command("compose_shifts", depot=depot, stdout=said, **given)
    return said.getvalue()


def test_compose_shifts_gives_each_driver_a_van_and_a_break() -> None:
    depot = DepotFactory()
    compose(depot.code, vehicle_pieces=70)
    shifts = list(Shift.objects.filter(depot=depot, service_date=DAY))
    assert len({shift.driver_id for shift in shifts}) == 3
    assert {shift.vehicle.capacity_pieces for shift in shifts} == {70}
    zone = ZoneInfo("Europe/Berlin")
    for shift in shifts:
        assert shift.starts_at == datetime(2026, 3, 17, 8, tzinfo=zone)
        assert shift.ends_at == datetime(2026, 3, 17, 18, tzinfo=zone)
        rest = shift.breaks.get()
        assert shift.starts_at < rest.opens_at < rest.closes_at < shift.ends_at
        assert not shift.driver.user.has_usable_password()


def test_compose_shifts_again_takes_the_same_crew() -> None:
    depot = DepotFactory()
    compose(depot.code)
    compose(depot.code)
    compose(depot.code, date=date(2026, 3, 18), drivers=4, vehicle_pieces=9)
    assert Driver.objects.count() == Vehicle.objects.count() == 4
    assert Shift.objects.count() == 7
    assert set(Vehicle.objects.values_list("capacity_pieces", flat=True)) == {9}


def test_compose_shifts_through_midnight() -> None:
    depot = DepotFactory()
    compose(
        depot.code,
        start=time(22),
        end=time(6),
        no_break=True,
    )
    shift = Shift.objects.filter(depot=depot).first()
    assert shift is not None
    assert (shift.ends_at - shift.starts_at).total_seconds() == 8 * 3_600
    assert not shift.breaks.exists()


def test_compose_shifts_refuses_an_unknown_depot() -> None:
    with pytest.raises(CommandError, match="no depot with the code"):
        compose("NOWHERE")
