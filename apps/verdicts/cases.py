"""From what the devices of a day told to a verdict. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from apps.verdicts.beyond import Beyond, one_sided
from apps.verdicts.estimating import (
    DayFactor,
    Driven,
    LawOfLeg,
    day_factor,
    estimated_leg,
)
from apps.verdicts.gaps import (
    Drive,
    Service,
    StopFact,
    driven_legs,
    guessed_service,
    pace_of,
    told_by,
)
from apps.verdicts.replay import judge
from apps.verdicts.ways import Judged, Leg, LegKey, Visit, Way, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One override or deviation, ready to be judged.

    `laws` has every leg of both ways and of the drives; `neighbours` are legs that other
    shifts of the depot drove on that day.
    """

    recommended: tuple[Way, ...]
    chosen: tuple[Way, ...]
    drives: tuple[Drive, ...]
    laws: Mapping[LegKey, LawOfLeg]
    neighbours: tuple[Driven, ...] = ()
    known: Mapping[str, StopFact] = field(default_factory=dict)
    """Visits of the ways that none of these shifts made."""
    left_out: tuple[str, ...] = ()
    """Stops of the ways that nobody visited: they are in neither."""
    aside: Beyond | None = None
    """What no figure measures, and on whose side it stands."""

    @property
    def ways(self) -> tuple[Way, ...]:
        """Return all ways, the recommended first."""
        return (*self.recommended, *self.chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A verdict with the factors of the day by shift that it rests on."""

    judged: Judged
    factors: Mapping[str, DayFactor]


def judge_case(case: Case) -> Found:
    """Replay a case in the world as it was told.

    Raises:
        KeyError: a leg of a way has no law, or a visit no fact.
    """
    drives = {drive.shift_id: drive for drive in case.drives}
    factors: dict[str, DayFactor] = {}
    legs: dict[LegKey, Leg] = {}
    services: dict[str, Service] = {}
    for shift in sorted({way.shift_id for way in case.ways}):
        others = [
            leg
            for name in sorted(drives.keys() - {shift})
            for leg in driven_legs(drives[name], case.laws)
        ]
        near = [*case.neighbours, *others]
        if shift in drives:
            told = told_by(drives[shift], case.laws, near)
            factors[shift] = told.factor
            legs |= told.legs
            services |= told.services
        else:
            factors[shift] = day_factor((), near)
    world = World(
        legs=_every_leg(case, legs, factors),
        visits=_visits(case, services),
        common_sd={shift: math.expm1(one.se) for shift, one in factors.items()},
    )
    judged = judge(case.recommended, case.chosen, world)
    ruling, because = one_sided(judged.ruling, case.aside)
    return Found(
        judged=replace(judged, ruling=ruling, because=because), factors=factors
    )


def _every_leg(
    case: Case, told: Mapping[LegKey, Leg], factors: Mapping[str, DayFactor]
) -> dict[LegKey, Leg]:
    """Return the legs of both ways: as told, else estimated."""
    return {
        key: told.get(key) or estimated_leg(case.laws[key], factors[key[0]])
        for way in case.ways
        for key in way.keys
    }


def _visits(case: Case, told: Mapping[str, Service]) -> dict[str, Visit]:
    """Return the visits of both ways: as told, else as planned at the shift's pace."""
    driven = {fact.stop_id: fact for drive in case.drives for fact in drive.facts}
    facts = {**case.known, **driven}
    pace = pace_of([facts[stop] for stop in sorted(facts)])
    found = {}
    for stop in sorted({stop for way in case.ways for stop in way.stops}):
        fact = facts[stop]
        service = told.get(stop) or _known(fact) or guessed_service(fact, pace)
        visit = Visit(
            service_s=service.seconds,
            sd_s=service.sd_s,
            is_observed=service.is_observed,
            windows=fact.windows,
            promised_s=fact.promised_s,
        )
        if fact.served_early:
            early = tuple((-math.inf, closes) for _, closes in fact.windows[:1])
            visit = replace(visit, windows=early)
        found[stop] = visit
    return found


def _known(fact: StopFact) -> Service | None:
    """Return a service that a driver of another case told."""
    took_s = fact.service_s
    if took_s is None or not 0 < took_s <= 5 * max(60.0, fact.planned_service_s):
        return None
    return Service(seconds=took_s, sd_s=12.0, is_observed=True)
