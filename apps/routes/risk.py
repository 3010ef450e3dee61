"""The risk that a route is disrupted, and its causes. Pure; deterministic.

A route is disrupted when a stop misses its window or the shift overruns. The rest of the route is driven some hundred times with drawn times: every leg and every
service has its own luck, the whole day has one for the road and one for the driver's
pace. The draws are the same each time, so that a risk moves with what is known of the
route and not with the dice. What a cause contributes is how many misses fewer there would
be without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DRAWS = 400
"""Half of them mirror the other half, which steadies the mean."""

SEED = 7
BLOCK = 64
"""Draws are kept for so many stops, and multiples."""

CROWDED_S = 7_200
MOST_CAUSES = 3
LEAST_SHARE = 0.05
"""A cause that explains less of what is at stake is not named."""

Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to a stop and what is done there, in seconds; times after the outset.

    `travel_s` and `service_s` are what is expected; `slowed_s` of the travel is due to
    conditions of the road, `longer_s` of the service to the part of town. `windows` are
    (opens, closes), half-open, in order of time.
    """

    number: int
    travel_s: float
    service_s: float
    windows: tuple[tuple[float, float], ...] = ()
    slowed_s: float = 0.0
    longer_s: float = 0.0
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A break to be taken: it begins from `opens_s` to `closes_s`, at best as planned."""

    opens_s: float
    closes_s: float
    planned_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Course:
    """What is ahead of a route. `late_s`: how far it is behind its plan at the outset.

    `ends_s` is when it must be back at the latest, overtime included; `home_s` the way
    back; `spread_s` how uncertain the outset is. `where` says where it is late.
    """

    legs: tuple[Leg, ...]
    home_s: float
    ends_s: float
    pauses: tuple[Pause, ...] = ()
    late_s: float = 0.0
    spread_s: float = 0.0
    where: str = "the start"
    slowed_by: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far times scatter, as shares of what is expected.

    `travel` and `service` of each leg and stop by itself; `drift` of the whole rest of
    the day, on the road and at the doors.
    """

    travel: float
    service: float
    drift: float


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a route is at risk, in plain words; `share` is its part of all that is at stake."""

    code: str
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Risk:
    """`probability` that a stop ahead misses its window or the shift overruns."""

    probability: float
    overrun: float
    misses: tuple[float, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class _Drive:
    """What the draws came to: misses by stop and draw, overruns, mean arrivals."""

    missed: NDArray[np.bool_]
    overran: NDArray[np.bool_]
    arrives_s: tuple[float, ...]
    home_at_s: float

    @property
    def at_stake(self) -> float:
        """How many misses, and overruns, are to be expected."""
        return float(self.missed.sum(axis=0).mean() + self.overran.mean())


def assess(course: Course, spread: Spread) -> Risk:
    """Return the risk of a route's rest; without stops ahead there is none."""
    if not course.legs:
        return Risk(0.0, 0.0, (), ())
    drive = _drive(course, spread)
    disrupted = drive.missed.any(axis=0) | drive.overran
    misses = tuple(float(share) for share in drive.missed.mean(axis=1))
    return Risk(
        probability=float(disrupted.mean()),
        overrun=float(drive.overran.mean()),
        misses=misses,
        causes=_causes(course, spread, drive, misses),
    )


@lru_cache(maxsize=8)
def _luck(columns: int) -> Draws:
    """Return standard normal draws, one row a draw; each is there with its mirror."""
    half = np.random.default_rng(SEED).standard_normal((DRAWS // 2, columns))
    drawn: Draws = np.concatenate([half, -half])
    drawn.flags.writeable = False
    return drawn


@dataclass(frozen=True, slots=True)
class _Luck:
    """The factors of all draws: of each leg and service, of the way home, and a normal."""

    legs: Draws
    stays: Draws
    home: Draws
    outset: Draws


@lru_cache(maxsize=8)
def _lucks(spread: Spread, count: int) -> _Luck:
    """Return the draws' factors for up to `count` stops: the same for the same spread."""
    luck = _luck(2 * count + 4)
    road = _factors(spread.drift, luck[:, 0])
    pace = _factors(spread.drift, luck[:, 1])
    return _Luck(
        legs=(_factors(spread.travel, luck[:, 4::2]) * road[:, None]).T.copy(),
        stays=(_factors(spread.service, luck[:, 5::2]) * pace[:, None]).T.copy(),
        home=_factors(spread.travel, luck[:, 3]) * road,
        outset=luck[:, 2],
    )


def _factors(share: float, luck: Draws) -> Draws:
    """Return lognormal factors of mean 1 whose deviation is `share`."""
    variance = np.log1p(share * share)
    return np.asarray(np.exp(np.sqrt(variance) * luck - variance / 2))


def _drive(course: Course, spread: Spread) -> _Drive:
    """Drive the rest of the route, all draws at once."""
    count = len(course.legs)
    luck = _lucks(spread, BLOCK * (count // BLOCK + 1))
    at: Draws = np.maximum(0.0, course.spread_s * luck.outset)
    open_pauses = [(pause, np.zeros(DRAWS, dtype=bool)) for pause in course.pauses]
    missed = np.zeros((count, DRAWS), dtype=bool)
    arrives = []
    for number, leg in enumerate(course.legs):
        travel_s = luck.legs[number] * leg.travel_s
        service_s = luck.stays[number] * leg.service_s
        for pause, taken in open_pauses:
            at = _rest(at, pause, taken, travel_s + service_s)
        at = at + travel_s
        arrives.append(float(at.mean()))
        if leg.windows:
            start, missed[number] = _begin(at, leg.windows)
            for pause, taken in open_pauses:
                _rest_while_waiting(at, start, pause, taken)
            at = start
        at = at + service_s
    home = at + course.home_s * luck.home
    return _Drive(missed, home > course.ends_s, tuple(arrives), float(home.mean()))


def _rest(at: Draws, pause: Pause, taken: NDArray[np.bool_], busy_s: Draws) -> Draws:
    """Take the break before a leg where it is due; `taken` is brought up to date."""
    if taken.all():
        return at
    due = (at >= pause.planned_s) | (at + busy_s > pause.closes_s)
    now = due & (at >= pause.opens_s) & ~taken
    taken |= now
    return at + now * pause.duration_s


def _rest_while_waiting(
    at: Draws, start: Draws, pause: Pause, taken: NDArray[np.bool_]
) -> None:
    """Take the break while waiting for a window, where it fits in."""
    begins = np.maximum(at, pause.opens_s)
    taken |= (begins + pause.duration_s <= start) & (begins <= pause.closes_s)


def _begin(
    at: Draws, windows: Sequence[tuple[float, float]]
) -> tuple[Draws, NDArray[np.bool_]]:
    """Return when service begins, and where every window has closed by then."""
    start = at
    for opens_s, closes_s in reversed(windows):
        start = np.where(at < closes_s, np.maximum(at, opens_s), start)
    return start, np.asarray(at >= windows[-1][1])


# ── causes ──────────────────────────────────────────────────────────────────
def _causes(
    course: Course, spread: Spread, drive: _Drive, misses: Sequence[float]
) -> tuple[Cause, ...]:
    """Return what puts the route at risk, the most important first."""
    whole = drive.at_stake
    if whole <= 0:
        return ()
    found = [
        *_by_window(course, drive, misses),
        *_by_end(course, drive),
        *_by_what_happened(course, spread, whole),
    ]
    named = [
        Cause(code, text, round(less / whole, 3))
        for code, text, less in sorted(found, key=lambda item: -item[2])
        if less >= LEAST_SHARE * whole
    ]
    return tuple(named[:MOST_CAUSES])


def _by_window(
    course: Course, drive: _Drive, misses: Sequence[float]
) -> list[tuple[str, str, float]]:
    found = []
    for leg, arrives_s, share in zip(course.legs, drive.arrives_s, misses, strict=True):
        if not leg.windows or not share:
            continue
        slack = _minutes(abs(leg.windows[-1][1] - arrives_s))
        if arrives_s >= leg.windows[-1][1]:
            text = f"stop {leg.number} is expected {slack} after its window"
        else:
            text = f"little slack before stop {leg.number}'s window closes: {slack}"
        found.append(("window", text, share))
    return found


def _by_end(course: Course, drive: _Drive) -> list[tuple[str, str, float]]:
    overrun = float(drive.overran.mean())
    if not overrun:
        return []
    since_s = drive.home_at_s - CROWDED_S
    crowd = sum(arrives_s >= since_s for arrives_s in drive.arrives_s)
    left_s = course.ends_s - drive.home_at_s
    end = f"{_minutes(abs(left_s))} {'left to' if left_s >= 0 else 'beyond'} the"
    text = f"{crowd} stops in the last two hours, and {end} shift's end"
    return [("shift_end", text, overrun)]


def _by_what_happened(
    course: Course, spread: Spread, whole: float
) -> list[tuple[str, str, float]]:
    """Return what each known mishap adds, by driving once more without it."""
    found = []

    def without(code: str, text: str, other: Course) -> None:
        found.append((code, text, whole - _drive(other, spread).at_stake))

    if course.late_s >= 60:
        text = f"{_minutes(course.late_s)} late at {course.where}"
        code = "late_start" if course.where == "the start" else "late"
        without(code, text, _earlier(course))
    slowed_s = sum(leg.slowed_s for leg in course.legs)
    if slowed_s >= 60:
        by = course.slowed_by or "conditions"
        text = f"{by} on the way: {_minutes(slowed_s)} more"
        legs = [
            replace(leg, travel_s=leg.travel_s - leg.slowed_s, slowed_s=0.0)
            for leg in course.legs
        ]
        without("conditions", text, replace(course, legs=tuple(legs)))
    zone, longer_s = _slowest_zone(course)
    if longer_s >= 60:
        text = f"stops in {zone} take longer: {_minutes(longer_s)} more in all"
        legs = [
            replace(leg, service_s=leg.service_s - leg.longer_s)
            if leg.zone == zone
            else leg
            for leg in course.legs
        ]
        without("part_of_town", text, replace(course, legs=tuple(legs)))
    return found


def _earlier(course: Course) -> Course:
    """Return the course as if it were on time: everything else lies so much later."""
    by = course.late_s
    return replace(
        course,
        ends_s=course.ends_s + by,
        pauses=tuple(
            replace(
                pause,
                opens_s=pause.opens_s + by,
                closes_s=pause.closes_s + by,
                planned_s=pause.planned_s + by,
            )
            for pause in course.pauses
        ),
        legs=tuple(
            replace(
                leg,
                windows=tuple(
                    (opens + by, closes + by) for opens, closes in leg.windows
                ),
            )
            for leg in course.legs
        ),
    )


def _slowest_zone(course: Course) -> tuple[str, float]:
    longer: dict[str, float] = {}
    for leg in course.legs:
        if leg.zone:
            longer[leg.zone] = longer.get(leg.zone, 0.0) + leg.longer_s
    return max(longer.items(), key=lambda item: item[1], default=("", 0.0))


def _minutes(seconds: float) -> str:
    return f"{max(0, round(seconds / 60))} min"
