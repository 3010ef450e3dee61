from dataclasses import replace
from typing import Any

import pytest

from apps.routes.solver.checking import check_problem
from apps.routes.solver.port import UnknownEngine, engine_names, open_engine
from apps.routes.solver.problem import (
    UNREACHABLE,
    Break,
    InvalidProblem,
    Objective,
    Shipment,
    SoftWindow,
    TimeWindow,
)
from tests.routes.solver.instances import job, line_problem, van


def soft(start_s: int, end_s: int, late: int = 1) -> SoftWindow:
    return SoftWindow(
        start_s=start_s, end_s=end_s, early_milli_per_s=1, late_milli_per_s=late
    )


def shipped(pickup: str, delivery: str) -> Shipment:
    return Shipment(pickup_job=pickup, delivery_job=delivery)


GOOD = line_problem(jobs=(job("a", 1), job("b", 2)), vehicles=(van(),))


def test_check_problem_accepts_a_sound_one() -> None:
    check_problem(GOOD)

    assert GOOD.jobs[0].id == "a"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"location_count": 7}, "matrix 0 is not 7 by 7"),
        ({"vehicles": (van(start_location=6),)}, "location out of range"),
        ({"vehicles": (van(profile=1),)}, "unknown profile 1"),
        ({"vehicles": (van(end_s=-1),)}, "shift ends before it starts"),
        ({"vehicles": (van(capacities=(3,)),)}, "capacities do not match"),
        ({"vehicles": (van(initial_load=(3,)),)}, "initial load does not match"),
        ({"vehicles": (van(travel_percent=0),)}, "percentages must be positive"),
        (
            {
                "vehicles": (
                    van(breaks=(Break(earliest_s=2, latest_s=1, duration_s=1),)),
                )
            },
            "break ends before it starts",
        ),
        ({"vehicles": (van(), van())}, "a vehicle is named twice"),
        ({"vehicles": (van(locked=("ghost",)),)}, "locked job ghost is unknown"),
        (
            {"vehicles": (van("v", locked=("a",)), van("w", locked=("a",)))},
            "a locked job is named twice",
        ),
        ({"jobs": (job("a", 9),)}, "job a: location out of range"),
        (
            {"jobs": (job("a", 1, windows=(TimeWindow(start_s=5, end_s=5),)),)},
            "job a: empty window",
        ),
        ({"jobs": (job("a", 1, demands=(1,)),)}, "demands do not match"),
        ({"jobs": (job("a", 1, service_s=-1),)}, "negative quantity"),
        ({"jobs": (job("a", 1), job("a", 2))}, "a job is named twice"),
        ({"vehicles": (van(reload_locations=(6,)),)}, "location out of range"),
        ({"vehicles": (van(max_reloads=-1),)}, "negative reload"),
        ({"vehicles": (van(reload_s=-1),)}, "negative reload"),
        ({"jobs": (job("a", 1, previous_job="a"),)}, "job a: follows itself"),
        (
            {"jobs": (job("a", 1, soft_windows=(soft(5, 4),)),)},
            "soft window ends before",
        ),
        (
            {"jobs": (job("a", 1, soft_windows=(soft(4, 4, -1),)),)},
            "negative price of a",
        ),
        ({"objective": Objective(resequence_milli=-1)}, "objective: negative price"),
        ({"objective": Objective(balance_milli_per_s=-1)}, "objective: negative price"),
        ({"shipments": (shipped("a", "x"),)}, "shipment of unknown job x"),
        ({"shipments": (shipped("a", "a"),)}, "named twice by shipments"),
        (
            {"shipments": (shipped("a", "b"), shipped("b", "a"))},
            "named twice by shipments",
        ),
        (
            {
                "dimensions": ("g",),
                "vehicles": (van(capacities=(9,)),),
                "jobs": (job("a", 1, demands=(2,)), job("b", 1, demands=(1,))),
                "shipments": (shipped("a", "b"),),
            },
            "job b: delivers other than is picked up",
        ),
        (
            {
                "vehicles": (van(locked=("b", "a")),),
                "shipments": (shipped("a", "b"),),
            },
            "delivers b before its pickup",
        ),
    ],
)
def test_check_problem_names_the_fault(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidProblem, match=message):
        check_problem(replace(GOOD, **change))


def test_check_problem_refuses_a_commitment_without_a_way() -> None:
    matrix = GOOD.matrices[0]
    rows = matrix.durations_s.copy()
    rows[0][1] = UNREACHABLE
    cut = replace(matrix, durations_s=rows)

    with pytest.raises(InvalidProblem, match="no way along its locked jobs"):
        check_problem(replace(GOOD, matrices=(cut,), vehicles=(van(locked=("a",)),)))


def test_open_engine_knows_every_name() -> None:
    assert [open_engine(name).name for name in engine_names()] == [*engine_names()]


def test_open_engine_refuses_an_unknown_name() -> None:
    with pytest.raises(UnknownEngine, match="'oracle' is none of greedy"):
        open_engine("oracle")
