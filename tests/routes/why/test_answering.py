"""Answers in plain words: what stands in the way, what would serve, what if."""

from dataclasses import replace

import pytest

from apps.routes.solver.explaining.standing import CannotExplain, stand
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Problem, SoftWindow, TimeWindow
from apps.routes.solver.solution import Solution
from apps.routes.why.answer import Answer
from apps.routes.why.answering import answer_of
from apps.routes.why.names import Names, added_minutes, listed, minutes
from apps.routes.why.questions import About, Question, question_of
from tests.routes.solver.instances import job, line_problem, van

NAMES = Names(
    orders={"a": "A-1", "b": "B-2", "c": "C-3", "late": "L-9", "cold": "K-7"},
    drivers={"one": "Anna", "two": "Ben", "three": "Carla"},
    zone="Europe/Berlin",
    currency="EUR",
)
DAY = line_problem(
    jobs=(
        job("a", 1),
        job("b", 2, windows=(TimeWindow(start_s=0, end_s=300),)),
        job("c", 3),
    ),
    vehicles=(van("one"), van("two", fixed_cost_milli=900_000)),
)


def solved(problem: Problem) -> Solution:
    return GreedySolver().solve(problem, stop=Stop(solutions=20), seed=1)


def answered(problem: Problem, names: Names = NAMES, **question: object) -> Answer:
    asked = Question(**question)  # type: ignore[arg-type]
    return answer_of(problem, solved(problem), asked, names)


def test_other_order_of_stops_is_priced_and_says_what_it_breaks() -> None:
    found = answered(DAY, about=About.BESIDE, order="c", other="a")
    # There by 300, served until 360; a by 560 until 620; b at 720, 421 s late.
    assert found.price is not None
    assert found.summary == (
        "Stop 3 (C-3) before stop 1 (A-1): +3 min, +2.0 km, +1.90 EUR; breaks "
        "stop 2 (B-2): its window, 7 min late."
    )
    assert [part.code for part in found.price.parts] == ["distance", "duration"]
    assert sum(part.minor for part in found.price.parts) == found.price.cost_minor
    assert [one.text for one in found.price.moved] == [
        "stop 1 (A-1): becomes stop 2, 8 min later",
        "stop 2 (B-2): becomes stop 3, 8 min later",
        "stop 3 (C-3): becomes stop 1, 2 min earlier",
    ]


def test_numbers_are_those_of_the_route_not_of_the_plan() -> None:
    names = replace(NAMES, offsets={"one": 6})
    found = answered(DAY, names, about=About.BESIDE, order="c", other="a", after=True)
    assert found.summary.startswith("Stop 9 (C-3) after stop 7 (A-1): ")


def test_what_if_it_were_left_out_tells_the_price_put_on_it_apart() -> None:
    found = answered(DAY, about=About.WITHOUT, order="c")
    assert found.title == "What if: without stop 3 (C-3)?"
    assert found.summary == (
        "Without stop 3 (C-3): −4 min, −2.0 km, −2.32 EUR, "
        "+1,000.00 EUR for what is left out; breaks nothing."
    )


def test_forced_route_that_is_too_full_says_by_how_much() -> None:
    problem = line_problem(
        jobs=(
            job("cold", 1, required_capabilities=("proof-signature",), demands=(3000,)),
            job("b", 2, demands=(3000,)),
        ),
        vehicles=(
            van("one", capabilities=("proof-signature",), capacities=(3000,)),
            van("two", capacities=(4000,)),
        ),
        dimensions=("g",),
    )
    found = answered(problem, about=About.ON_ROUTE, order="cold", shift="two")
    assert found.price is not None
    assert {one.text for one in found.price.broken} == {
        "stop 1 (K-7): Ben cannot take a signature",
        "Ben’s vehicle: 2.0 kg too much",
    }


def test_whole_sequence_of_a_driver_is_priced() -> None:
    found = answered(DAY, about=About.SEQUENCE, shift="one", sequence=("b", "a", "c"))
    assert found.summary.startswith("Anna’s own sequence: +3 min, ")
    assert found.summary.endswith("; breaks nothing.")


def test_rest_is_planned_anew_about_a_wish() -> None:
    problem = replace(
        DAY, vehicles=(DAY.vehicles[0], van("two", fixed_cost_milli=100_000))
    )
    found = answered(problem, about=About.BESIDE, order="c", other="a", around=True)
    assert found.around is not None
    assert found.around.broken == ()
    assert "the rest planned anew" in found.around.summary
    assert any("on Ben’s route" in one.text for one in found.around.moved)


def test_left_out_order_names_the_constraint_and_the_cheapest_way_out() -> None:
    late = job("late", 5, windows=(TimeWindow(start_s=0, end_s=310),))
    found = answered(
        line_problem(jobs=(late,), vehicles=(van("one"), van("two"))),
        about=About.LEFT_OUT,
        order="late",
    )
    assert found.summary == (
        "L-9 is left out: none of its windows can be reached within a shift. What would "
        "serve it at the least cost: widen its window by 4 min, to 01:00–01:09; Anna "
        "brings it (+9.92 EUR)."
    )
    [blocker] = found.blockers
    assert blocker.drivers == "Anna and Ben"
    assert blocker.shifts == ("one", "two")
    assert blocker.text == "its window cannot be reached within the shift"
    [cheapest] = [one for one in found.options if one.is_cheapest]
    assert (cheapest.code, cheapest.outcome) == ("widen_window", "serves")
    assert cheapest.cost == "+9.92 EUR"


def test_order_that_nothing_serves_is_said_to_be_so() -> None:
    from tests.routes.solver.instances import _cut_off  # noqa: PLC0415

    problem = line_problem(jobs=(job("late", 5),), vehicles=(van("one"),))
    cut = replace(problem, matrices=(_cut_off(problem.matrices[0], 5),))
    found = answered(cut, about=About.LEFT_OUT, order="late")
    assert found.summary == (
        "L-9 is left out: no way leads there. Nothing that was tried would serve it."
    )
    assert found.blockers[0].text == "no way leads there"


def test_required_ability_and_missing_room_stand_in_plain_words() -> None:
    cold = job("cold", 1, required_capabilities=("cash", "crane"), demands=(9, 1))
    problem = line_problem(
        jobs=(cold,),
        vehicles=(
            van("one", capacities=(4, 1), capabilities=("cash", "crane")),
            van("two", capacities=(9, 1), capabilities=("cash",)),
            van("three", capacities=(4, 1)),
        ),
        dimensions=("pieces", "g"),
    )
    found = answered(problem, about=About.LEFT_OUT, order="cold")
    told = {one.drivers: one.text for one in found.blockers}
    assert told == {
        "Anna": "vehicle too small for it, by 5 pieces",
        "Ben": "cannot provide “crane”",
        "Carla": "cannot take cash and provide “crane”; vehicle too small for it, "
        "by 5 pieces",
    }
    texts = {one.code: one.text for one in found.options}
    assert texts["lend_capacity"] == "Give Anna a vehicle with 5 pieces more room"
    assert texts["drop_capability"] == (
        "Do not ask the driver to provide “crane”; Ben brings it"
    )
    assert "Who brings it must take cash and provide “crane”." in found.facts


def test_stop_says_what_every_other_place_costs() -> None:
    found = answered(DAY, about=About.STOP, order="b")
    assert found.title == "Why stop 2 (B-2) is there"
    assert found.summary == (
        "Stop 2 (B-2) is on Anna’s route because every other place costs more: the next "
        "best, as stop 1 of the same route, +1.90 EUR."
    )
    assert found.facts[0] == (
        "Number 2 of 3 on Anna’s route, between stop 1 (A-1) and stop 3 (C-3)."
    )
    assert found.facts[1] == (
        "Service begins at 01:04; its window stays open for 1 min more."
    )
    assert [one.outcome for one in found.options] == ["dearer", "dearer"]


def test_stop_that_could_be_cheaper_elsewhere_says_so() -> None:
    wish = (
        SoftWindow(start_s=0, end_s=0, early_milli_per_s=0, late_milli_per_s=10_000),
    )
    problem = line_problem(
        jobs=(job("a", 1, soft_windows=wish), job("b", 2)), vehicles=(van("one"),)
    )
    plain = replace(problem, jobs=(job("a", 1), job("b", 2)))
    asked = Question(about=About.STOP, order="a")
    found = answer_of(problem, solved(plain), asked, NAMES)
    assert "would be cheaper as stop 1 of the same route" in found.summary


def test_committed_stop_stays() -> None:
    bound = replace(DAY, vehicles=(replace(DAY.vehicles[0], locked=("a",)),))
    found = answered(bound, about=About.STOP, order="a")
    assert found.summary.endswith(
        "stays on Anna’s route: the driver is bound to it already."
    )
    assert found.options == ()


def test_cost_stands_by_route_and_part_and_adds_up() -> None:
    crane = job("late", 1, required_capabilities=("crane",))
    found = answered(replace(DAY, jobs=(*DAY.jobs, crane)), about=About.COST)
    table = found.table
    assert table is not None
    assert table.parts == ("Distance", "Driving", "At the doors", "Orders left out")
    assert [row.name for row in table.rows] == ["Anna", "No single route"]
    assert table.total.total == sum(row.total for row in table.rows)
    assert table.total.amounts[-1] == 100_000
    assert found.summary.startswith("The plan counts 1,0")
    assert found.facts


def test_question_that_does_not_fit_is_refused() -> None:
    standing = stand(DAY, solved(DAY))
    assert not standing.unserved
    with pytest.raises(CannotExplain, match="serves it"):
        answered(DAY, about=About.LEFT_OUT, order="a")


def test_question_makes_the_round_trip_and_keeps_its_key() -> None:
    asked = Question(about=About.SEQUENCE, shift="one", sequence=("b", "a"))
    again = question_of(asked.as_arguments())
    assert again == asked
    assert again.key == asked.key
    assert replace(asked, sequence=("a", "b")).key != asked.key
    assert Question(about=About.BESIDE, order="a").missing == ("other",)


def test_minutes_and_lists_are_said_as_people_do() -> None:
    assert minutes(20) == "less than 1 min"
    assert minutes(3900) == "1 h 05 min"
    assert added_minutes(-400) == "−7 min"
    assert added_minutes(12) == "0 min"
    assert listed(["a", "b", "c"]) == "a, b and c"
