"""Real trips and pickups, told online: what is known when each is told, and nothing else."""

import csv
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from apps.core.units import Point, great_circle_m
from apps.routes.parameters import DEFAULTS
from apps.routes.relearning import DrivenLeg, Law, lesson_of_estimate, usual_hours
from tests.bench._eta_online import Case, Online
from tests.bench._eta_outcomes import Outcome

CELL_DEG = 0.025
MOST_ZONES = 8
FORMAT = "%Y-%m-%d %H:%M:%S"
HALF_HOUR_S = 1_800
NEWEST = 300
FEW = 30
"""A city with fewer pickups of a kind goes by those of all."""

FIRST_S = (1_800.0, 1_800.0)
"""What is expected where nothing is known, and its spread."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A taxi trip: where it began, how far as the crow flies, and its two instants."""

    start: Point
    crow_km: float
    began_at: datetime
    took_s: float

    @property
    def cell(self) -> str:
        """The square that it began in."""
        lat, lon = self.start.lat / CELL_DEG, self.start.lon / CELL_DEG
        return f"{math.floor(lat)}/{math.floor(lon)}"


def trips_of(path: Path) -> list[Trip]:
    """Return the trips in the order of time; absurd ones are left out."""
    found = []
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            start = Point(float(row["pickup_latitude"]), float(row["pickup_longitude"]))
            end = Point(float(row["dropoff_latitude"]), float(row["dropoff_longitude"]))
            began_at = datetime.strptime(row["pickup_datetime"] + "Z", f"{FORMAT}%z")
            took_s = float(row["trip_time_in_secs"])
            crow_km = great_circle_m(start, end) / 1000
            if crow_km >= 0.2 and 60 <= took_s <= 3 * 3600:
                found.append(Trip(start, crow_km, began_at, took_s))
    return sorted(found, key=lambda trip: trip.began_at)


def tell_trips(trips: list[Trip], *, warm_days: int) -> tuple[list[Outcome], int]:
    """Tell each trip's end when it begins; return what came of it, and how many are early.

    The travel law is learned anew each night from the trips before; zones are the squares
    where most trips of the warm days begin.
    """
    first_day = trips[0].began_at.date()
    judged_from = first_day + timedelta(days=warm_days)
    warm = [trip for trip in trips if trip.began_at.date() < judged_from]
    counts: dict[str, int] = defaultdict(int)
    for trip in warm:
        counts[trip.cell] += 1
    named = set(sorted(counts, key=lambda cell: -counts[cell])[:MOST_ZONES])
    online, law, day = Online(fold_s=86_400), _first_law(), first_day
    outcomes = []
    for number, trip in enumerate(trips):
        if trip.began_at.date() != day:
            day = trip.began_at.date()
            law = _law_after(trips[:number], law)
        zone = trip.cell if trip.cell in named else "elsewhere"
        outcomes.append(online.tell(_trip_case(trip, law, zone)))
    return outcomes, len(warm)


def _trip_case(trip: Trip, law: Law, zone: str) -> Case:
    told_s, hour = trip.began_at.timestamp(), trip.began_at.hour
    travel_s = law.c_s * trip.crow_km**law.p * law.by_hour[hour]
    spread_s = travel_s * math.hypot(DEFAULTS.eta_travel_cv, DEFAULTS.eta_drift)
    return Case(told_s, told_s + travel_s, spread_s, told_s + trip.took_s, zone, hour)


def _first_law() -> Law:
    return Law(DEFAULTS.travel_c_s, DEFAULTS.travel_p, usual_hours(()), 1.0)


def _law_after(trips: list[Trip], law: Law) -> Law:
    legs = [DrivenLeg(each.began_at.hour, each.crow_km, each.took_s) for each in trips]
    lesson = lesson_of_estimate(legs, law, _first_law())
    return lesson.law if lesson else law


@dataclass(frozen=True, slots=True)
class Pickup:
    """A courier's pickup: when it was accepted and came, and what the courier did before."""

    city: str
    accepted_at: datetime
    opens_at: datetime
    closes_at: datetime
    came_at: datetime
    before_at: datetime

    @property
    def told_at(self) -> datetime:
        """When its time is told: after the pickup before, or once it is accepted."""
        return max(self.accepted_at, self.before_at)

    @property
    def took_s(self) -> float:
        """How long after it was told the courier came."""
        return (self.came_at - self.told_at).total_seconds()

    @property
    def kind(self) -> int:
        """How long its window is still to last: by half hours up to four, then by doubles."""
        left_s = max(0.0, (self.closes_at - self.told_at).total_seconds())
        halves = left_s / HALF_HOUR_S
        return int(halves) if halves < 8 else 8 + int(math.log2(halves / 8))


def pickups_of(path: Path) -> list[Pickup]:
    """Return what each courier did next on the same day, in the order of telling.

    Windows of more than two hours promise nothing and are left out.
    """
    by_courier: dict[str, list[Pickup]] = defaultdict(list)
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            came_at, accepted_at = _at(row["pickup_time"]), _at(row["accept_time"])
            opens_at, closes_at = (
                _at(row[f"time_window_{end}"]) for end in ("start", "end")
            )
            pickup = Pickup(
                row["city"], accepted_at, opens_at, closes_at, came_at, accepted_at
            )
            if closes_at - opens_at <= timedelta(hours=2):
                by_courier[row["city"] + row["courier_id"]].append(pickup)
    found = []
    for mine in by_courier.values():
        mine.sort(key=lambda each: each.came_at)
        for before, each in pairwise(mine):
            pickup = replace(each, before_at=before.came_at)
            is_same_day = before.came_at.date() == each.came_at.date()
            if is_same_day and pickup.told_at < each.came_at:
                found.append(pickup)
    return sorted(found, key=lambda each: each.told_at)


def _at(text: str) -> datetime:
    return datetime.strptime(f"2022-{text}Z", f"{FORMAT}%z")


@dataclass(slots=True)
class _Promises:
    """The naive model of arrival: what the newest of its kind took, and how they spread."""

    known: dict[tuple[str, int], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    all_: list[float] = field(default_factory=list)

    def expected_s(self, each: Pickup) -> tuple[float, float]:
        """Return the median of the newest, of its city where enough are known; and a spread.

        The spread is the root of the mean square around the median.
        """
        own, all_ = self.known[each.city, each.kind], self.known["*", each.kind]
        took_s = own if len(own) >= FEW else all_ if len(all_) >= 10 else self.all_
        newest = took_s[-NEWEST:]
        if not newest:
            return FIRST_S
        middle_s = median(newest)
        square_s2 = sum((one - middle_s) ** 2 for one in newest) / len(newest)
        return middle_s, max(60.0, math.sqrt(square_s2))

    def learn(self, each: Pickup) -> None:
        """Remember one more."""
        self.known[each.city, each.kind].append(each.took_s)
        self.known["*", each.kind].append(each.took_s)
        self.all_.append(each.took_s)


def tell_pickups(pickups: list[Pickup]) -> tuple[list[Outcome], int]:
    """Tell each pickup after the one before; return what came of it, and how many teach.

    Margins are made at night. The first of the two days teaches, the second is judged.
    """
    online, model = Online(fold_s=86_400), _Promises()
    by_end = sorted(pickups, key=lambda each: each.came_at)
    done, outcomes = 0, []
    for each in pickups:
        while by_end[done].came_at <= each.told_at:
            model.learn(by_end[done])
            done += 1
        told_s, came_s = each.told_at.timestamp(), each.came_at.timestamp()
        took_s, spread_s = model.expected_s(each)
        hour = each.told_at.hour
        case = Case(told_s, told_s + took_s, spread_s, came_s, each.city, hour)
        outcomes.append(online.tell(case))
    first = pickups[0].told_at.date()
    return outcomes, sum(each.told_at.date() == first for each in pickups)
