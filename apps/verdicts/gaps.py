"""What one drive tells of its legs and services, taps that never came or lie included. Pure.

A drive is a chain of instants: it left, arrived, left, … A piece between two told instants
is observed. Where instants are missing, what lies between the next two told ones is known
in sum: the pieces share what the sum is off, each by how uncertain it is. An instant that
makes one piece far too long and the next far too short is a clock that jumped: it counts
as never told.
"""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from apps.verdicts.estimating import (
    CLOCK_SD_S,
    DEFAULT_SPREAD,
    OUTLIER,
    SHORTEST_S,
    DayFactor,
    Driven,
    LawOfLeg,
    day_factor,
    estimated_leg,
    is_plausible,
)
from apps.verdicts.ways import END, START, Leg, LegKey, Rest

SERVICE_SPREAD: Final = 0.50
"""Spread of a service that nobody told, as a share of it (`eta_service_cv`)."""

LONGEST_SERVICE: Final = 5.0
"""A service beyond so many times what was planned is a report that came late."""

LEAST_SERVICES: Final = 5
"""From so many services on a shift's own pace is believed."""

JUMPED: Final = 3.5
"""So far off, in spreads, are both pieces about an instant that is not believed."""

REST_SD_S: Final = 120.0
"""How exactly a break lasts as long as it should."""

NEAR_S: Final = 30.0
"""A break is told by a tap, as are the ends of what it lies in: which of two taps came
first says nothing so near (2.6 spreads of two taps)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFact:
    """What was told of one visit, in seconds after the origin; None: nothing was.

    `set_out_s` is when the driver set out to it, where that was told.
    """

    stop_id: str
    planned_service_s: float
    arrived_s: float | None = None
    left_s: float | None = None
    set_out_s: float | None = None
    windows: tuple[tuple[float, float], ...] = ()
    promised_s: float | None = None

    @property
    def served_early(self) -> bool:
        """Tell whether it was over before its window opened: nobody waited for that."""
        if self.left_s is None or not self.windows:
            return False
        return self.left_s < min(opens for opens, _ in self.windows)

    @property
    def service_s(self) -> float | None:
        """How long service took from when it could begin; None where nobody told it."""
        if self.arrived_s is None or self.left_s is None:
            return None
        arrived_s, left_s = self.arrived_s, self.left_s
        opens = [
            opens
            for opens, closes in self.windows
            if closes > arrived_s and opens < left_s
        ]
        return left_s - max([arrived_s, *sorted(opens)[:1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A shift as it was driven: its visits in the order in which they were made."""

    shift_id: str
    facts: tuple[StopFact, ...]
    departed_s: float | None = None
    back_s: float | None = None
    rests: tuple[Rest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How long one service took, or is thought to have taken."""

    seconds: float
    sd_s: float
    is_observed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a drive tells: its legs, its services, and the factor of its day."""

    factor: DayFactor
    legs: Mapping[LegKey, Leg] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One leg or service of a chain: what it took, if told, and what to expect."""

    took_s: float | None
    expected_s: float
    sd_s: float
    off: float
    """How far what it took is from what to expect, in spreads."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """A drive as a chain: piece `n` lies between the instants `n` and `n + 1`."""

    drive: Drive
    keys: Sequence[LegKey]
    instants: Sequence[float | None]
    pieces: Sequence[_Piece]


def told_by(
    drive: Drive, laws: Mapping[LegKey, LawOfLeg], neighbours: Sequence[Driven] = ()
) -> Told:
    """Return what a drive tells of its legs and services."""
    factor = day_factor(driven_legs(drive, laws), neighbours)
    believed = _believed(drive, laws, factor)
    factor = day_factor(driven_legs(believed, laws), neighbours)
    legs: dict[LegKey, Leg] = {}
    services: dict[str, Service] = {}
    chain = _Chain(
        believed,
        _keys(believed),
        _instants(believed),
        _pieces(believed, laws, factor),
    )
    for number, piece in enumerate(chain.pieces):
        at, is_service = divmod(number, 2)
        if is_service:
            services[believed.facts[at].stop_id] = _service(piece)
        elif chain.keys[at] in laws:
            legs[chain.keys[at]] = _leg(piece, laws[chain.keys[at]], factor)
    for gap in _gaps(chain.instants):
        _share_sum(chain, gap, legs, services)
    return Told(factor=factor, legs=legs, services=services)


def driven_legs(drive: Drive, laws: Mapping[LegKey, LawOfLeg]) -> list[Driven]:
    """Return the legs of a drive whose both ends were told."""
    found = []
    for key, took_s in zip(_keys(drive), _leg_times(drive), strict=True):
        law = laws.get(key)
        if law is None or took_s is None:
            continue
        if is_plausible(law.seconds, took_s):
            found.append(Driven(key=key, law_s=law.seconds, took_s=took_s))
    return found


def pace_of(facts: Sequence[StopFact]) -> float:
    """Return how much longer services took than planned, by their median."""
    ratios = [
        fact.service_s / fact.planned_service_s
        for fact in facts
        if fact.service_s is not None
        and 0 < fact.service_s <= LONGEST_SERVICE * max(60.0, fact.planned_service_s)
        and fact.planned_service_s > 0
    ]
    return statistics.median(ratios) if len(ratios) >= LEAST_SERVICES else 1.0


def guessed_service(fact: StopFact, pace: float) -> Service:
    """Return a service that nobody told: as planned, at the shift's pace."""
    seconds = fact.planned_service_s * pace
    return Service(seconds=seconds, sd_s=seconds * SERVICE_SPREAD, is_observed=False)


# ── the chain ───────────────────────────────────────────────────────────────
def _keys(drive: Drive) -> list[LegKey]:
    places = [START, *(fact.stop_id for fact in drive.facts), END]
    return [(drive.shift_id, here, there) for here, there in itertools.pairwise(places)]


def _instants(drive: Drive) -> list[float | None]:
    """Return departure, arrival, end, arrival, end, …, and the return."""
    found = [drive.departed_s]
    for fact in drive.facts:
        found += [fact.arrived_s, fact.left_s]
    return [*found, drive.back_s]


def _leg_times(drive: Drive) -> list[float | None]:
    """Return what each leg took; None where an end is missing, or a break lies in it."""
    instants = _instants(drive)
    found: list[float | None] = []
    for number in range(len(drive.facts) + 1):
        began, arrived = instants[2 * number], instants[2 * number + 1]
        if began is None or arrived is None:
            found.append(None)
            continue
        if number < len(drive.facts):
            began = max(began, drive.facts[number].set_out_s or began)
        rested = _rests_within(drive, began, arrived)
        found.append(None if rested else arrived - began)
    return found


def _rests_within(drive: Drive, began: float, ended: float) -> list[Rest]:
    """Return the breaks that may lie between two instants that are as far apart."""
    return [
        rest
        for rest in drive.rests
        if began - NEAR_S <= rest.due_s < ended
        and ended - began >= rest.duration_s - 2 * REST_SD_S
    ]


def _service_time(drive: Drive, fact: StopFact) -> float | None:
    """Return what a service took; None where that is not known, or a break lies in it."""
    if fact.arrived_s is None or fact.left_s is None:
        return None
    began = fact.left_s - (fact.service_s or 0.0)
    return None if _rests_within(drive, began, fact.left_s) else fact.service_s


def _pieces(
    drive: Drive, laws: Mapping[LegKey, LawOfLeg], factor: DayFactor
) -> list[_Piece]:
    pace = pace_of(drive.facts)
    found = []
    for number, (key, took_s) in enumerate(
        zip(_keys(drive), _leg_times(drive), strict=True)
    ):
        law = laws.get(key)
        if law is None:
            found.append(_Piece(None, 0.0, 0.0, 0.0))
        else:
            leg = estimated_leg(law, factor)
            spread = max(factor.spread, DEFAULT_SPREAD)
            off = _off(took_s, law.seconds * math.exp(factor.log_mean), spread)
            found.append(_Piece(took_s, leg.seconds, leg.sd_s, off))
        if number < len(drive.facts):
            fact = drive.facts[number]
            guess = guessed_service(fact, pace)
            served_s = _service_time(drive, fact)
            off = _off(served_s, guess.seconds, SERVICE_SPREAD)
            found.append(_Piece(served_s, guess.seconds, guess.sd_s, off))
    return found


def _off(took_s: float | None, expected_s: float, spread: float) -> float:
    if took_s is None or expected_s <= 0:
        return 0.0
    return math.log(max(took_s, 1.0) / expected_s) / spread


def _believed(
    drive: Drive, laws: Mapping[LegKey, LawOfLeg], factor: DayFactor
) -> Drive:
    """Return the drive without the instants that a clock's jump made."""
    pieces = _pieces(drive, laws, factor)
    doubted = {
        number + 1
        for number, (before, after) in enumerate(itertools.pairwise(pieces))
        if before.off * after.off < 0
        and min(abs(before.off), abs(after.off)) > 1
        and math.hypot(before.off, after.off) > JUMPED
    }
    facts = tuple(
        replace(
            fact,
            arrived_s=None if 2 * number + 1 in doubted else fact.arrived_s,
            left_s=None if 2 * number + 2 in doubted else fact.left_s,
        )
        for number, fact in enumerate(drive.facts)
    )
    return replace(drive, facts=facts)


def _leg(piece: _Piece, law: LawOfLeg, factor: DayFactor) -> Leg:
    took_s = piece.took_s
    if took_s is None or took_s < SHORTEST_S or abs(piece.off) > OUTLIER:
        return estimated_leg(law, factor)
    return Leg(
        seconds=took_s,
        sd_s=math.sqrt(2) * CLOCK_SD_S,
        distance_m=law.distance_m,
        is_observed=True,
        distance_sd_m=law.distance_sd_m,
        common=0.0,
    )


def _service(piece: _Piece) -> Service:
    took_s = piece.took_s
    if took_s is None or took_s <= 0 or abs(piece.off) > OUTLIER:
        return Service(seconds=piece.expected_s, sd_s=piece.sd_s, is_observed=False)
    return Service(seconds=took_s, sd_s=math.sqrt(2) * CLOCK_SD_S, is_observed=True)


# ── what is known in sum ────────────────────────────────────────────────────
def _gaps(instants: Sequence[float | None]) -> list[tuple[int, int]]:
    """Return the runs between two told instants that have others between them."""
    told = [number for number, at in enumerate(instants) if at is not None]
    return [
        (first, last) for first, last in itertools.pairwise(told) if last - first > 1
    ]


def _share_sum(
    chain: _Chain,
    gap: tuple[int, int],
    legs: dict[LegKey, Leg],
    services: dict[str, Service],
) -> None:
    """Let the pieces of a gap sum up to it; the more uncertain one gives way more."""
    drive, (first, last) = chain.drive, gap
    began, ended = chain.instants[first], chain.instants[last]
    inside = chain.pieces[first:last]
    if began is None or ended is None or _waits(drive, inside, first, began):
        return
    rested = _rests_within(drive, began, ended)
    span = ended - began - math.fsum(rest.duration_s for rest in rested)
    variance = math.fsum(piece.sd_s**2 for piece in inside)
    spare = span - math.fsum(piece.expected_s for piece in inside)
    variance += len(rested) * REST_SD_S**2 + 2 * CLOCK_SD_S**2
    if span <= 0 or spare**2 > (OUTLIER**2) * variance:
        return
    for number, piece in enumerate(inside, first):
        share = piece.sd_s**2 / variance
        seconds = max(SHORTEST_S, piece.expected_s + share * spare)
        sd_s = piece.sd_s * math.sqrt(1 - share)
        at, is_service = divmod(number, 2)
        key = chain.keys[at]
        if is_service:
            stop = drive.facts[at].stop_id
            services[stop] = Service(seconds=seconds, sd_s=sd_s, is_observed=False)
        elif key in legs:
            legs[key] = replace(legs[key], seconds=seconds, sd_s=sd_s, common=1 - share)


def _waits(drive: Drive, inside: Sequence[_Piece], first: int, began: float) -> bool:
    """Tell whether the driver may have waited for a window within a gap."""
    at = began
    for number, piece in enumerate(inside, first):
        stop, is_service = divmod(number, 2)
        if is_service:
            opens = [o for o, closes in drive.facts[stop].windows if closes > at]
            if opens and min(opens) > at - piece.sd_s:
                return True
        at += piece.expected_s
    return False
