"""Weeks of simulated rounds with a planted surge, told and driven event by event.

Zones differ in how far travel and services scatter and lean, hours too, services have
heavy tails, and each day has a luck of its own. On the day of the surge there are twice
as many stops and travel takes twice as long, from half past nine on. The office knows
nothing of all this: it tells by `propagate`, with its first values.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import numpy as np

from apps.core.units import Point
from apps.routes.conformal import RULES, Calibration, next_day
from apps.routes.dayinputs import Interval
from apps.routes.eta import propagate
from apps.routes.etaparts import Outset, TravelLaw, Visit
from apps.routes.sketches import Scored, Sketches, fold, table
from apps.routes.tellings import (
    Telling,
    kept,
    learn_arrival,
    scores_of,
    telling_of,
)
from tests.bench._eta_outcomes import Outcome

FIRST_DAY = date(2026, 3, 2)
SHIFT_HOURS = (8, 10)
SURGE_HOUR = 9.5
SURGE_TRAVEL, SURGE_STOPS = 2.0, 2
WINDOW_SHARE = 0.2
SERVICE_S = 150
TOLD_AHEAD = 12
"""So many stops ahead are told anew with each event; in the morning, all."""


@dataclass(frozen=True, slots=True)
class Zone:
    """How one part of town differs from what is planned, which nobody knows."""

    name: str
    lat: float
    lon: float
    travel: float
    travel_noise: float
    service: float
    service_noise: float


ZONES = (
    Zone("Altstadt", 49.510, 11.280, 1.15, 0.45, 1.25, 0.9),
    Zone("Bahnhof", 49.516, 11.262, 1.05, 0.30, 1.00, 0.6),
    Zone("Gewerbepark", 49.528, 11.300, 0.92, 0.15, 0.80, 1.2),
    Zone("Nordhang", 49.535, 11.275, 1.00, 0.20, 1.00, 0.4),
    Zone("Wiesengrund", 49.498, 11.250, 0.95, 0.18, 0.95, 0.3),
    Zone("Südstadt", 49.490, 11.290, 1.05, 0.35, 1.10, 0.7),
)
HOUR_NOISE = {8: 1.5, 12: 0.8, 13: 0.8, 16: 1.3, 17: 1.6}
LAW = TravelLaw(
    c_s=219.0,
    p=0.70,
    speed_percent=100,
    zone="UTC",
    travel_cv=0.30,
    service_cv=0.50,
    drift=0.08,
)


@dataclass(slots=True)
class _Round:
    """One driver's day: what is ahead, and what was told of it."""

    visits: list[tuple[Visit, Zone]]
    at: datetime
    point: Point
    told: dict[UUID, dict[str, Telling]] = field(default_factory=dict)
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weeks:
    """How much is driven: days from Monday to Saturday, and which of them surge."""

    days: int = 48
    drivers: int = 10
    stops: int = 26
    surges: tuple[int, ...] = (27, 40)
    seed: int = 7


class Driven:
    """Drives the weeks; keeps what intervals learn, if they are to learn."""

    def __init__(self, weeks: Weeks, *, learns: bool) -> None:
        """Begin with nothing known."""
        self._weeks, self._learns = weeks, learns
        self._sketches: Sketches = {}
        self._calibration = Calibration(rules=RULES)
        self._seen: list[Scored] = []

    def outcomes(self) -> Iterator[Outcome]:
        """Drive day after day; each night what was seen becomes the margins."""
        for number, day in enumerate(working_days(self._weeks.days)):
            yield from self._day(number, day)
            self._sketches = fold(self._sketches, self._seen)
            self._seen = []
            self._calibration = Calibration(
                version=number + 1,
                margins=table(self._sketches),
                today=tuple(next_day(each) for each in self._calibration.today),
                rules=RULES,
            )

    def _day(self, number: int, day: date) -> Iterator[Outcome]:
        dice = np.random.default_rng((self._weeks.seed, number))
        is_surge = number in self._weeks.surges
        count = self._weeks.drivers * (SURGE_STOPS if is_surge else 1)
        luck = float(np.exp(dice.normal(0, 0.05)))
        rounds = [_round(self._weeks, day, each, dice) for each in range(count)]
        queue = [(each.at, index) for index, each in enumerate(rounds)]
        heapq.heapify(queue)
        while queue:
            _, index = heapq.heappop(queue)
            each = rounds[index]
            if each.arrived_at is not None:
                yield from self._arrive(each, day, is_surge=is_surge)
                visit, zone = each.visits.pop(0)
                each.point = visit.point
                each.at = _served(visit, zone, each.at, dice)
            elif each.visits:
                self._tell(each)
                each.at += _leg(each, luck, dice, is_surge=is_surge)
                each.arrived_at = each.at
            else:
                continue
            heapq.heappush(queue, (each.at, index))

    def _tell(self, each: _Round) -> None:
        law = replace(LAW, calibration=self._calibration) if self._learns else LAW
        is_first = not each.told
        ahead = [visit for visit, _ in each.visits[: None if is_first else TOLD_AHEAD]]
        for expected in propagate(Outset(each.point, each.at), ahead, (), (), law):
            known = each.told.get(expected.stop_id, {})
            each.told[expected.stop_id] = kept(known, telling_of(expected, law))

    def _arrive(self, each: _Round, day: date, *, is_surge: bool) -> Iterator[Outcome]:
        visit, zone = each.visits[0]
        at = each.at
        tellings = list(each.told[visit.stop_id].values())
        opens = [one.opens_at for one in visit.windows if one.closes_at > at]
        opens_s = max(opens).timestamp() if opens else None
        each.at, each.arrived_at = max([at, *opens]), None
        if self._learns:
            known = self._calibration
            self._seen += scores_of(known, zone.name, tellings, at)
            self._calibration = learn_arrival(known, zone.name, tellings, at)
        for told in tellings:
            yield Outcome(day, zone.name, told, at.timestamp(), opens_s, is_surge)


def working_days(count: int) -> list[date]:
    """Return so many days from Monday to Saturday."""
    days = (FIRST_DAY + timedelta(days=n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 6][:count]


def _round(weeks: Weeks, day: date, driver: int, dice: np.random.Generator) -> _Round:
    """Compose a round: three parts of town, one after the other."""
    hour = SHIFT_HOURS[driver % len(SHIFT_HOURS)]
    starts_at = datetime.combine(day, time(hour), UTC) + timedelta(
        seconds=float(dice.gamma(1.0, 240))
    )
    zones = dice.choice(len(ZONES), size=3, replace=False)
    visits: list[tuple[Visit, Zone]] = []
    for place in range(weeks.stops):
        zone = ZONES[zones[place * 3 // weeks.stops]]
        point = Point(
            zone.lat + float(dice.normal(0, 0.006)),
            zone.lon + float(dice.normal(0, 0.008)),
        )
        about = starts_at + timedelta(seconds=place * 900)
        opens_at = about + timedelta(seconds=float(dice.uniform(-5_400, 1_200)))
        windows = (
            (Interval(opens_at, opens_at + timedelta(hours=6)),)
            if dice.random() < WINDOW_SHARE
            else ()
        )
        stop_id = UUID(int=(day.toordinal() << 32) + driver * 1_000 + place)
        service_s = int(dice.choice((60, 120, SERVICE_S, 240)))
        visits.append((Visit(stop_id, point, service_s, windows, zone=zone.name), zone))
    return _Round(visits=visits, at=starts_at, point=Point(49.512, 11.27))


def _leg(
    each: _Round, luck: float, dice: np.random.Generator, *, is_surge: bool
) -> timedelta:
    """Return how long the next leg truly takes."""
    visit, zone = each.visits[0]
    usual_s = LAW.clear_s(visit, each.point) * LAW.hourly(each.at)
    noise = zone.travel_noise * HOUR_NOISE.get(each.at.hour, 1.0)
    drawn = float(np.exp(noise * dice.normal() - noise * noise / 2))
    surges = is_surge and each.at.hour + each.at.minute / 60 >= SURGE_HOUR
    factor = zone.travel * luck * (SURGE_TRAVEL if surges else 1.0)
    return timedelta(seconds=usual_s * factor * drawn)


def _served(
    visit: Visit, zone: Zone, at: datetime, dice: np.random.Generator
) -> datetime:
    """Return when a service is truly over; one in forty drags on."""
    noise = zone.service_noise
    drawn = float(np.exp(noise * dice.normal() - noise * noise / 2))
    if dice.random() < 0.025:
        drawn *= float(dice.uniform(3, 6))
    return at + timedelta(seconds=visit.service_s * zone.service * drawn)
