"""The learners on real data: pickups of couriers (LaDe-P), trips of taxis (NYC TLC)."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from apps.core.units import Point, great_circle_m
from apps.learning.learners import service, success, travel, zone_order
from apps.learning.learners.proportions import outcome
from apps.learning.learners.sketch import Added, grown
from tests.bench._learning_judge import (
    Judged,
    Raw,
    Tallies,
    brier,
    judged,
    means,
    wrong_share,
)

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"
LADE = DATA / "orders" / "lade_pickup_5cities_6190.csv"
NYC = DATA / "trips" / "nyc_tlc_9692_trips.csv"
HELD_BACK = 0.3
CELL_DEGREES = 0.02
SEP = "\t"
PLANNED_S = 1200
"""The span between two pickups that a shop would plan with: it is asked as a factor."""

LONGEST_S = 7200


@dataclass(frozen=True, slots=True)
class Pickup:
    """One pickup of a courier."""

    courier: str
    region: str
    aoi: str
    aoi_type: str
    point: Point
    opens_at: datetime
    closes_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip of a taxi."""

    origin: str
    goal: str
    hour: int
    km: float
    took_s: float
    at: datetime


def judge_lade() -> dict[str, Any]:
    """Return the figures of couriers held back, three in ten of each region."""
    if not LADE.exists():
        skipped = {"skipped": f"{LADE.name} is not here"}
        return {"service_lade": skipped, "success_lade": skipped}
    days: dict[tuple[str, str], list[Pickup]] = defaultdict(list)
    for pickup in pickups():
        days[pickup.courier, f"{pickup.at:%m%d}"].append(pickup)
    routes = [sorted(each, key=lambda p: p.at) for each in days.values()]
    taught = [route for route in routes if not _is_held_back(route[0].courier)]
    asked = [route for route in routes if _is_held_back(route[0].courier)]
    now = grown(max(pickup.at for route in routes for pickup in route))
    return {
        "service_lade": _gaps(taught, asked, now),
        "success_lade": _windows(taught, asked, now),
        "zone_order_lade": _quarters(taught, asked, now),
    }


def pickups() -> list[Pickup]:
    """Return every pickup of the set."""
    with LADE.open(newline="") as file:
        return [
            Pickup(
                courier=row["courier_id"],
                region=row["region_id"],
                aoi=row["aoi_id"],
                aoi_type=row["aoi_type"],
                point=Point(float(row["lat"]), float(row["lng"])),
                opens_at=_at(row["time_window_start"]),
                closes_at=_at(row["time_window_end"]),
                at=_at(row["pickup_time"]),
            )
            for row in csv.DictReader(file)
        ]


def _at(text: str) -> datetime:
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _is_held_back(name: str) -> bool:
    return sha256(name.encode()).digest()[0] < 256 * HELD_BACK


def _gaps(
    taught: Sequence[list[Pickup]], asked: Sequence[list[Pickup]], now: float
) -> Judged:
    """Judge how long it is from one pickup to the next, by region and kind of place."""
    tallies = Tallies()
    lessons, questions = _spans(taught), _spans(asked)
    for pickup, took_s in lessons:
        value, weight = math.log(took_s / PLANNED_S), grown(pickup.at)
        cell = SEP.join((pickup.region, pickup.aoi_type, "1"))
        tallies.add(
            [
                Added("service", f"cell:{cell}", value, weight),
                Added("service", f"building:{pickup.aoi}", value, weight, cell),
            ]
        )
    known = means(service.figures(tallies.of("service"), now))
    ours = [
        PLANNED_S
        * service.factor_at(
            known,
            [f"building:{p.aoi}", f"zone:{p.region}"],
            [f"class:{p.aoi_type}"],
        )
        for p, _ in questions
    ]
    by_region = Raw([(p.region, took, 1.0) for p, took in lessons])
    by_aoi = Raw([(p.aoi, took, 1.0) for p, took in lessons])
    naive = {
        "mean": [by_region() for _ in questions],
        "mean of region": [by_region(p.region) for p, _ in questions],
        "mean of place": [by_aoi(p.aoi) for p, _ in questions],
    }
    return judged([took for _, took in questions], ours, naive, unit="s")


def _spans(routes: Sequence[list[Pickup]]) -> list[tuple[Pickup, float]]:
    """Return what lay between two pickups; pauses of hours and batches are none."""
    return [
        (after, took_s)
        for route in routes
        for before, after in pairwise(route)
        if 30 <= (took_s := (after.at - before.at).total_seconds()) <= LONGEST_S
    ]


def _windows(
    taught: Sequence[list[Pickup]], asked: Sequence[list[Pickup]], now: float
) -> Judged:
    """Judge how probable it is that a pickup is within its window."""
    tallies = Tallies()
    lessons = [pickup for route in taught for pickup in route]
    questions = [pickup for route in asked for pickup in route]
    for p in lessons:
        key = f"{p.region}{SEP}{p.opens_at.hour}"
        tallies.add([outcome("success", key, _is_inside(p), grown(p.at))])
    known = means(success.figures(tallies.of("success"), now))
    ours = [success.probability_at(known, p.region, p.opens_at.hour) for p in questions]
    by_region = Raw([(p.region, float(_is_inside(p)), 1.0) for p in lessons])
    by_both = Raw(
        [(f"{p.region} {p.opens_at.hour}", float(_is_inside(p)), 1.0) for p in lessons]
    )
    naive = {
        "mean": [by_region() for _ in questions],
        "mean of region": [by_region(p.region) for p in questions],
        "mean of region and hour": [
            by_both(f"{p.region} {p.opens_at.hour}") for p in questions
        ],
    }
    true = [float(_is_inside(p)) for p in questions]
    return judged(true, ours, naive, unit="Brier score", digits=4, error=brier)


def _is_inside(pickup: Pickup) -> bool:
    return pickup.opens_at <= pickup.at <= pickup.closes_at


def _quarters(
    taught: Sequence[list[Pickup]], asked: Sequence[list[Pickup]], now: float
) -> Judged:
    """Judge which quarter of a region a courier picks up in first.

    Asked are the pairs that the customers' windows do not decide: those are the plan's.
    """
    middles: dict[str, tuple[float, float]] = {}
    by_region: dict[str, list[Pickup]] = defaultdict(list)
    for route in taught:
        for pickup in route:
            by_region[pickup.region].append(pickup)
    for region, rows in by_region.items():
        lats = float(np.median([p.point.lat for p in rows]))
        middles[region] = lats, float(np.median([p.point.lon for p in rows]))
    tallies = Tallies()
    lessons = [pair for route in taught for pair in _quarter_pairs(route, middles)]
    for one, other, first, at in lessons:
        key = f"{one}{SEP}{other}"
        tallies.add([outcome("zone_order", key, bool(first), grown(at))])
    known = means(zone_order.figures(tallies.of("zone_order"), now))
    raw = Raw([(f"{one}>{other}", first, 1.0) for one, other, first, *_ in lessons])
    pairs = [pair for route in asked for pair in _quarter_pairs(route, middles)]
    naive = {
        "toss": [0.5] * len(pairs),
        "mean of pair": [raw(f"{one}>{other}") for one, other, *_ in pairs],
    }
    return judged(
        [first for _, _, first, *_ in pairs],
        [known.get(f"{one}>{other}", 0.5) for one, other, *_ in pairs],
        naive,
        unit="share of pairs wrong",
        digits=4,
        error=wrong_share,
    )


def _quarter_pairs(
    route: list[Pickup], middles: Mapping[str, tuple[float, float]]
) -> list[tuple[str, str, float, datetime]]:
    """Return two quarters of like windows, whether the first came first, and when."""
    places: dict[tuple[datetime, str], list[int]] = defaultdict(list)
    for number, pickup in enumerate(route):
        if pickup.region in middles:
            lat, lon = middles[pickup.region]
            north, east = pickup.point.lat > lat, pickup.point.lon > lon
            name = f"{pickup.region} {'NS'[not north]}{'EW'[not east]}"
            places[pickup.opens_at, name].append(number)
    found = []
    for (opens_at, one), (opens_too, other) in combinations(sorted(places), 2):
        if opens_at != opens_too:
            continue
        a, b = (np.median(places[opens_at, each]) for each in (one, other))
        if a != b:
            found.append((one, other, float(a < b), route[0].at))
    return found


def judge_nyc() -> dict[str, Any]:
    """Return the figures of the newest quarter of the trips."""
    if not NYC.exists():
        return {"travel_nyc": {"skipped": f"{NYC.name} is not here"}}
    trips = sorted(_trips(), key=lambda trip: trip.at)
    cut = len(trips) * 3 // 4
    lessons, questions = trips[:cut], trips[cut:]
    c_s, p = _fitted(lessons)
    tallies = Tallies()
    for trip in lessons:
        law_s = c_s * trip.km**p
        value = math.log(trip.took_s / law_s)
        weight = travel.weight_of(law_s) * grown(trip.at)
        key = SEP.join((trip.origin, trip.goal, str(trip.hour)))
        tallies.add([Added("travel", key, value, weight)])
    known = means(travel.figures(tallies.of("travel"), grown(trips[-1].at)))
    rows = [(trip, trip.took_s, c_s * trip.km**p) for trip in lessons]
    by_hour = Raw([(str(t.hour), took, told) for t, took, told in rows])
    by_pair = Raw([(f"{t.origin}>{t.goal}", took, told) for t, took, told in rows])
    law = [c_s * trip.km**p for trip in questions]
    both = list(zip(law, questions, strict=True))
    naive = {
        "law": law,
        "law × mean": [told * by_hour() for told in law],
        "law × mean of hour": [told * by_hour(str(t.hour)) for told, t in both],
        "law × mean of pair": [
            told * by_pair(f"{t.origin}>{t.goal}") for told, t in both
        ],
    }
    ours = [
        told * travel.factor_at(known, t.origin, t.goal, t.hour) for told, t in both
    ]
    return {"travel_nyc": judged([t.took_s for t in questions], ours, naive, unit="s")}


def _trips() -> list[Trip]:
    found = []
    with NYC.open(newline="") as file:
        for row in csv.DictReader(file):
            start = Point(float(row["pickup_latitude"]), float(row["pickup_longitude"]))
            end = Point(float(row["dropoff_latitude"]), float(row["dropoff_longitude"]))
            km, took_s = great_circle_m(start, end) / 1000, row["trip_time_in_secs"]
            at = datetime.fromisoformat(row["pickup_datetime"]).replace(tzinfo=UTC)
            if km >= 0.3 and 60 <= float(took_s) <= LONGEST_S:
                found.append(
                    Trip(_cell(start), _cell(end), at.hour, km, float(took_s), at)
                )
    return found


def _cell(point: Point) -> str:
    """Return the square of some 2 km that a place lies in."""
    lat, lon = point.lat / CELL_DEGREES, point.lon / CELL_DEGREES
    return f"{math.floor(lat)}/{math.floor(lon)}"


def _fitted(trips: Sequence[Trip]) -> tuple[float, float]:
    """Return the one law of all trips, by least squares of the logarithms."""
    x = np.log([trip.km for trip in trips])
    slope, height = np.polyfit(x, np.log([trip.took_s for trip in trips]), 1)
    return float(np.exp(height)), float(slope)
