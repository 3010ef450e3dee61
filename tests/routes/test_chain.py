"""Engines that fail, each in its way, and who answers in their place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from apps.journal.models import Entry
from apps.routes import chain
from apps.routes.chain import (
    ANSWER_SHARE,
    GRACE_S,
    LEAST_S,
    Budget,
    solve_by_chain,
)
from apps.routes.models import Plan, PlanningParameter, UnservedOrder
from apps.routes.parameters import DEFAULTS, Parameters, with_overrides
from apps.routes.solver import process
from apps.routes.solver.births import Child, Spawned
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import RULES, Stop
from apps.routes.solver.problem import Problem, Shipment
from apps.routes.solver.solution import Solution, StoppedBy
from apps.routes.solver.validate import validate
from apps.routes.states import PlanState
from tests.factories import NOW
from tests.routes.days import make_day, publish_day
from tests.routes.solver.instances import composed_day

RAISES = "raise MemoryError('no room for the matrix')"
HANGS = "import threading; threading.Event().wait()"
IS_KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
TALKS_NONSENSE = "import sys; sys.stdin.buffer.read(); print('{}')"
FORGETS_A_JOB = """
import sys
from dataclasses import replace
from apps.routes.solver.codec import decode_request, encode_solution
from apps.routes.solver.port import Stop, open_engine
request = decode_request(sys.stdin.buffer.read())
right = open_engine("greedy").solve(request.problem, stop=Stop(solutions=0), seed=1)
first, *others = right.routes
wrong = replace(right, routes=(replace(first, visits=first.visits[1:]), *others))
sys.stdout.buffer.write(encode_solution(wrong))
"""
STOPS = {
    "pyvrp": Stop(solutions=200, time_limit_s=60),
    "ortools": Stop(solutions=20, time_limit_s=60),
    RULES: Stop(solutions=20, time_limit_s=60),
}
AMPLE_S = 400.0

Script = Callable[..., list[str]]


@pytest.fixture
def engines_do(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Make the first children run these programs; those after them are engines."""
    begin = process._start
    started: list[str] = []

    def script(*programs: str) -> list[str]:
        left = list(programs)

        def start() -> Child:
            started.append(left[0] if left else "engine")
            return Spawned("-c", left.pop(0)) if left else begin()

        monkeypatch.setattr(process, "_start", start)
        return started

    return script


def ask(
    problem: Problem,
    *engines: str,
    stops: dict[str, Stop] = STOPS,
    budget_s: float = AMPLE_S,
) -> chain.ChainAnswer:
    return solve_by_chain(
        problem,
        engines=engines or DEFAULTS.chain,
        stops=stops,
        seed=3,
        budget=Budget(budget_s),
    )


def test_solve_by_chain_the_first_engine_answers() -> None:
    problem = composed_day(12, 2)

    answer = ask(problem)

    assert answer.found is not None
    assert answer.found.solution.engine == "pyvrp"
    assert answer.failures == ()
    assert validate(problem, answer.found.solution) == ()


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        (RAISES, "died", "PyVRP ended without an answer (MemoryError: no room"),
        (IS_KILLED, "died", "PyVRP ended without an answer (killed by signal 9)."),
        (TALKS_NONSENSE, "died", "PyVRP ended without an answer (ValidationError"),
        (
            FORGETS_A_JOB,
            "infeasible",
            "PyVRP gave a plan that breaks a rule, which was thrown away (",
        ),
    ],
)
def test_solve_by_chain_the_next_answers_for_one_that_fails(
    engines_do: Script, program: str, code: str, words: str
) -> None:
    started = engines_do(program)
    problem = composed_day(12, 2)

    answer = ask(problem)

    assert started == [program, "engine"]
    assert answer.found is not None
    assert answer.found.solution.engine == "ortools"
    assert validate(problem, answer.found.solution) == ()
    (failure,) = answer.failures
    assert (failure.engine, failure.code) == ("pyvrp", code)
    assert failure.text.startswith(words)


def test_solve_by_chain_the_next_answers_for_one_that_hangs(
    engines_do: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "GRACE_S", 0)
    started = engines_do(HANGS)

    answer = ask(
        composed_day(12, 2),
        "pyvrp",
        RULES,
        stops={**STOPS, "pyvrp": Stop(time_limit_s=1)},
    )

    assert started == [HANGS]
    assert answer.found is not None
    assert answer.found.solution.engine == RULES
    assert [one.text for one in answer.failures] == [
        "PyVRP gave no answer in time and was stopped (killed after 1 s)."
    ]


def test_solve_by_chain_goes_down_to_the_rules(engines_do: Script) -> None:
    engines_do(RAISES, IS_KILLED)

    answer = ask(composed_day(12, 2))

    assert answer.found is not None
    assert answer.found.solution.engine == RULES
    assert [one.engine for one in answer.failures] == ["pyvrp", "ortools"]


def test_solve_by_chain_passes_over_who_refuses_and_who_is_unknown(
    engines_do: Script,
) -> None:
    started = engines_do()
    day = composed_day(6, 2)
    pick_up, bring, *others = day.jobs
    bring = replace(bring, demands=tuple(0 for _ in bring.demands))
    shipped = replace(
        day,
        jobs=(pick_up, bring, *others),
        shipments=(Shipment(pickup_job=pick_up.id, delivery_job=bring.id),),
    )

    answer = ask(shipped, "oracle", "ortools", RULES)

    assert started == []
    assert answer.found is not None
    assert answer.found.solution.engine == RULES
    assert [(one.engine, one.code) for one in answer.failures] == [
        ("oracle", "unknown"),
        ("ortools", "refused"),
    ]
    assert answer.failures[0].text.startswith("“oracle” is no engine")
    assert "it cannot do pickups with deliveries" in answer.failures[1].text


def test_solve_by_chain_rules_that_throw_are_a_failure_like_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> Solution:
        raise ZeroDivisionError("no cars")

    monkeypatch.setattr(GreedySolver, "solve", fail)

    answer = ask(composed_day(3, 1), RULES)

    assert answer.found is None
    assert answer.failures[0].text == (
        "Insertion by rules ended without an answer (ZeroDivisionError: no cars)."
    )


def test_solve_by_chain_without_time_leaves_it_to_the_rules(
    engines_do: Script,
) -> None:
    started = engines_do()

    answer = ask(composed_day(6, 2), budget_s=GRACE_S)

    assert started == []
    assert answer.found is not None
    assert answer.found.solution.engine == RULES
    assert {one.code for one in answer.failures} == {"no_time"}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.now_s = 0.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.now_s


@pytest.mark.parametrize("timeout_s", [10, 30, 60, 90, 600, 3600])
@pytest.mark.parametrize("fetch_s", [0.1, 8.0])
@pytest.mark.parametrize("engines", [1, 2, 3])
@pytest.mark.parametrize("cap_s", [1, 15, 36, 10_000])
def test_budget_of_task_holds_for_the_sum_of_a_chain_that_hangs(
    timeout_s: int, fetch_s: float, engines: int, cap_s: int
) -> None:
    """Every engine is killed at its limit and the grace, in both passes of an answer."""
    clock = Clock()
    budget = Budget.of_task(timeout_s, clock=clock)
    clock.now_s += min(fetch_s, timeout_s / 2)
    tried = 0
    for _ in ("as it is", "late rather than never"):
        clock.now_s += budget.for_rules(DEFAULTS.rules_time_limit_s)
        for after in reversed(range(engines)):
            limit_s = budget.for_search(cap_s, engines_after=after)
            assert limit_s <= cap_s
            tried += limit_s > 0
            clock.now_s += limit_s + GRACE_S if limit_s else 0
    assert clock.now_s < timeout_s
    if timeout_s >= 60 and engines <= 2:
        assert tried >= engines


def test_budget_keeps_time_for_the_engine_after() -> None:
    clock = Clock()
    budget = Budget(60 * ANSWER_SHARE, clock=clock)
    clock.now_s += budget.for_rules(DEFAULTS.rules_time_limit_s)

    first_s = budget.for_search(DEFAULTS.day_time_limit_s, engines_after=1)
    clock.now_s += first_s + GRACE_S

    assert first_s > LEAST_S
    assert budget.for_search(DEFAULTS.day_time_limit_s) >= LEAST_S


@pytest.mark.parametrize(
    ("stored", "order"),
    [
        ({}, ("pyvrp", "ortools", RULES)),
        ({"engine": "ortools"}, ("ortools", "pyvrp", RULES)),
        ({"engine": "greedy"}, (RULES,)),
        ({"fallbacks": []}, ("pyvrp", RULES)),
        ({"engine": "ortools", "fallbacks": ["greedy"]}, ("ortools", RULES)),
    ],
)
def test_parameters_stored_before_there_was_a_chain_have_one(
    stored: dict[str, object], order: Sequence[str]
) -> None:
    assert with_overrides(stored).chain == order


def test_parameters_say_when_each_engine_of_the_chain_stops() -> None:
    for kind in ("plan", "replan"):
        stops = Parameters().stops(kind)
        assert {*stops} == {*DEFAULTS.chain}
        assert all(stop.solutions for stop in stops.values())


@pytest.fixture
def _at_six() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_six")
def test_plan_day_says_and_records_whoever_failed(engines_do: Script) -> None:
    engines_do(IS_KILLED)
    plan = publish_day(make_day(orders=6))

    assert plan.status == PlanState.PUBLISHED
    assert plan.mode == "optimizer"
    row = plan.recommendation
    assert row is not None
    assert row.engine in {"ortools", RULES}
    texts = {reason["code"]: reason["text"] for reason in row.reasons}
    assert texts["engine_failed"] == (
        "PyVRP ended without an answer (killed by signal 9)."
    )
    entry = Entry.objects.get(kind="plan.engine_failed")
    assert entry.subject_id == str(plan.pk)
    assert entry.payload["engine"] == "pyvrp"
    assert entry.payload["why"] == "died"
    assert entry.payload["answered_by"] == row.engine


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_six")
def test_plan_day_by_rules_alone_where_every_engine_fails(engines_do: Script) -> None:
    engines_do(IS_KILLED, RAISES)
    plan = publish_day(make_day(orders=6))

    assert (plan.status, plan.mode) == (PlanState.PUBLISHED, "rules")
    assert plan.totals["served"] == 6
    assert not UnservedOrder.objects.exists()
    row = plan.recommendation
    assert row is not None
    texts = [reason["text"] for reason in row.reasons]
    assert "Made by the rules of insertion alone, without a search." in texts
    assert Entry.objects.filter(kind="plan.engine_failed").count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_six")
def test_plan_day_fails_in_words_where_nobody_answers(
    engines_do: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Solution:
        raise ZeroDivisionError("no cars")

    monkeypatch.setattr(GreedySolver, "solve", fail)
    engines_do(IS_KILLED, RAISES)
    plan = publish_day(make_day(orders=4))

    assert plan.status == PlanState.FAILED
    for name in ("PyVRP", "OR-Tools", "Insertion by rules"):
        assert f"{name} ended without an answer" in plan.problem
    assert Plan.objects.count() == 1


def test_search_that_its_count_ended_is_not_bounded_by_the_clock() -> None:
    """A greedy search of 20 rounds, with a minute for them."""
    found = solve_by_chain(
        composed_day(12), engines=(RULES,), stops=STOPS, seed=1, budget=Budget(130)
    ).found
    assert found is not None
    assert found.solution.stopped_by is not StoppedBy.TIME
    assert not found.by_clock
    assert found.request.stop == STOPS[RULES]


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_six")
def test_plan_day_says_that_the_clock_ended_the_search() -> None:
    depot = make_day(orders=40)
    PlanningParameter.objects.filter(name="day_rounds").delete()
    for name, value in (("day_rounds", 10_000_000), ("day_time_limit_s", 1)):
        PlanningParameter.objects.create(
            depot=depot,
            name=name,
            version=1,
            value=value,
            valid_from=NOW - timedelta(days=1),
            created_by="test",
        )
    row = publish_day(depot).recommendation
    assert row is not None
    assert row.parameters["stopped_by"] == "time"
    (text,) = [
        reason["text"] for reason in row.reasons if reason["code"] == "time_bounded"
    ]
    assert "The clock ended the search" in text
