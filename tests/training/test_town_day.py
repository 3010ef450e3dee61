"""A composed day: fictional people, feasible in its totals, one seed one day."""

import datetime as dt
import zoneinfo

import pytest

from apps.training.town.compose import LOAD_SHARE, compose_day
from apps.training.town.day import DriverDraft, OrderDraft, TownDay
from apps.training.town.generate import make_town
from apps.training.town.model import canonical_json
from apps.training.town.truth import Mode

DATE = dt.date(2026, 5, 12)


@pytest.fixture(scope="module")
def day() -> TownDay:
    return compose_day(make_town(7), DATE)


def test_compose_day_same_seed_same_bytes(day: TownDay) -> None:
    again = compose_day(make_town(7), DATE)
    assert canonical_json(again) == canonical_json(day)
    other = compose_day(make_town(7), DATE, seed=8)
    next_day = compose_day(make_town(7), DATE + dt.timedelta(days=1))
    assert len({canonical_json(d) for d in (day, other, next_day)}) == 3


def test_compose_day_has_what_was_asked(day: TownDay) -> None:
    assert (len(day.orders), len(day.drivers), len(day.shifts)) == (400, 12, 12)
    assert sum(v.mode is Mode.CARGO_BIKE for v in day.vehicles) == 2
    assert len({o.reference for o in day.orders}) == 400
    assert len({o.address.number for o in day.orders}) == 400


def test_compose_day_invents_people_nobody_can_reach(day: TownDay) -> None:
    people: list[OrderDraft | DriverDraft] = [*day.orders, *day.drivers]
    assert all(p.email.endswith("@example.com") for p in people)
    assert all(p.phone[-7:-2] == "55501" and len(p.phone) == 12 for p in people)
    assert len({p.phone for p in people}) == len(people)


def test_compose_day_mixes_windows_within_the_day(day: TownDay) -> None:
    zone = zoneinfo.ZoneInfo("America/New_York")
    lengths: set[int] = set()
    for order in day.orders:
        for window in order.windows:
            assert window.start < window.end
            assert window.start.tzinfo == zone
            assert window.start.date() == window.end.date() == DATE
            lengths.add(round((window.end - window.start).total_seconds() / 3_600))
        if len(order.windows) == 2:
            assert order.windows[0].end <= order.windows[1].start
    assert {2, 5, 11} <= lengths
    assert 10 < sum(len(o.windows) == 2 for o in day.orders) < 80


@pytest.mark.parametrize("seed", [7, 1, 42])
def test_compose_day_fills_the_fleet_without_overloading_it(seed: int) -> None:
    day = compose_day(make_town(seed), DATE, seed=seed)
    loads = {
        "g": (
            sum(o.weight_g for o in day.orders),
            sum(v.capacity_g for v in day.vehicles),
        ),
        "ml": (
            sum(o.volume_ml for o in day.orders),
            sum(v.capacity_ml for v in day.vehicles),
        ),
        "pieces": (
            sum(o.pieces for o in day.orders),
            sum(v.capacity_pieces for v in day.vehicles),
        ),
    }
    for unit, (load, capacity) in loads.items():
        assert LOAD_SHARE[unit] - 0.03 <= load / capacity <= LOAD_SHARE[unit]
        assert 0.80 <= load / capacity <= 0.95


def test_compose_day_service_leaves_time_to_drive(day: TownDay) -> None:
    """Service takes most of the working time, and leaves a fifth at least to drive."""
    working_s = sum(
        (s.ends_at - s.starts_at).total_seconds() - s.break_s for s in day.shifts
    )
    service_s = sum(o.planned_service_s for o in day.orders)
    assert 0.45 < service_s / working_s < 0.80


def test_compose_day_every_requirement_can_be_met(day: TownDay) -> None:
    vehicles = {v.registration: v for v in day.vehicles}
    drivers = {d.reference: d for d in day.drivers}
    crews = [
        {*drivers[s.driver].skills, *vehicles[s.vehicle].capabilities}
        for s in day.shifts
    ]
    asked = {r for o in day.orders for r in o.requirements}
    assert asked == {"signature", "cool_box", "tail_lift"}
    for order in day.orders:
        assert any(set(order.requirements) <= crew for crew in crews)


def test_compose_day_breaks_fit_their_shift(day: TownDay) -> None:
    for shift in day.shifts:
        window = shift.break_window
        assert shift.break_s == 1_800
        assert shift.starts_at <= window.start
        assert window.start.hour >= 11
        assert window.end.time() <= dt.time(14)
        assert window.start + dt.timedelta(seconds=1_800) <= min(
            window.end, shift.ends_at
        )
        hours = (shift.ends_at - shift.starts_at).total_seconds() / 3_600
        assert 3 <= hours <= 11


def test_compose_day_reaches_further_than_the_town_has_doors() -> None:
    town = make_town(7)
    day = compose_day(town, DATE, orders=10_000, drivers=300)
    assert len(day.orders) == 10_000
    assert len({o.reference for o in day.orders}) == 10_000
