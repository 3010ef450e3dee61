"""`compose_day`: one seed and date, one day's orders and the fleet that can do them."""

import dataclasses
import datetime as dt
import math
import random
import zoneinfo

from apps.training.town import words
from apps.training.town.chance import stream, weighted
from apps.training.town.day import (
    DriverDraft,
    OrderDraft,
    ShiftDraft,
    TownDay,
    VehicleDraft,
    Window,
)
from apps.training.town.model import COMPOSED, Address, Building, Town
from apps.training.town.truth import Mode

LOAD_SHARE = {"ml": 0.89, "g": 0.86, "pieces": 0.87}
"""How full the fleet is when every order is on board."""

WORK_SHARE = 0.90
"""Planned work over working time: a tenth is slack."""

BREAK_S = 1_800
_BIKE_SIZE = 0.55
"""A cargo bike's capacity and work, of a van's."""

_AREA_CODES = (315, 518, 585, 607, 716, 845, 914)
"""With 555-0100 to 555-0199, which the numbering plan keeps for fiction."""

_SIZES = (
    ((1, (300, 3_000), (1_500, 14_000)), 0.46),
    ((2, (2_000, 9_000), (12_000, 50_000)), 0.30),
    ((3, (4_000, 16_000), (30_000, 90_000)), 0.17),
    ((5, (9_000, 28_000), (70_000, 160_000)), 0.07),
)
"""(pieces, weight range in g, volume range in ml), share."""


def compose_day(
    town: Town, date: dt.date, *, orders: int = 400, drivers: int = 12, seed: int = 7
) -> TownDay:
    """Compose a day that the drivers can in general do, with a tenth of slack."""
    rng = stream(seed, f"day {town.seed} {date.isoformat()}")
    wishes = stream(seed, f"wishes {town.seed} {date.isoformat()}")
    zone = zoneinfo.ZoneInfo(town.time_zone)
    midnight = dt.datetime.combine(date, dt.time(0), zone)
    people = _People(rng)
    drafts = tuple(
        _wished(
            wishes,
            _order(rng, people, address, f"DEMO-{date:%y%m%d}-{number:04d}", midnight),
            midnight,
        )
        for number, address in enumerate(_addresses(rng, town, orders), start=1)
    )
    crew = tuple(_driver(rng, people, number) for number in range(1, drivers + 1))
    vehicles = _vehicles(drafts, drivers)
    return TownDay(
        town=town.name,
        label=COMPOSED,
        seed=seed,
        date=date,
        orders=drafts,
        drivers=crew,
        vehicles=vehicles,
        shifts=_shifts(drafts, crew, vehicles, midnight),
    )


class _People:
    """Invented people, each with an e-mail and a number kept for fiction."""

    def __init__(self, rng: random.Random) -> None:
        numbers = [
            f"+1{area}55501{last:02d}" for area in _AREA_CODES for last in range(100)
        ]
        rng.shuffle(numbers)
        self._rng, self._numbers, self._made = rng, numbers, 0

    def make(self) -> tuple[str, str, str]:
        """Return (name, phone, e-mail) of the next person."""
        first = self._rng.choice(words.FIRST_NAMES)
        last = self._rng.choice(words.LAST_NAMES)
        phone = self._numbers[self._made % len(self._numbers)]
        self._made += 1
        email = f"{first}.{last}.{self._made}@example.com".lower()
        return f"{first} {last}", phone, email


def _addresses(rng: random.Random, town: Town, count: int) -> list[Address]:
    """Draw addresses without repeating one before all have been used."""
    drawn: list[Address] = []
    while len(drawn) < count:
        drawn += rng.sample(
            town.addresses, min(count - len(drawn), len(town.addresses))
        )
    return drawn


def _order(
    rng: random.Random,
    people: _People,
    address: Address,
    reference: str,
    midnight: dt.datetime,
) -> OrderDraft:
    name, phone, email = people.make()
    pieces, weights, volumes = weighted(rng, _SIZES)
    weight_g = round(rng.uniform(*weights) / 10) * 10
    requirements: list[str] = []
    if rng.random() < 0.15:
        requirements.append("signature")
    if rng.random() < 0.06:
        requirements.append("cool_box")
    elif rng.random() < 0.03:
        requirements.append("tail_lift")
        weight_g += 25_000
    return OrderDraft(
        reference=reference,
        customer_name=name,
        phone=phone,
        email=email,
        address=address,
        windows=tuple(
            Window(
                midnight + dt.timedelta(hours=start), midnight + dt.timedelta(hours=end)
            )
            for start, end in _hours(rng, address.building)
        ),
        pieces=pieces,
        weight_g=weight_g,
        volume_ml=round(rng.uniform(*volumes) / 100) * 100,
        priority=1 if rng.random() < 0.07 else 0,
        planned_service_s=330 + 30 * (pieces - 1),
        requirements=tuple(requirements),
        note=rng.choice(words.DELIVERY_NOTES) if rng.random() < 0.12 else "",
    )


_WISHES: dict[Building, tuple[tuple[tuple[tuple[int, int], ...], float], ...]] = {
    Building.HOUSE: (
        (((8, 19),), 0.46),
        (((8, 13),), 0.12),
        (((13, 18),), 0.12),
        *((((start, start + 2),), 0.04) for start in (8, 10, 12, 14, 16)),
        (((8, 10), (17, 19)), 0.04),
        (((9, 11), (17, 19)), 0.03),
        (((8, 10), (14, 16)), 0.03),
    ),
    Building.OFFICE: (
        (((9, 17),), 0.60),
        (((9, 13),), 0.24),
        *((((start, start + 2),), 0.04) for start in (9, 11, 13, 15)),
    ),
    Building.SHOP: (
        (((9, 18),), 0.60),
        (((9, 13),), 0.24),
        *((((start, start + 2),), 0.04) for start in (9, 11, 13, 15)),
    ),
}
"""Local hours that customers ask for, and how often."""


def _hours(rng: random.Random, building: Building) -> tuple[tuple[int, int], ...]:
    """Choose what the customer asked for: all day, half a day, two hours, or two."""
    at_home = building is Building.APARTMENT
    return weighted(rng, _WISHES[Building.HOUSE if at_home else building])


WISH_SHARE = 0.25
"""How many of those who are home all day say when they would like it best."""


def _wished(rng: random.Random, order: OrderDraft, midnight: dt.datetime) -> OrderDraft:
    """Let some who can take it all day like two hours best, the evening most of all."""
    start = weighted(rng, ((8, 0.2), (10, 0.1), (15, 0.2), (17, 0.5)))
    [window, *more] = order.windows
    is_long = window.end - window.start > dt.timedelta(hours=6)
    if rng.random() >= WISH_SHARE or more or not is_long:
        return order
    begin = midnight + dt.timedelta(hours=start)
    return dataclasses.replace(
        order, preferred=Window(begin, begin + dt.timedelta(hours=2))
    )


def _driver(rng: random.Random, people: _People, number: int) -> DriverDraft:
    name, phone, email = people.make()
    skills = ("signature",) if number % 4 else ()
    return DriverDraft(f"D{number:02d}", name, phone, email, skills)


def _sizes(drivers: int) -> list[float]:
    """Return each vehicle's size; the last sixth of the fleet are cargo bikes."""
    bikes = drivers // 6
    return [1.0] * (drivers - bikes) + [_BIKE_SIZE] * bikes


def _vehicles(orders: tuple[OrderDraft, ...], drivers: int) -> tuple[VehicleDraft, ...]:
    """Size the fleet so that the day fills it as `LOAD_SHARE` says.

    What needs a tail lift is heavy, so the vans that have one carry more.
    """
    sizes = _sizes(drivers)
    lifted_g = sum(o.weight_g for o in orders if "tail_lift" in o.requirements)
    fleet_g = (sum(o.weight_g for o in orders) - lifted_g) / LOAD_SHARE["g"]
    fleet_ml = sum(order.volume_ml for order in orders) / LOAD_SHARE["ml"]
    fleet_pieces = sum(order.pieces for order in orders) / LOAD_SHARE["pieces"]
    abilities = [_capabilities(index, size) for index, size in enumerate(sizes)]
    lifts = sum("tail_lift" in able for able in abilities)
    vehicles: list[VehicleDraft] = []
    for number, (size, able) in enumerate(zip(sizes, abilities, strict=True), start=1):
        share = size / math.fsum(sizes)
        is_bike = size < 1
        own_g = fleet_g * share
        if "tail_lift" in able:
            own_g += lifted_g / LOAD_SHARE["g"] / lifts
        vehicles.append(
            VehicleDraft(
                registration=f"{'BIKE' if is_bike else 'VAN'}-{number:02d}",
                mode=Mode.CARGO_BIKE if is_bike else Mode.VAN,
                capacity_g=math.ceil(own_g / 1_000) * 1_000,
                capacity_ml=math.ceil(fleet_ml * share / 1_000) * 1_000,
                capacity_pieces=math.ceil(fleet_pieces * share),
                capabilities=able,
            )
        )
    return tuple(vehicles)


def _capabilities(index: int, size: float) -> tuple[str, ...]:
    """Give every second van a cool box and every fourth a tail lift, bikes none."""
    if size < 1:
        return ()
    cool_box = ("cool_box",) if index % 2 == 0 else ()
    return (*cool_box, "tail_lift") if index % 4 == 0 else cool_box


def planned_work_s(orders: int, service_s: int, drivers: int) -> int:
    """Estimate the fleet's work: service, the hops between doors, the ways out.

    A hop is 0.9 sqrt(area / doors) (Beardwood, Halton, Hammersley's constant is
    0.7124; doors with windows are not visited in the shortest order), driven as
    220 s at 1 km with exponent 0.72; a way out or home takes 10 min.
    """
    area_km2 = 85.0
    hop_km = 1.5 * math.sqrt(area_km2 / orders)
    hop_s = 220 * math.sqrt(hop_km) * math.sqrt(math.sqrt(hop_km))
    return round(service_s + orders * hop_s + drivers * 1_200)


def _shifts(
    orders: tuple[OrderDraft, ...],
    drivers: tuple[DriverDraft, ...],
    vehicles: tuple[VehicleDraft, ...],
    midnight: dt.datetime,
) -> tuple[ShiftDraft, ...]:
    """Give early, day and late shifts, as long as the work needs and a tenth more."""
    service_s = sum(order.planned_service_s for order in orders)
    work_s = planned_work_s(len(orders), service_s, len(drivers)) / WORK_SHARE
    sizes = _sizes(len(drivers))
    quarter_s = 900
    shifts: list[ShiftDraft] = []
    for index, (driver, vehicle, size) in enumerate(
        zip(drivers, vehicles, sizes, strict=True)
    ):
        length_s = work_s * size / math.fsum(sizes) + BREAK_S
        length_s = min(11 * 3_600, math.ceil(length_s / quarter_s) * quarter_s)
        latest_s = 19 * 3_600 + 1_800 - length_s
        start_s = (7.5 * 3_600, 9 * 3_600, min(11.5 * 3_600, latest_s))[index % 3]
        starts_at = midnight + dt.timedelta(seconds=min(start_s, latest_s))
        ends_at = starts_at + dt.timedelta(seconds=length_s)
        earliest = max(midnight + dt.timedelta(hours=11), starts_at)
        shifts.append(
            ShiftDraft(
                driver=driver.reference,
                vehicle=vehicle.registration,
                starts_at=starts_at,
                ends_at=ends_at,
                break_s=BREAK_S,
                break_window=Window(earliest, midnight + dt.timedelta(hours=14)),
            )
        )
    return tuple(shifts)
