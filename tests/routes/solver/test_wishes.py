"""Cheapest times against a count of every second."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.piecewise import (
    Pieces,
    added,
    least_at,
    least_from_here,
    least_so_far,
    lower,
    soft_pieces,
)
from apps.routes.solver.problem import Break, Job, SoftWindow, TimeWindow
from apps.routes.solver.routestate import build_route
from apps.routes.solver.schedule import Times
from apps.routes.solver.view import View
from tests.routes.solver.instances import line_problem, van

SPAN_S = 60
NEVER = 1 << 60
LENGTH = st.integers(1, 8)
SLOPE = st.integers(-4, 4)


@st.composite
def functions(draw: st.DrawFn) -> Pieces:
    pieces: Pieces = []
    at_s = draw(st.integers(0, 10))
    while at_s < 40:
        last_s = at_s + draw(LENGTH) - 1
        pieces.append((at_s, last_s, draw(st.integers(-9, 9)), draw(SLOPE)))
        at_s = last_s + 1 + draw(st.sampled_from([0, 0, 3]))
    return pieces


def table(pieces: Pieces) -> dict[int, int]:
    return {
        t: value + slope * (t - first)
        for first, last, value, slope in pieces
        for t in range(first, last + 1)
    }


@given(one=functions(), other=functions())
def test_added_is_the_sum_at_every_second(one: Pieces, other: Pieces) -> None:
    a, b = table(one), table(other)

    assert table(added(one, other)) == {t: a[t] + b[t] for t in a.keys() & b.keys()}


@given(one=functions())
def test_least_so_far_looks_back_and_forth(one: Pieces) -> None:
    known = table(one)
    begin_s = min(known)

    assert table(least_so_far(one, SPAN_S)) == {
        t: min(value for at, value in known.items() if at <= t)
        for t in range(begin_s, SPAN_S + 1)
    }
    assert table(least_from_here(one, -5)) == {
        t: min(value for at, value in known.items() if at >= t)
        for t in range(-5, max(known) + 1)
    }


@given(one=functions(), until_s=st.integers(0, 50))
def test_least_at_finds_the_first_best_second(one: Pieces, until_s: int) -> None:
    known = {t: value for t, value in table(one).items() if t <= until_s}
    best = min(((value, t) for t, value in known.items()), default=None)

    assert least_at(one, until_s) == best


@given(
    rates=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 9), SLOPE, SLOPE), max_size=4
    )
)
def test_soft_pieces_take_the_window_least_missed(
    rates: list[tuple[int, int, int, int]],
) -> None:
    softs = [
        (first, first + length, abs(early), abs(late))
        for first, length, early, late in rates
    ]
    drawn = soft_pieces(softs)

    for t in range(-20, 60) if softs else ():
        (found,) = [
            value + slope * (t - first)
            for first, last, value, slope in drawn
            if first <= t <= last
        ]
        assert found == min(
            early * max(0, first - t) + late * max(0, t - last)
            for first, last, early, late in softs
        )


def test_lower_changes_sides_at_the_right_second() -> None:
    falling: Pieces = [(0, 10, 10, -2)]
    flat: Pieces = [(0, 10, 3, 0)]

    assert table(lower(falling, flat)) == {t: min(10 - 2 * t, 3) for t in range(11)}
    assert table(lower(flat, falling)) == {t: min(10 - 2 * t, 3) for t in range(11)}


def _wishing_job(random: Random, number: int) -> Job:
    softs = []
    for _ in range(random.choice([0, 1, 1, 2])):
        start_s = random.randint(0, 900)
        softs.append(
            SoftWindow(
                start_s=start_s,
                end_s=start_s + random.choice([0, 40]),
                early_milli_per_s=random.choice([0, 1, 3]),
                late_milli_per_s=random.choice([1, 2, 5]),
            )
        )
    windows = []
    for start_s in random.sample(range(0, 900, 50), random.choice([0, 0, 1, 2])):
        windows.append(TimeWindow(start_s=start_s, end_s=start_s + 150))
    return Job(
        id=f"j{number}",
        location=random.randrange(4),
        service_s=random.choice([0, 10, 45]),
        windows=tuple(windows),
        soft_windows=tuple(softs),
        release_s=random.choice([None, None, 60]),
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_build_route_finds_the_cheapest_second_for_all(seed: int) -> None:
    random = Random(seed)  # noqa: S311 (a repeatable instance)
    jobs = tuple(_wishing_job(random, number) for number in range(3))
    rest = Break(earliest_s=200, latest_s=500, duration_s=30)
    car = van(
        end_s=800,
        max_overtime_s=200,
        cost_per_s_milli=random.choice([0, 1, 2]),
        overtime_cost_per_s_milli=3,
        cost_per_m_milli=0,
        end_location=random.choice([0, None]),
        breaks=random.choice([(), (rest,)]),
        locked=random.choice([(), ("j0",)]),
    )
    view = View(line_problem(jobs=jobs, vehicles=(car,)))
    route = build_route(view, 0, (0, 1, 2))
    if route is None or not view.has_softs:
        return

    assert route.cost_milli == _cheapest(view, route.times.slots)


def _cheapest(view: View, slots: tuple[int, ...]) -> int:
    """Count every second forward: the least cost to be done at it."""
    plain = build_route(without_wishes(view), 0, (0, 1, 2))
    assert plain is not None
    return _Count(view, plain.times, slots).least()


def without_wishes(view: View) -> View:
    jobs = tuple(replace(job, soft_windows=()) for job in view.jobs)
    return View(replace(view.problem, jobs=jobs))


class _Count:
    """The least cost to be ready at each second, by brute force."""

    def __init__(self, view: View, earliest: Times, slots: tuple[int, ...]) -> None:
        self.view = view
        self.car = view.cars[0]
        self.slots = slots
        self.first = len(self.car.locked)
        self.rate = self.car.vehicle.cost_per_s_milli
        self.costs = [NEVER] * (self.car.closes_s + 400)
        self.free_s = earliest.finishes_s[0] if self.first else 0
        if self.first:
            spent_s = self.free_s - earliest.departure_s
            missed = view.soft_milli(0, earliest.starts_s[0])
            self.costs[self.free_s] = missed + spent_s * self.rate
        else:
            for t in range(earliest.departure_s, self.car.closes_s + 1):
                self.costs[t] = 0

    def least(self) -> int:
        place = self.view.locations[0] if self.first else 0
        for leg in range(self.first, 3):
            target = self.view.locations[leg]
            self._rest(2 * leg)
            self._pass(self.car.durations_s[place][target])
            self._rest(2 * leg + 1)
            self._serve(leg)
            place = target
        self._rest(6)
        vehicle = self.car.vehicle
        if vehicle.end_location is not None:
            self._pass(self.car.durations_s[place][0])
        over_s = [
            self._latest_s(one) for one, slot in enumerate(self.slots) if slot > 6
        ]
        return min(
            self.costs[t]
            + vehicle.overtime_cost_per_s_milli * max(0, t - vehicle.end_s)
            for t in range(min([self.car.closes_s, *over_s]) + 1)
        )

    def _pass(self, by_s: int) -> None:
        kept = self.costs[: len(self.costs) - by_s]
        self.costs = [NEVER] * by_s + [one + by_s * self.rate for one in kept]

    def _wait(self) -> None:
        for t in range(1, len(self.costs)):
            self.costs[t] = min(self.costs[t], self.costs[t - 1] + self.rate)

    def _serve(self, leg: int) -> None:
        self._wait()
        windows = self.view.windows[leg]
        for t in range(len(self.costs)):
            if windows and not any(a <= t <= b for a, b in windows):
                self.costs[t] = NEVER
            self.costs[t] += self.view.soft_milli(leg, t)
        self._pass(self.car.services_s[leg])

    def _rest(self, slot: int) -> None:
        for position, taken in enumerate(self.slots):
            if taken != slot:
                continue
            rest = self.car.rests[position]
            self._wait()
            for t in range(len(self.costs)):
                if not rest.earliest_s <= t <= self._latest_s(position):
                    self.costs[t] = NEVER
            self._pass(rest.duration_s)

    def _latest_s(self, position: int) -> int:
        return max(self.car.rests[position].latest_s, self.free_s)
