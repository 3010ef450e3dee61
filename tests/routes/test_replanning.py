"""Which part of a running day an event touches: pure rules on composed days."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np

from apps.core.units import Point
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.dayversions import input_version, left_version
from apps.routes.parameters import DEFAULTS
from apps.routes.planning import build_problem
from apps.routes.replanning import (
    Touched,
    changed_shifts,
    loose_orders,
    part_of,
    places_left_out,
    with_holders,
)
from apps.routes.solver.problem import Problem, SoftWindow
from tests.factories import NOW, SERVICE_DATE
from tests.routes.solver.sequences import plan_of


def _id(kind: int, number: int) -> UUID:
    return UUID(int=kind * 1000 + number)


def _shift(number: int, stops: int) -> ShiftInput:
    return ShiftInput(
        shift_id=_id(1, number),
        shift_version=1,
        driver_id=_id(2, number),
        start=Point(49.5, 11.0 + number / 10),
        end=Point(49.5, 11.0),
        free_at=NOW,
        ends_at=NOW + timedelta(hours=9),
        max_overtime_s=0,
        capacities=(1000, 1000, 1000),
        on_board=(0, 0, 0),
        capabilities=(),
        breaks=(),
        cost_per_km_minor=30,
        cost_per_hour_minor=2400,
        speed_percent=100,
        departed=True,
        ahead=tuple(_id(4, 10 * number + place) for place in range(stops)),
    )


def _order(number: int, shift: int | None, lon: float) -> OrderInput:
    return OrderInput(
        order_id=_id(3, number),
        order_version=1,
        point=Point(49.5, lon),
        service_s=120,
        windows=(),
        demands=(1, 1, 1),
        requires=(),
        priority=3,
        is_pickup=False,
        stop_id=_id(4, number),
        shift_id=None if shift is None else _id(1, shift),
    )


def _day(shifts: int = 4, stops: int = 5) -> DayInput:
    """Lay drivers side by side from west to east, each with stops about him."""
    return DayInput(
        depot_id=_id(5, 0),
        service_date=SERVICE_DATE,
        origin_at=NOW,
        shifts=tuple(_shift(number, stops) for number in range(shifts)),
        orders=tuple(
            _order(10 * number + place, number, 11.0 + number / 10 + place / 1000)
            for number in range(shifts)
            for place in range(stops)
        ),
        parameters=DEFAULTS,
    )


def _shifts_of(day: DayInput) -> list[int]:
    return [shift.shift_id.int % 1000 for shift in day.shifts]


def _sequences(day: DayInput) -> dict[str, list[str]]:
    return {
        str(shift.shift_id): [
            str(order.order_id)
            for order in day.orders
            if order.shift_id == shift.shift_id
        ]
        for shift in day.shifts
    }


def test_part_of_has_the_touched_driver_and_the_nearest_ones() -> None:
    day = _day()
    touched = Touched(shift_ids=frozenset({_id(1, 3)}))
    part = part_of(day, touched, most_stops=10)
    assert _shifts_of(part) == [2, 3]
    assert len(part.orders) == 10
    assert {order.shift_id for order in part.orders} == {_id(1, 2), _id(1, 3)}


def test_part_of_has_every_touched_driver_however_many_stops() -> None:
    touched = Touched(shift_ids=frozenset({_id(1, 0), _id(1, 3)}))
    assert _shifts_of(part_of(_day(), touched, most_stops=7)) == [0, 3]


def test_part_of_a_small_day_is_the_day() -> None:
    day = _day()
    assert part_of(day, Touched(), most_stops=20) is day


def test_part_of_untouched_day_is_its_middle() -> None:
    assert _shifts_of(part_of(_day(), Touched(), most_stops=10)) == [1, 2]


def test_part_of_has_the_drivers_about_an_order_without_one() -> None:
    day = _day()
    loose = _order(999, None, 11.0)
    day = replace(day, orders=(*day.orders, loose))
    assert loose_orders(day) == {loose.order_id}
    touched = Touched(order_ids=frozenset({loose.order_id}))
    part = part_of(day, touched, most_stops=11)
    assert _shifts_of(part) == [0, 1]
    assert loose in part.orders


def test_part_of_is_about_the_touched_orders_that_are_left_out() -> None:
    """The driver in the west is touched; the order that is left out lies in the east."""
    day = _day()
    day = replace(day, orders=(*day.orders, _order(99, None, 11.31)))
    touched = Touched(frozenset({_id(1, 0)}), frozenset({_id(3, 99)}))

    places = places_left_out(day, touched)
    about = part_of(day, touched, most_stops=12, about=places)

    assert places == [Point(49.5, 11.31)]
    assert _shifts_of(about) == [0, 3]
    assert _shifts_of(part_of(day, touched, most_stops=12)) != [0, 3]
    assert places_left_out(day, Touched(touched.shift_ids)) == []


def test_with_holders_adds_who_has_an_order_and_leaves_out_the_unknown() -> None:
    gone = Touched(frozenset({_id(1, 77)}), frozenset({_id(3, 21)}))
    assert with_holders(_day(), gone).shift_ids == {_id(1, 2)}


def test_changed_shifts_are_those_with_another_sequence() -> None:
    day = _day(shifts=3)
    sequences = _sequences(day)
    first, second, third = sequences
    sequences[second].reverse()
    assert changed_shifts(day, plan_of(sequences)) == {UUID(second)}
    sequences[first].append(sequences.pop(third)[0])
    assert changed_shifts(day, plan_of(sequences)) == {_id(1, n) for n in range(3)}


def test_left_version_is_the_version_of_the_day_as_planned() -> None:
    day = _day(shifts=2)
    late = replace(day.shifts[0], late_steps=2)
    before = replace(day, shifts=(late, day.shifts[1]))
    sequences = _sequences(before)
    mine, other = sequences
    moved = sequences[mine].pop()
    sequences[other].insert(0, moved)
    after = replace(
        day,
        shifts=(
            replace(day.shifts[0], ahead=day.shifts[0].ahead[:-1]),
            replace(
                day.shifts[1], ahead=(day.shifts[0].ahead[-1], *day.shifts[1].ahead)
            ),
        ),
        orders=tuple(
            replace(order, shift_id=_id(1, 1))
            if str(order.order_id) == moved
            else order
            for order in day.orders
        ),
    )
    assert left_version(before, before, plan_of(sequences)) == input_version(after)
    assert input_version(before) != input_version(day) != input_version(after)


def _problem(day: DayInput) -> Problem:
    """State a day on roads where every way is 600 s and 1,000 m."""
    count = len(day.points())
    apart = 1 - np.eye(count, dtype=np.int32)
    return build_problem(
        day,
        durations_s=(600 * apart).astype(np.int32),
        distances_m=(1000 * apart).astype(np.int32),
    )


def test_build_problem_prices_a_changed_sequence_by_the_mean_leg() -> None:
    parameters = replace(DEFAULTS, resequence_percent=10)
    problem = _problem(replace(_day(shifts=2, stops=3), parameters=parameters))
    # 24.00 an hour are 667 milli a second, 0.30 a kilometre are 30 milli a metre; the
    # first stop lies where its driver is.
    mean_milli = (600 * 667 + 1000 * 30) * 2 / 3
    assert problem.objective.resequence_milli == round(mean_milli / 10)
    first, second, third, *_ = problem.jobs
    assert first.previous_job == ""
    assert (second.previous_job, third.previous_job) == (first.id, second.id)
    assert {job.previous_vehicle for job in problem.jobs[:3]} == {str(_id(1, 0))}


def test_build_problem_of_a_day_that_is_not_running_prices_no_sequence() -> None:
    day = _day(shifts=1)
    fresh = replace(
        day,
        shifts=(replace(day.shifts[0], ahead=()),),
        orders=tuple(replace(order, shift_id=None) for order in day.orders),
    )
    problem = _problem(fresh)
    assert problem.objective.resequence_milli == 0
    assert {job.previous_job for job in problem.jobs} == {None}


def test_build_problem_prices_a_told_time_that_is_missed() -> None:
    parameters = replace(DEFAULTS, told_late_minor_per_min=6, eta_moved_s=300)
    day = _day(shifts=1, stops=2)
    told = NOW + timedelta(minutes=20)
    first = replace(day.orders[0], told_at=told)
    problem = _problem(
        replace(day, orders=(first, day.orders[1]), parameters=parameters)
    )
    assert problem.jobs[0].soft_windows == (
        SoftWindow(start_s=0, end_s=1500, early_milli_per_s=0, late_milli_per_s=100),
    )
    assert problem.jobs[1].soft_windows == ()


def test_build_problem_keeps_a_preference_in_which_the_told_time_lies() -> None:
    day = _day(shifts=1, stops=2)
    likes = (Interval(NOW + timedelta(minutes=10), NOW + timedelta(minutes=40)),)
    inside, outside = (
        replace(order, preferred=likes, told_at=NOW + timedelta(minutes=minutes))
        for order, minutes in zip(day.orders, (20, 50), strict=True)
    )
    problem = _problem(replace(day, orders=(inside, outside)))
    assert problem.jobs[0].soft_windows[0].start_s == 600
    assert problem.jobs[1].soft_windows[0].end_s == 50 * 60 + DEFAULTS.eta_moved_s
