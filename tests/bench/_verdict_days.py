"""Days with planted truth: driven by the town's, and changed by people in ways that cost.

Each route is planned by the estimates alone. Somebody drives it otherwise: a stop at
another place, two exchanged, a part backwards, or a stop given to another driver. Half of
them know the town, and take the best of what they see; the others do not. What their
choice gained is known, for both ways are driven through the same true day, by a
simulation that shares nothing with what is tested. What the office hears of it has gaps:
taps that are off, clocks that jump, events that never come.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from statistics import pstdev
from zoneinfo import ZoneInfo

from apps.training.town.chance import stream
from apps.training.town.truth import TownTruth
from apps.verdicts.beyond import Beyond
from apps.verdicts.cases import Case
from apps.verdicts.estimating import GUESSED_DISTANCE, LawOfLeg
from apps.verdicts.gaps import Drive, StopFact
from apps.verdicts.gathering import PACE_SD
from apps.verdicts.questions import SEQUENCE
from apps.verdicts.ways import END, START, LegKey, Rest, Way
from tests.bench._verdict_town import AS_EVER, PRICES, DrivenDay, Route, Terms

TAP_S = 8.0
JUMP_SHARE, JUMP_S = 0.02, (120.0, 900.0)
"""So many taps come from a clock that jumped, by so much."""

LOST_SHARE = 0.05
"""So many taps never come."""

SILENT_SHARE, SILENT_STOPS = 0.10, 3
"""On so many routes the device was off for some stops in a row."""

KNOWING_SHARE, LOOKS = 0.5, 16
"""So many of those who change a plan know the town, and see so many other ways."""

DRAWS = 64
PACE_LUCK = 0.04
"""How far a vehicle is truly from what its type says."""

OF_EACH = 2
"""So many choices a day of each kind of override beside sequences and gifts."""

RESTS_S = (600.0, 900.0, 1800.0)
RESTING_LOOKS = 80
"""Who knows the town rests where he would have waited, and looks longer for that."""

LEAST_WAIT_S = 300.0
PACES = (0.8, 0.9, 0.97, 1.03, 1.1, 1.25)
Ways = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """Two ways, and what is otherwise on each of them, by shift."""

    planned: Ways
    driven: Ways
    on_plan: dict[str, Terms] = field(default_factory=dict)
    on_road: dict[str, Terms] = field(default_factory=dict)
    aside: Beyond | None = None
    said_pace: float = 1.0
    """What the recommended vehicle's type says of its pace; truly it is near that."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One choice with what it truly gained, and how exactly that can be known at all.

    `noise_minor` is the spread of the gain over days that would have looked the same:
    what was not seen is drawn anew from how the town's legs really scatter.
    """

    name: str
    kind: str
    case: Case
    gained_minor: float
    noise_minor: float
    planned_s: float
    actual_s: float


class PlantedDays:
    """Plans days of a town by its estimates, lets people change them, drives both ways."""

    def __init__(self, truth: TownTruth, *, orders: int, drivers: int) -> None:
        """Take the town, and how large its days are."""
        self._truth, self._orders, self._drivers = truth, orders, drivers
        self._zone = ZoneInfo(truth.town.time_zone)

    def choices(self, on_date: date, seed: int) -> Iterator[Planted]:
        """Yield one choice a route, and one gift between two of them."""
        day = _Day(
            self._truth,
            self._zone,
            on_date,
            orders=self._orders,
            drivers=self._drivers,
            seed=seed,
        )
        rng = stream(seed, f"choices {on_date.isoformat()}")
        for route in day.routes:
            for name in ("move", rng.choice(["swap", "reverse"])):
                found = day.changed(rng, name, route)
                if found is not None:
                    choice, label = Choice(*found), f"{on_date} {route.shift} {name}"
                    yield day.planted(rng, label, SEQUENCE, choice)
        gift = day.given(rng)
        if gift is not None:
            yield day.planted(rng, f"{on_date} gift", "give_stop", Choice(*gift))
        yield from self.overrides(day, on_date, seed)

    def overrides(self, day: "_Day", on_date: date, seed: int) -> Iterator[Planted]:
        """Yield some of each other kind of override: a day has few of each."""
        for kind, make in day.kinds():
            for number in range(OF_EACH):
                label = f"{on_date.isoformat()} {kind} {number}"
                chance = stream(seed, label)
                made = make(chance)
                if made is not None:
                    yield day.planted(chance, label, kind, made)


class _Day(DrivenDay):
    """One day, what people do with its plan, and what the office hears of it."""

    # ── what people do ──────────────────────────────────────────────────────
    def changed(self, rng: Random, name: str, route: Route) -> tuple[Ways, Ways] | None:
        """Return the plan of a route, and what somebody drives instead."""
        if len(route.stops) < 6:
            return None
        knows = rng.random() < KNOWING_SHARE
        tried = [_other(rng, name, route.stops) for _ in range(LOOKS if knows else 1)]
        tried = [one for one in tried if one != route.stops]
        if not tried:
            return None
        best = min(tried, key=lambda one: self.cost(route, one)) if knows else tried[0]
        return {route.shift: list(route.stops)}, {route.shift: best}

    def given(self, rng: Random, count: int = 1) -> tuple[Ways, Ways] | None:
        """Return two routes, and both with stops given from one to the other.

        The last `count` of one go, or any one stop.
        """
        if len(self.routes) < 2:
            return None
        giver, taker = rng.sample(self.routes, 2)
        if len(giver.stops) < 4:
            return None
        knows, tried = rng.random() < KNOWING_SHARE, []
        for _ in range(LOOKS if knows else 1):
            gone = [rng.choice(giver.stops)] if count == 1 else giver.stops[-count:]
            at = rng.randrange(len(taker.stops) + 1)
            left = [one for one in giver.stops if one not in gone]
            tried.append((left, [*taker.stops[:at], *gone, *taker.stops[at:]]))
        chosen = min(
            tried,
            key=lambda one: self.cost(giver, one[0]) + self.cost(taker, one[1]),
        )
        return (
            {giver.shift: list(giver.stops), taker.shift: list(taker.stops)},
            {giver.shift: chosen[0], taker.shift: chosen[1]},
        )

    def kinds(self) -> list[tuple[str, Callable[[Random], Choice | None]]]:
        """Return the other kinds of override, and how somebody comes to choose them."""
        return [
            ("take_off", self.put_off),
            ("skip_stop", self.skipped),
            ("end_shift_early", self.ended_early),
            ("extra_break", self.rested),
            ("change_vehicle", self.other_vehicle),
            ("change_window", self.other_window),
        ]

    def put_off(self, rng: Random) -> Choice | None:
        """Leave a stop to a shift that serves it when it likes, as on a later day."""
        found = self.given(rng)
        return self._later(*found) if found else None

    def skipped(self, rng: Random) -> Choice | None:
        """Drive past a stop; another shift serves it: where it is cheap, or at an end."""
        if len(self.routes) < 2:
            return None
        giver, taker = rng.sample(self.routes, 2)
        if len(giver.stops) < 4:
            return None
        stop = rng.choice(giver.stops)
        tried = [
            [*taker.stops[:at], stop, *taker.stops[at:]]
            for at in range(len(taker.stops) + 1)
        ]
        after = rng.choice([tried[0], tried[-1]])
        if rng.random() < KNOWING_SHARE:
            free = Terms(windows={stop: ()})
            after = min(tried, key=lambda one: self.cost(taker, one, terms=free))
        left = [one for one in giver.stops if one != stop]
        planned = {giver.shift: list(giver.stops), taker.shift: list(taker.stops)}
        return self._later(planned, {giver.shift: left, taker.shift: after})

    def _later(self, planned: Ways, driven: Ways) -> Choice:
        """Return a choice by which stops are served when the later shift likes."""
        gone = {
            stop: ()
            for shift, stops in planned.items()
            for stop in stops
            if stop not in driven[shift]
        }
        terms = dict.fromkeys(planned, Terms(windows=gone))
        return Choice(planned, driven, terms, terms, Beyond.WAITED)

    def ended_early(self, rng: Random) -> Choice | None:
        """Give a route's last stops to another driver."""
        found = self.given(rng, count=rng.choice([2, 3, 4]))
        return Choice(*found, aside=Beyond.REST) if found else None

    def rested(self, rng: Random) -> Choice | None:
        """Rest once more on the way, and drive the rest as one likes.

        Half know where they would have to wait, and rest there, so that a break can be
        right: it costs nothing, and the sequence that it goes with may gain. The plans
        are such as somebody in the office has moved stops of, with an eye on the map.
        """
        route = min(rng.choices(self.routes, k=2), key=self._waited_s)
        lasts_s = rng.choice(RESTS_S)
        if len(route.stops) < 6:
            return None
        began_s, plan = self.seconds(route.begins_at), list(route.stops)
        for _ in range(rng.choice([1, 2, 3])):
            plan = _other(rng, rng.choice(["move", "reverse"]), plan)
        tried: list[tuple[float, int, list[str], Terms]] = []
        for look in range(RESTING_LOOKS if rng.random() < KNOWING_SHARE else 1):
            so_far = min(tried)[2] if tried else plan
            stops = _other(rng, rng.choice(["move", "reverse"]), so_far)
            due_s = began_s + rng.uniform(3600.0, 5 * 3600.0)
            if look % 2:
                due_s = rng.choice(self._before_waits(route, stops) or [due_s])
            terms = Terms(rest=(due_s, lasts_s))
            tried.append((self.cost(route, stops, terms=terms), look, stops, terms))
        _, _, stops, terms = min(tried)
        return Choice(
            {route.shift: plan},
            {route.shift: stops},
            on_road={route.shift: terms},
            aside=Beyond.REST,
        )

    def _waited_s(self, route: Route) -> float:
        """Return how long a route waits for windows: there nothing can be gained."""
        seen, _ = self.drive(route, route.stops)
        return math.fsum(one.began_s - one.arrived_s for one in seen)

    def _before_waits(self, route: Route, stops: Sequence[str]) -> list[float]:
        """Return from when on a rest would lie before a wait of five minutes or more."""
        seen, _ = self.drive(route, stops)
        left = [self.seconds(route.begins_at), *(one.left_s for one in seen)]
        return [
            gone
            for gone, one in zip(left, seen, strict=False)
            if one.began_s - one.arrived_s >= LEAST_WAIT_S
        ]

    def other_vehicle(self, rng: Random) -> Choice | None:
        """Drive as planned, with another vehicle than planned."""
        route = rng.choice(self.routes)
        said, dearer = rng.choice(PACES), rng.choice([0.85, 1.0, 1.2])
        terms = Terms(
            pace=said * math.exp(rng.gauss(0.0, PACE_LUCK)),
            prices=replace(
                PRICES,
                per_s_milli=PRICES.per_s_milli * dearer,
                per_m_milli=PRICES.per_m_milli * dearer,
            ),
        )
        ways = {route.shift: list(route.stops)}
        return Choice(ways, ways, {route.shift: terms}, said_pace=said)

    def other_window(self, rng: Random) -> Choice | None:
        """Have a stop served in another window, and put it where that is cheap."""
        route = rng.choice(self.routes)
        bound = [one for one in route.stops if self.windows(one)]
        if not bound or len(route.stops) < 4:
            return None
        stop = rng.choice(bound)
        moved_s = rng.choice([-2, -1, 1, 2]) * 3600.0
        [*_, (opens, closes)] = self.windows(stop)
        terms = {
            route.shift: Terms(windows={stop: ((opens + moved_s, closes + moved_s),)})
        }
        rest = [one for one in route.stops if one != stop]
        tried = [[*rest[:at], stop, *rest[at:]] for at in range(len(rest) + 1)]
        if rng.random() < KNOWING_SHARE:
            best = min(
                tried, key=lambda one: self.cost(route, one, terms=terms[route.shift])
            )
        else:
            best = rng.choice(tried)
        planned = {route.shift: list(route.stops)}
        before = {route.shift: Terms(windows={stop: self.windows(stop)})}
        return Choice(planned, {route.shift: best}, on_plan=before, on_road=terms)

    # ── what the office hears of it, and what is true ───────────────────────
    def planted(self, rng: Random, name: str, kind: str, choice: Choice) -> Planted:
        """Drive both ways; return what was heard of the one, and what it gained."""
        by_shift = {route.shift: route for route in self.routes}
        planned, driven = choice.planned, choice.driven
        drives = tuple(
            self._heard(rng, by_shift[shift], stops, _terms(choice.on_road, shift))
            for shift, stops in sorted(driven.items())
        )
        case = self._case(choice, drives)
        truth = math.fsum(
            self.cost(by_shift[s], planned[s], terms=_terms(choice.on_plan, s))
            - self.cost(by_shift[s], driven[s], terms=_terms(choice.on_road, s))
            for s in planned
        )
        plans = [
            self.drive(by_shift[s], stops, self.law, planned=True)[1]
            - self.seconds(by_shift[s].begins_at)
            for s, stops in planned.items()
        ]
        actual = [
            self.drive(by_shift[s], stops, terms=_terms(choice.on_road, s))[1]
            - self.seconds(by_shift[s].begins_at)
            for s, stops in driven.items()
        ]
        return Planted(
            name=name,
            kind=kind,
            case=case,
            gained_minor=truth,
            noise_minor=self._noise(rng, choice, drives),
            planned_s=math.fsum(plans),
            actual_s=math.fsum(actual),
        )

    def _heard(
        self, rng: Random, route: Route, stops: Sequence[str], terms: Terms
    ) -> Drive:
        """Return what the devices tell of a drive: with taps off, lost, or silent."""
        seen, ends = self.drive(route, stops, terms=terms)
        silent: range = range(0)
        if rng.random() < SILENT_SHARE and len(seen) > SILENT_STOPS:
            first = rng.randrange(len(seen) - SILENT_STOPS)
            silent = range(first, first + SILENT_STOPS)
        facts = []
        for number, one in enumerate(seen):
            told = [
                None if number in silent else _tapped(rng, at)
                for at in (one.arrived_s, one.left_s)
            ]
            facts.append(
                StopFact(
                    stop_id=one.stop,
                    planned_service_s=self.orders[one.stop].planned_service_s,
                    arrived_s=told[0],
                    left_s=told[1],
                    windows=terms.windows.get(one.stop, self.windows(one.stop)),
                )
            )
        began = self.seconds(route.begins_at)
        return Drive(
            shift_id=route.shift,
            facts=tuple(facts),
            departed_s=began,
            back_s=_tapped(rng, ends),
            rests=self._rests(route, stops, terms),
        )

    def _rests(
        self, route: Route, stops: Sequence[str], terms: Terms
    ) -> tuple[Rest, ...]:
        """Return the break of a drive as the device told it."""
        if terms.rest is None:
            return ()
        seen, ends = self.drive(route, stops, terms=terms)
        taken = [one.rested_at_s for one in seen if one.rested_at_s is not None]
        at_s = taken[0] if taken else ends - terms.rest[1]
        return (Rest(due_s=at_s, duration_s=terms.rest[1]),)

    def _case(self, choice: Choice, drives: tuple[Drive, ...]) -> Case:
        planned, driven = choice.planned, choice.driven
        by_shift = {route.shift: route for route in self.routes}
        left = {f.stop_id: f.left_s for drive in drives for f in drive.facts}
        laws: dict[LegKey, LawOfLeg] = {}
        for shift, stops in [*planned.items(), *driven.items()]:
            for here, there in zip([START, *stops], [*stops, END], strict=True):
                began = self.seconds(by_shift[shift].begins_at)
                at = left.get(here, began)
                laws[shift, here, there] = LawOfLeg(
                    seconds=max(20.0, self.law_s(here, there, at)),
                    distance_m=int(self.metres(here, there, planned=True)),
                    distance_sd_m=GUESSED_DISTANCE
                    * self.metres(here, there, planned=True),
                )
        return Case(
            recommended=self._ways(planned, choice.on_plan, choice.said_pace),
            chosen=self._ways(driven, choice.on_road),
            drives=drives,
            laws=laws,
            aside=choice.aside,
        )

    def _ways(
        self, of: Ways, on: Mapping[str, Terms], pace: float = 1.0
    ) -> tuple[Way, ...]:
        by_shift = {route.shift: route for route in self.routes}
        return tuple(
            Way(
                shift_id=shift,
                begins_s=self.seconds(by_shift[shift].begins_at),
                stops=tuple(stops),
                shift_ends_s=by_shift[shift].ends_s,
                prices=_terms(on, shift).prices,
                rests=self._rests(by_shift[shift], stops, _terms(on, shift)),
                windows=_terms(on, shift).windows,
                pace=pace,
                pace_sd=PACE_SD if pace != 1 else 0.0,
            )
            for shift, stops in sorted(of.items())
        )

    # ── how exactly it can be known ─────────────────────────────────────────
    def _noise(self, rng: Random, choice: Choice, drives: tuple[Drive, ...]) -> float:
        """Return the spread of the gain over days that would have looked the same."""
        planned, driven = choice.planned, choice.driven
        by_shift = {route.shift: route for route in self.routes}
        base: dict[str, dict[tuple[str, str], float]] = {}
        blind: dict[str, list[tuple[str, str]]] = {}
        for drive in drives:
            shift = drive.shift_id
            base[shift] = self._true_legs(by_shift[shift], driven[shift])
            for pair, took in self._true_legs(by_shift[shift], planned[shift]).items():
                base[shift].setdefault(pair, took)
            seen = _seen_pairs(drive)
            blind[shift] = [pair for pair in sorted(base[shift]) if pair not in seen]
        spread, roads_spread = self._scatter()
        gains = []
        for _ in range(DRAWS):
            gain = 0.0
            for shift, legs in base.items():
                drawn = {
                    pair: took + rng.gauss(0.0, math.sqrt(2) * TAP_S)
                    for pair, took in sorted(legs.items())
                }
                for pair in blind[shift]:
                    drawn[pair] = legs[pair] * math.exp(rng.gauss(0.0, spread))
                roads = {
                    pair: self.metres(*pair, planned=False)
                    * math.exp(rng.gauss(0.0, roads_spread))
                    for pair in sorted(legs)
                }
                route = by_shift[shift]
                before = _terms(choice.on_plan, shift)
                if choice.said_pace != 1:
                    luck = math.exp(rng.gauss(0.0, PACE_LUCK))
                    before = replace(before, pace=choice.said_pace * luck)
                after = _terms(choice.on_road, shift)
                gain += self.cost(route, planned[shift], drawn, roads, terms=before)
                gain -= self.cost(route, driven[shift], drawn, roads, terms=after)
            gains.append(gain)
        return pstdev(gains)

    def _true_legs(
        self, route: Route, stops: Sequence[str]
    ) -> dict[tuple[str, str], float]:
        seen, _ = self.drive(route, stops)
        at, here, legs = self.seconds(route.begins_at), START, {}
        for one in seen:
            legs[here, one.stop] = one.leg_s
            at, here = one.left_s, one.stop
        legs[here, END] = self.true_leg_s(here, END, at)
        return legs

    def _scatter(self) -> tuple[float, float]:
        """Return how far true legs, and ways, lie from their law beside a common factor."""
        times, ways = [], []
        for route in self.routes:
            at, here = self.seconds(route.begins_at), START
            for one in self.drive(route, route.stops)[0]:
                law = self.law_s(here, one.stop, at)
                times.append(math.log(max(10.0, one.arrived_s - at) / max(20.0, law)))
                metres = self.metres(here, one.stop, planned=False)
                if metres > 0:
                    guess = max(1.0, self.metres(here, one.stop, planned=True))
                    ways.append(math.log(metres / guess))
                at, here = one.left_s, one.stop
        return pstdev(times), pstdev(ways)


def _terms(on: Mapping[str, Terms], shift: str) -> Terms:
    return on.get(shift, AS_EVER)


def _other(rng: Random, name: str, stops: Sequence[str]) -> list[str]:
    """Return a route in another sequence."""
    found = list(stops)
    if name == "move":
        stop = found.pop(rng.randrange(len(found)))
        found.insert(rng.randrange(len(found) + 1), stop)
    elif name == "swap":
        first = rng.randrange(len(found) - 2)
        second = min(len(found) - 1, first + rng.choice([1, 1, 2, 3]))
        found[first], found[second] = found[second], found[first]
    else:
        first = rng.randrange(len(found) - 3)
        last = min(len(found), first + rng.choice([3, 4, 5, 6]))
        found[first:last] = reversed(found[first:last])
    return found


def _tapped(rng: Random, at_s: float) -> float | None:
    """Return when a tap says that something was; None where it never came."""
    if rng.random() < LOST_SHARE:
        return None
    told = at_s + rng.gauss(0.0, TAP_S)
    if rng.random() < JUMP_SHARE:
        told += rng.choice([-1, 1]) * rng.uniform(*JUMP_S)
    return told


def _seen_pairs(drive: Drive) -> set[tuple[str, str]]:
    """Return the legs of which both ends were told, right or not."""
    here, left, found = START, drive.departed_s, set()
    for fact in drive.facts:
        if left is not None and fact.arrived_s is not None:
            found.add((here, fact.stop_id))
        here, left = fact.stop_id, fact.left_s
    if left is not None and drive.back_s is not None:
        found.add((here, END))
    return found
