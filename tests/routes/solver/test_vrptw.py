"""The reader of benchmark instances, and `bench solver` on small ones of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError

from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.solver.validate import validate
from tests.bench import solver as bench
from tests.bench._vrptw import (
    NotAnInstance,
    find_instances,
    judged_cost,
    read_best_known,
    read_instance,
    tenths,
)

if TYPE_CHECKING:
    from pathlib import Path

SOLOMON = """TINY1

VEHICLE
NUMBER     CAPACITY
   2          20

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0        100          0
    1      3         4         10          0         50         10
    2      6         8         10         20         60         10
    3      0        10         10          0         10          5
"""
VRPLIB = """NAME : TINY2
COMMENT : three customers
TYPE : VRPTW
DIMENSION : 4
VEHICLES : 2
CAPACITY : 20
SERVICE_TIME : 10
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 0 10
DEMAND_SECTION
1 0
2 10
3 10
4 10
TIME_WINDOW_SECTION
1 0 100
2 0 50
3 20 60
4 0 10
DEPOT_SECTION
1
-1
EOF
"""
WEIGHTS = """NAME : TINY3
DIMENSION : 2
CAPACITY : 5
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
EDGE_WEIGHT_SECTION
0 2.57
3.19 0
DEMAND_SECTION
1 0
2 5
TIME_WINDOW_SECTION
1 0 40
2 0 40
SERVICE_TIME_SECTION
1 0
2 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "tiny1.txt").write_text(SOLOMON)
    (tmp_path / "text" / "LICENSE.txt").write_text("Do as you like.\n2026 1\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "TINY2.vrp").write_text(VRPLIB)
    (tmp_path / "TINY3.vrp").write_text(WEIGHTS)
    best = {"TINY1": {"cost_dimacs": 36.3}, "TINY2": 36.3, "OTHER": {"set": "x"}}
    (tmp_path / "BKS.json").write_text(json.dumps({"instances": best}))
    return tmp_path


def test_read_instance_solomons_text_and_vrplib_are_told_apart(folder: Path) -> None:
    solomon = read_instance(folder / "text" / "tiny1.txt")
    vrplib = read_instance(folder / "lib" / "TINY2.vrp")

    assert (solomon.vehicles, solomon.capacity, solomon.customers) == (2, 20, 3)
    assert (vrplib.vehicles, vrplib.capacity, vrplib.customers) == (2, 20, 3)
    assert solomon.places[2].ready == 20
    assert [place.service for place in solomon.places] == [0, 10, 10, 5]
    assert [place.service for place in vrplib.places] == [0, 10, 10, 10]
    assert np.array_equal(solomon.distances(), vrplib.distances())


def test_read_instance_with_weights_and_a_service_each(folder: Path) -> None:
    instance = read_instance(folder / "TINY3.vrp")

    assert instance.distances().tolist() == [[0, 25], [31, 0]]
    assert instance.places[1].service == 7
    assert instance.vehicles == 1


def test_tenths_are_cut_and_not_rounded() -> None:
    values = np.array([1.99, 2.0, 0.3, 3 * 0.1, 14.1421356])

    assert tenths(values).tolist() == [19, 20, 3, 3, 141]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("nothing at all\n", "neither"),
        (VRPLIB.replace("DEMAND_SECTION", "WISHES_SECTION"), "DEMAND_SECTION"),
        (VRPLIB.replace("DIMENSION : 4", "DIMENSION : 9"), "index"),
        (VRPLIB.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n2"), "depot"),
    ],
)
def test_read_instance_says_what_is_missing(
    tmp_path: Path, text: str, missing: str
) -> None:
    path = tmp_path / "broken.vrp"
    path.write_text(text)

    with pytest.raises(NotAnInstance, match=missing):
        read_instance(path)


def test_find_instances_below_a_folder_and_their_best_known_costs(
    folder: Path,
) -> None:
    found = find_instances(folder)

    assert [(one.name, one.folder, one.best_known) for one in found] == [
        ("TINY3", ".", None),
        ("TINY2", "lib", 36.3),
        ("TINY1", "text", 36.3),
    ]
    assert read_best_known(folder / "none.json") == {}
    with pytest.raises(NotAnInstance, match="no instances"):
        find_instances(folder / "text" / "none")


def test_judged_cost_is_the_distance_and_refuses_what_breaks_a_rule(
    folder: Path,
) -> None:
    instance = read_instance(folder / "text" / "tiny1.txt")

    assert judged_cost(instance, [[1, 2], [3]]) == 40.0
    for routes, why in (
        ([[1, 2]], "served once"),
        ([[1], [2], [3]], "3 routes for 2"),
        ([[1, 2, 3]], "too much load"),
        ([[1, 3], [2]], "late at 3"),
    ):
        with pytest.raises(ValueError, match=why):
            judged_cost(instance, routes)


@pytest.mark.parametrize("name", ["text/tiny1.txt", "lib/TINY2.vrp", "TINY3.vrp"])
def test_problem_of_an_instance_costs_its_distance(folder: Path, name: str) -> None:
    instance = read_instance(folder / name)
    problem = instance.problem()

    solution = GreedySolver().solve(problem, stop=Stop(solutions=20), seed=1)

    assert validate(problem, solution) == ()
    assert solution.unserved == ()
    routes = [[int(one.job_id) for one in route.visits] for route in solution.routes]
    assert solution.cost.total_milli == round(10 * judged_cost(instance, routes))


def test_bench_solver_sums_up_engine_by_engine(folder: Path) -> None:
    result = bench.main(
        [
            *("--instances", str(folder), "--seconds", "1"),
            *("--engines", "greedy,pyvrp-plain", "--least", "3"),
        ]
    )

    greedy, plain = result["engines"]["greedy"], result["engines"]["pyvrp-plain"]
    assert greedy["mean_gap_pct"] == plain["mean_gap_pct"] == 0.0
    assert {*greedy["instances"]} == {"TINY1", "TINY2"}
    assert greedy["by_customers"]["3"]["solved"] == 2
    row = greedy["instances"]["TINY1"]
    assert row["cost"] == plain["instances"]["TINY1"]["cost"] == 36.3
    assert row["peak_mb"] > 1
    assert row["overhead_pct"] >= 0
    starts = [one["process_start_ms"] for one in greedy["instances"].values()]
    assert min(starts) > 0
    first, *others = starts
    assert greedy["process_start_ms"]["first"] == first
    assert greedy["process_start_ms"]["worst"] == max(others)
    assert plain["process_start_ms"] is None
    json.dumps(result)


def test_bench_solver_a_failure_is_a_row_that_says_so(folder: Path) -> None:
    text = SOLOMON.replace("  10          5", "   9          5")
    (folder / "text" / "tiny1.txt").write_text(text)

    result = bench.main(
        ["--instances", str(folder / "text"), "--seconds", "1", "--engines", "greedy"]
    )

    engine = result["engines"]["greedy"]
    assert (engine["solved"], engine["failed"]) == (0, 1)
    assert engine["mean_gap_pct"] is None
    assert "1 customers left out" in engine["instances"]["TINY1"]["problem"]


def test_bench_solver_refuses_what_it_does_not_know(folder: Path) -> None:
    with pytest.raises(CommandError, match="No such engine: oracle"):
        bench.main(["--instances", str(folder), "--engines", "greedy,oracle"])
    with pytest.raises(CommandError, match="no instances"):
        bench.main(["--instances", str(folder / "lib" / "x")])
