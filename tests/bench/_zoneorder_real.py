"""The learned order of zones on real sequences: couriers of LaDe-P, plan beside drive.

The set holds two days, 1 May and 7 June, and each courier on one of them. What is tried
(which areas count as zones, which prices) is chosen on the first day; the second is
driven once with what was chosen. Pickups have windows of two hours, which plans keep.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from apps.learning.learners import zone_order
from apps.learning.learners.proportions import outcome
from apps.learning.learners.sketch import grown
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import (
    Job,
    Matrix,
    Objective,
    Problem,
    TimeWindow,
    Vehicle,
)
from apps.routes.solver.validate import validate
from apps.routes.zoneorder import Before, steps_of, wave_of
from tests.bench._learning_judge import Tallies, means
from tests.bench._learning_real import LADE, Pickup, pickups
from tests.bench._sequence_score import arcs_shared, paired_difference, score

FIRST_DAY = (5, 1)
LEAST_STOPS = 6
SERVICE_S = 240
"""What a pickup takes at the door: first value, ours; the set does not say."""

ROUNDS = 600
HORIZON_S = 16 * 3600
LEARN_MINOR = 200

Zones = Callable[["Drive"], list[str]]


@dataclass(frozen=True)
class Drive:
    """One courier's day: his pickups as he made them; the first is where he starts."""

    pickups: tuple[Pickup, ...]

    @cached_property
    def matrix(self) -> Matrix:
        """Travel between the pickups, by the first law."""
        points = [each.point for each in self.pickups]
        found = EstimatedTravelTimes().matrix(points)
        return Matrix(durations_s=found.durations_s, distances_m=found.distances_m)

    @property
    def driven(self) -> list[int]:
        """The places in the order in which they were visited, the start left out."""
        return list(range(1, len(self.pickups)))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to plan: what a zone is, and what its steps cost."""

    name: str
    zones: Zones | None = None
    leave_minor: int = 0
    order_minor: int = 0


def by_area(drive: Drive) -> list[str]:
    """Take the areas of interest of the set itself."""
    return [each.aoi for each in drive.pickups]


def by_square(metres: int) -> Zones:
    """Take squares of a region."""

    def zones(drive: Drive) -> list[str]:
        step = metres / 111_200
        return [
            f"{each.region}/{math.floor(each.point.lat / step)}"
            f"/{math.floor(each.point.lon / step * math.cos(math.radians(30)))}"
            for each in drive.pickups
        ]

    return zones


def by_wave(drive: Drive) -> list[str]:
    """Take the hours in which windows open."""
    return [wave_of(each.opens_at, ZoneInfo("UTC")) for each in drive.pickups]


PLAIN = Way("plain")
WAYS = (
    Way("hour of window, order learned, 0.50", by_wave, order_minor=50),
    Way("hour of window, order learned, 1.00", by_wave, order_minor=100),
    Way("hour of window, order learned, 2.00", by_wave, order_minor=200),
    Way("hour of window, order learned, 4.00", by_wave, order_minor=400),
    Way("area, leaving 0.40", by_area, leave_minor=40),
    Way("area, leaving 0.80", by_area, leave_minor=80),
    Way("area, leaving 1.60", by_area, leave_minor=160),
    Way("600 m, leaving 0.80", by_square(600), leave_minor=80),
    Way("600 m, order learned", by_square(600), order_minor=LEARN_MINOR),
    Way("1200 m, order learned", by_square(1200), order_minor=LEARN_MINOR),
    Way("2400 m, order learned", by_square(2400), order_minor=LEARN_MINOR),
)
"""What is tried on the first day."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one plan compares with the drive."""

    score: float
    arcs: int
    steps: int
    metres: int


def drives() -> tuple[list[Drive], list[Drive]]:
    """Return the courier-days of the first day, and those of the second."""
    days: dict[tuple[str, tuple[int, int]], list[Pickup]] = defaultdict(list)
    for each in pickups():
        days[each.courier, (each.at.month, each.at.day)].append(each)
    first: list[Drive] = []
    second: list[Drive] = []
    for (_, day), found in sorted(days.items()):
        if len(found) >= LEAST_STOPS:
            ordered = sorted(found, key=lambda one: one.at)
            (first if day == FIRST_DAY else second).append(Drive(tuple(ordered)))
    return first, second


def problem_of(drive: Drive, way: Way, order: dict[str, Before]) -> Problem:
    """State a courier's day from his first pickup on; the route ends where it ends.

    A window that had closed before he set out binds nobody.
    """
    start_at = drive.pickups[0].at
    zones = way.zones(drive) if way.zones else []
    jobs = tuple(
        Job(
            id=str(place),
            location=place,
            service_s=SERVICE_S,
            windows=_window(drive.pickups[place], start_at),
            zone=zones[place] if zones else None,
        )
        for place in drive.driven
    )
    van = Vehicle(
        id="van",
        start_location=0,
        end_location=None,
        start_s=0,
        end_s=HORIZON_S,
        leaves_at_once=True,
    )
    return Problem(
        origin_at=start_at.isoformat(),
        location_count=len(drive.pickups),
        matrices=(drive.matrix,),
        vehicles=(van,),
        jobs=jobs,
        objective=Objective(zone_leave_milli=way.leave_minor * 1000),
        zone_steps=steps_of(order, set(zones), way.order_minor * 1000),
    )


def _window(pickup: Pickup, start_at: datetime) -> tuple[TimeWindow, ...]:
    opens_s = round((pickup.opens_at - start_at).total_seconds())
    closes_s = round((pickup.closes_at - start_at).total_seconds())
    if closes_s <= SERVICE_S:
        return ()
    return (TimeWindow(start_s=min(opens_s, closes_s - 1), end_s=closes_s),)


def planned(problem: Problem, rounds: int) -> list[int]:
    """Plan a day; what finds no place comes last, by its window."""
    found = open_engine("pyvrp").solve(problem, stop=Stop(solutions=rounds), seed=7)
    faults = validate(problem, found)
    if faults:
        raise AssertionError(f"the plan breaks a rule: {faults[0]}")
    served = [int(one.job_id) for route in found.routes for one in route.visits]
    closes = {int(job.id): job.windows[-1].end_s for job in problem.jobs if job.windows}
    left = [int(one.job_id) for one in found.unserved]
    return served + sorted(left, key=lambda place: (closes.get(place, 0), place))


def outcome_of(
    drive: Drive, way: Way, order: dict[str, Before], rounds: int = ROUNDS
) -> Outcome:
    """Plan a courier's day one way, and compare it with what he drove."""
    sequence = planned(problem_of(drive, way, order), rounds)
    metres = drive.matrix.distances_m
    along = [0, *sequence]
    return Outcome(
        score=score(
            drive.driven, sequence, np.asarray(drive.matrix.durations_s, float)
        ),
        arcs=arcs_shared([0, *drive.driven], along),
        steps=len(sequence),
        metres=sum(int(metres[a, b]) for a, b in pairwise(along)),
    )


def order_of(taught: Sequence[Drive], zones: Zones) -> dict[str, Before]:
    """Learn the order of zones from drives, by the house's learner."""
    tallies = Tallies()
    for drive in taught:
        places: dict[str, list[int]] = defaultdict(list)
        for place, zone in enumerate(zones(drive)):
            places[zone].append(place)
        middle = {zone: median(found) for zone, found in places.items()}
        weight = grown(drive.pickups[-1].at)
        for one, other in combinations(sorted(middle), 2):
            if middle[one] != middle[other]:
                key = f"{one}{zone_order.SEP}{other}"
                first = middle[one] < middle[other]
                tallies.add([outcome(zone_order.KIND, key, first, weight)])
    today = grown(max(drive.pickups[-1].at for drive in taught))
    known = means(zone_order.figures(tallies.of(zone_order.KIND), today))
    return {key: Before(share) for key, share in known.items() if share > 0.5}


def judge_real(tell: Callable[[str], object]) -> dict[str, Any]:
    """Choose on the first day, drive the second once; return the figures of both."""
    if not LADE.exists():
        return {"skipped": f"{LADE.name} is not here"}
    first, second = drives()
    plain = [outcome_of(drive, PLAIN, {}) for drive in first]
    tried = {}
    for way in WAYS:
        tried[way] = [
            outcome_of(drive, way, _elsewhere(first, drive, way)) for drive in first
        ]
        tell(f"first day, {way.name}: {said(plain, tried[way])}\n")
    chosen = min(WAYS, key=lambda way: fmean(one.score for one in tried[way]))
    order = order_of(first, chosen.zones) if chosen.order_minor and chosen.zones else {}
    base = [outcome_of(drive, PLAIN, {}) for drive in second]
    ours = [outcome_of(drive, chosen, order) for drive in second]
    tell(f"second day, {chosen.name}: {said(base, ours)}\n")
    return {
        "chosen_on_first_day": chosen.name,
        "first_day": figures(plain, tried[chosen]),
        "held_back": figures(base, ours),
    }


def _elsewhere(drives: Sequence[Drive], drive: Drive, way: Way) -> dict[str, Before]:
    """Learn an order from the half of the couriers that a drive is not of."""
    if not way.order_minor or way.zones is None:
        return {}
    half = _half(drive)
    key = (way.name, half)
    if key not in _LEARNED:
        taught = [each for each in drives if _half(each) != half]
        _LEARNED[key] = order_of(taught, way.zones)
    return _LEARNED[key]


_LEARNED: dict[tuple[str, bool], dict[str, Before]] = {}


def _half(drive: Drive) -> bool:
    return sha256(drive.pickups[0].courier.encode()).digest()[0] < 128


def figures(plain: Sequence[Outcome], ours: Sequence[Outcome]) -> dict[str, Any]:
    """Return how near both plans are to the drives, and the paired difference.

    Scores: 0 is the drive itself, so a difference below 0 is a gain.
    """
    found = paired_difference([o.score for o in plain], [o.score for o in ours])
    steps = sum(one.steps for one in plain)
    km = sum(one.metres for one in plain)
    return {
        "routes": len(plain),
        "score_plain": round(fmean(one.score for one in plain), 4),
        "score_ours": round(fmean(one.score for one in ours), 4),
        "difference": [round(each, 4) for each in (found.mean, found.low, found.high)],
        "arcs_plain_pct": round(100 * sum(one.arcs for one in plain) / steps, 2),
        "arcs_ours_pct": round(100 * sum(one.arcs for one in ours) / steps, 2),
        "km_more_pct": round(100 * (sum(one.metres for one in ours) / km - 1), 2),
    }


def said(plain: Sequence[Outcome], ours: Sequence[Outcome]) -> str:
    """Say the same in a line."""
    row = figures(plain, ours)
    low, high = row["difference"][1:]
    return (
        f"score {row['score_plain']} → {row['score_ours']} ({low:+} to {high:+}), arcs"
        f" {row['arcs_plain_pct']} → {row['arcs_ours_pct']} %, km {row['km_more_pct']:+} %"
    )
