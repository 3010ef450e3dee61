"""What a plan tells: the same times for the same sequence, whatever hour it was made at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.core.units import Point
from apps.routes.dayinputs import BreakRule, DayInput, Interval, OrderInput, ShiftInput
from apps.routes.gateways.estimated import EstimatedTravelTimes, EstimateParameters
from apps.routes.gateways.memory import MemoryTravelTimes
from apps.routes.legs import legs_of
from apps.routes.parameters import DEFAULTS
from apps.routes.planning import build_problem
from apps.routes.solver.port import Stop
from apps.routes.solver.repair import RepairSolver
from apps.routes.solver.solution import Solution
from apps.routes.told import told_times

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOME = Point(49.5, 11.28)
BY_HOUR = tuple(1 + hour / 24 for hour in range(24))


def order(number: int, **values: object) -> OrderInput:
    usual = OrderInput(
        order_id=UUID(int=number),
        order_version=1,
        point=Point(49.5, 11.28 + 0.05 * number),
        service_s=300,
        windows=(),
        demands=(1, 1, 1),
        requires=(),
        priority=3,
        is_pickup=False,
        shift_id=UUID(int=100),
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def day_of(*orders: OrderInput, breaks: tuple[BreakRule, ...] = ()) -> DayInput:
    shift = ShiftInput(
        shift_id=UUID(int=100),
        shift_version=1,
        driver_id=UUID(int=200),
        start=HOME,
        end=HOME,
        free_at=EIGHT,
        ends_at=EIGHT + timedelta(hours=9),
        max_overtime_s=0,
        capacities=(100, 100, 100),
        on_board=(0, 0, 0),
        capabilities=(),
        breaks=breaks,
        cost_per_km_minor=30,
        cost_per_hour_minor=2400,
        speed_percent=100,
        departed=True,
    )
    return DayInput(
        depot_id=UUID(int=300),
        service_date=EIGHT.date(),
        origin_at=EIGHT,
        shifts=(shift,),
        orders=orders,
        parameters=replace(DEFAULTS, travel_by_hour=BY_HOUR),
    )


def planned(day: DayInput, hour: int | None) -> tuple[Solution, dict[str, datetime]]:
    """Plan a day by the traffic of an hour; return the plan, and what it tells."""
    source = EstimatedTravelTimes(EstimateParameters(by_hour=BY_HOUR))
    matrix = source.matrix(day.points(), departs_hour=hour)
    problem = build_problem(
        day, durations_s=matrix.durations_s, distances_m=matrix.distances_m
    )
    solution = RepairSolver().solve(problem, stop=Stop(), seed=0)
    legs = legs_of(day, solution, matrix, hour)
    return solution, dict(told_times(day, solution, legs))


def test_told_times_are_the_same_whatever_hour_the_plan_was_made_for() -> None:
    day = day_of(order(1), order(2), order(3))
    by_mean, told = planned(day, None)
    by_hour, told_at_eight = planned(day, 8)
    last = by_mean.routes[0].visits[-1]
    assert by_hour.routes[0].visits[-1].start_s > last.start_s
    assert [v.job_id for v in by_hour.routes[0].visits] == [
        v.job_id for v in by_mean.routes[0].visits
    ]
    for order_id, at in told.items():
        assert told_at_eight[order_id] == pytest.approx(at, abs=timedelta(seconds=4))


def test_told_times_slow_each_leg_by_its_own_hour() -> None:
    source = MemoryTravelTimes()
    day = day_of(order(1, windows=(Interval(EIGHT, EIGHT + timedelta(hours=9)),)))
    later = replace(
        day, shifts=(replace(day.shifts[0], free_at=EIGHT + timedelta(hours=4)),)
    )
    matrix = source.matrix(day.points())
    found = []
    for one in (day, later):
        problem = build_problem(
            one, durations_s=matrix.durations_s, distances_m=matrix.distances_m
        )
        plan = RepairSolver().solve(problem, stop=Stop(), seed=0)
        told = told_times(one, plan, {str(UUID(int=1)): 600})
        found.append(told[str(UUID(int=1))] - one.shifts[0].free_at)
    assert found == [
        timedelta(seconds=600 * BY_HOUR[8]),
        timedelta(seconds=600 * BY_HOUR[12]),
    ]


def test_told_times_wait_for_windows_and_take_the_planned_break() -> None:
    opens_at = EIGHT + timedelta(hours=3)
    rest = BreakRule(
        EIGHT + timedelta(hours=4), EIGHT + timedelta(hours=5), duration_s=1800
    )
    windows = (Interval(opens_at, opens_at + timedelta(hours=1)),)
    late = (Interval(EIGHT + timedelta(hours=6), EIGHT + timedelta(hours=8)),)
    day = day_of(order(1, windows=windows), order(2, windows=late), breaks=(rest,))
    solution, told = planned(day, None)
    assert solution.routes[0].breaks
    assert told == {
        str(UUID(int=1)): opens_at,
        str(UUID(int=2)): EIGHT + timedelta(hours=6),
    }
