"""The pure rules of tuning: clusters, proposals, replays in thought, verdicts, watch."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from apps.routes.servicefactors import ServiceFactor
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Job, Matrix, Problem, TimeWindow, Vehicle
from apps.tuning import ledger
from apps.tuning.clusters import SERVICE, TRAVEL, Report, clustered, spoken_of
from apps.tuning.judging import (
    LOSES,
    UNDECIDED,
    WINS,
    Paired,
    against_old,
    paired,
    verdict_of,
    verdict_of_nearness,
    watched,
)
from apps.tuning.proposing import (
    SOURCE,
    Known,
    Said,
    ServiceRequest,
    encode_proposal,
    encode_request,
    propose_service,
)
from apps.tuning.replay import Truth, drive_plan
from apps.tuning.topics import changes_in_words, error_of, topic_of
from apps.tuning.watchdays import RECENT_DAYS

DATE = "2026-03-16"


def known(key: str, mean: float, n: int = 50, spread: float = 0.05) -> Known:
    return Known(key, n, mean, spread, "" if key == "depot" else "depot", DATE)


def request(*estimates: Known, **more: Any) -> ServiceRequest:
    values: dict[str, Any] = {"in_force": {}, "said": ()}
    return ServiceRequest(source=SOURCE, estimates=estimates, **{**values, **more})


@pytest.mark.parametrize(
    ("estimates", "factors"),
    [
        ((known("zone:A", 3.0),), {"zone:A": 3.0}),
        ((known("zone:A", 3.0, n=19),), {}),
        ((known("zone:A", 1.08),), {}),
        ((known("zone:A", 1.3, spread=0.2),), {}),
        ((known("zone:A", 9.0),), {"zone:A": 5.0}),
        ((known("success", 3.0),), {}),
        ((known("class:bike", 3.0),), {}),
        (
            (known("zone:A", 1.52), known("zone:B", 0.7), known("depot", 1.5)),
            {"depot": 1.5, "zone:B": 0.7},
        ),
        (
            (known("zone:A", 3.0), known("zone:B", 1.0), known("depot", 2.0, n=100)),
            {"zone:A": 3.0},
        ),
        (
            (known("zone:A", 3.0), known("zone:B", 1.0), known("depot", 2.8, n=900)),
            {"depot": 2.8, "zone:B": 1.0},
        ),
        (
            (known("depot", 2.0), known("parcels:4+", 3.0), known("parcels:1", 2.1)),
            {"depot": 2.0, "parcels:4+": 1.5},
        ),
    ],
)
def test_only_what_figures_prove_is_proposed(
    estimates: tuple[Known, ...], factors: dict[str, float]
) -> None:
    found = propose_service(request(*estimates))
    assert {key: each.factor for key, each in found.factors.items()} == factors


def test_reports_lower_what_figures_have_to_prove() -> None:
    few = known("zone:A", 3.0, n=12)
    said = (Said("zone:A", people=2, reports=3),)
    found = propose_service(request(few, said=said))
    assert found.factors["zone:A"].n == 12
    assert "2 people said so in 3 reports" in found.findings[0].text
    alone = (Said("zone:A", people=1, reports=3),)
    assert not propose_service(request(few, said=alone)).findings


def test_what_people_have_set_stays_and_what_is_right_is_not_touched() -> None:
    held = {"zone:A": ServiceFactor(3.0), "zone:B": ServiceFactor(2.0)}
    found = propose_service(
        request(known("zone:A", 3.1), known("zone:B", 1.0), in_force=held)
    )
    assert found.factors["zone:A"] == ServiceFactor(3.0)
    assert found.factors["zone:B"] == ServiceFactor(1.0, 50, DATE)


def test_a_proposal_is_made_again_to_the_byte() -> None:
    asked = request(known("zone:A", 3.0), said=(Said("zone:A", 2, 2),))
    answer = encode_proposal(propose_service(asked))
    assert ledger.rerun(encode_request(asked)) == answer


def test_reports_are_clustered_by_parameter_and_place() -> None:
    reports = [
        Report("1", "a", "too_tight", "", "zone:A"),
        Report("2", "b", "parking", "", "zone:A"),
        Report("3", "a", "too_tight", "", "zone:B"),
        Report("4", "c", "too_tight", "Stau auf der Brücke", "zone:A"),
        Report("5", "d", "good", "", "zone:A"),
        Report("6", "e", "other", "four flights of stairs", "zone:A"),
    ]
    found = clustered(reports)
    assert [(c.parameter, c.place, c.people, c.counts) for c in found] == [
        (SERVICE, "zone:A", 3, True),
        (SERVICE, "zone:B", 1, False),
        (TRAVEL, "zone:A", 1, False),
    ]
    assert found[0].feedback_ids == ("1", "2", "6")
    assert spoken_of(reports[4]) == ""


def line_problem(service_s: int, closes_s: int = 10_000) -> Problem:
    """Return two stops on a line, 100 s apart, for one van with a shift of an hour."""
    steps = 100 * np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    job = Job(id="1", location=1, service_s=service_s)
    last = Job(
        id="2",
        location=2,
        service_s=service_s,
        windows=(TimeWindow(start_s=0, end_s=closes_s),),
    )
    return Problem(
        origin_at="2026-03-16T06:00:00+00:00",
        location_count=3,
        matrices=(Matrix(durations_s=steps, distances_m=10 * steps),),
        vehicles=(
            Vehicle(id="v", start_location=0, end_location=0, start_s=0, end_s=3600),
        ),
        jobs=(job, last),
    )


def truth(problem: Problem, service_s: int, ratio: float = 1.0) -> Truth:
    real = (problem.matrices[0].durations_s * ratio).astype(np.int32)
    return Truth({"1": service_s, "2": service_s}, real, frozenset(), frozenset())


def test_a_plan_driven_as_foretold_comes_out_as_foretold() -> None:
    problem = line_problem(120)
    plan = open_engine("greedy").solve(problem, stop=Stop(solutions=5), seed=1)
    told = drive_plan(problem, plan, truth(problem, 120))
    assert (told["late_min"], told["broken"], told["unserved"]) == (0, 0, 0)
    assert told["start_error_s"] == 0
    cost = plan.cost
    assert told["cost_minor"] == round((cost.total_milli - cost.unserved_milli) / 1000)


def test_longer_services_make_it_late_and_the_shift_ends_some_day() -> None:
    problem = line_problem(120, closes_s=400)
    plan = open_engine("greedy").solve(problem, stop=Stop(solutions=5), seed=1)
    [route] = plan.routes
    one_way = replace(
        route, visits=tuple(sorted(route.visits, key=lambda visit: visit.job_id))
    )
    plan = replace(plan, routes=(one_way,))
    late = drive_plan(problem, plan, truth(problem, 400))
    assert (late["broken"], late["unserved"]) == (1, 0)
    assert late["late_min"] == pytest.approx((100 + 400 + 100 - 400) / 60, abs=0.1)
    undone = drive_plan(problem, plan, truth(problem, 4000))
    assert undone["unserved"] == 1, "the shift is over before the second begins"
    assert undone["overtime_min"] > 0
    assert undone["loss_minor"] > late["loss_minor"]
    slow = drive_plan(problem, plan, truth(problem, 120, ratio=2.0))
    assert (
        slow["cost_minor"]
        > drive_plan(problem, plan, truth(problem, 120))["cost_minor"]
    )


def test_a_paired_difference_has_its_interval() -> None:
    surely = paired([10, 11, 12, 13, 14], [5, 6.5, 6, 8, 9])
    assert surely.falls
    assert surely.low < surely.mean < surely.high < 0
    assert not paired([10, 11, 12, 13], [1, 2, 3, 4]).falls, "too few days"
    chance = paired([10, 11, 12, 13, 14], [11, 9, 13, 12, 14])
    assert not chance.falls
    assert not chance.rises


@pytest.mark.parametrize(
    ("error", "loss", "verdict"),
    [
        (-1, -1, WINS),
        (-1, 0, WINS),
        (0, -1, WINS),
        (0, 0, UNDECIDED),
        (-1, 1, UNDECIDED),
        (1, -1, UNDECIDED),
        (0, 1, LOSES),
        (1, 0, LOSES),
        (1, 1, LOSES),
    ],
)
def test_the_verdict_weighs_error_and_loss(error: int, loss: int, verdict: str) -> None:
    def sure(sign: int) -> Paired:
        return Paired(6, 0, 0, sign, sign - 0.5, sign + 0.5)

    assert verdict_of(sure(error), sure(loss)) == verdict


def test_a_watched_figure_falls_beyond_the_noise_and_not_within_it() -> None:
    chance = random.Random(3)  # noqa: S311 (repeatable)

    def day(level: float) -> dict[int, tuple[int, float]]:
        return {
            hour: (6, 6 * (level + hour) * chance.uniform(0.9, 1.1))
            for hour in range(8, 14)
        }

    base = [day(100) for _ in range(10)]
    assert not watched(base, [day(100) for _ in range(3)]).has_fallen
    assert watched(base, [day(150) for _ in range(3)]).has_fallen
    assert not watched(base, [day(150)]).has_fallen, "one odd day"
    assert watched(base[:3], [day(150) for _ in range(3)]).band is None
    assert watched(base, []).days == 0
    late_hours = {20: (6, 6 * 500.0)}
    assert watched(base, [late_hours, late_hours]).days == 0, "no like hours before"


def test_false_alarms_of_quiet_fortnights_are_rare() -> None:
    chance = random.Random(5)  # noqa: S311 (repeatable)

    def day() -> dict[int, tuple[int, float]]:
        level = chance.gauss(100, 12)
        return {9: (20, 20 * chance.gauss(level, 5))}

    alarms = 0
    for _ in range(300):
        base, later = [day() for _ in range(10)], [day() for _ in range(14)]
        nights = [later[max(0, n - RECENT_DAYS) : n] for n in range(2, 15)]
        alarms += any(watched(base, newest).has_fallen for newest in nights)
    assert alarms <= 15


def test_the_values_before_are_compared_on_the_same_stops() -> None:
    worse = [(10.0 + n % 3, 80.0 + n % 5) for n in range(40)]
    assert against_old(worse, days=2).has_fallen
    assert not against_old(worse, days=1).has_fallen
    assert not against_old([(b, a) for a, b in worse], days=2).has_fallen
    assert not against_old(worse[:1], days=2).has_fallen


def test_topics_and_changes_are_said_in_words() -> None:
    assert topic_of(["travel_p", "travel_c_s"]) == "travel"
    assert topic_of(["eta_interval"]) == "eta_interval"
    assert error_of("travel") == "leg_error_s"
    assert error_of("service_factors") == "service_error_s"
    assert error_of("eta_interval") == "interval_score_s"
    assert error_of("day_rounds") == "start_error_s"
    said = changes_in_words(
        {"service_factors": {"zone:B": 2}, "travel_p": 0.7, "travel_by_hour": []},
        {
            "service_factors": {"zone:A": {"factor": 3, "n": 9, "as_of": DATE}},
            "travel_p": 0.65,
            "travel_by_hour": [1.0] * 8 + [1.5] + [1.0] * 15,
        },
    )
    assert any("zone A are planned at 3 times" in text for text in said)
    assert any("zone B are planned by the broader place again" in t for t in said)
    assert "travel_p: 0.7 becomes 0.65." in said
    assert any("slowest hour is 8:00 with 1.50" in text for text in said)


@pytest.mark.parametrize(
    ("error", "loss", "verdict"),
    [
        ((10, 5), (40, 40), "wins"),
        ((10, 5), (40, 60), "loses"),
        ((10, 10), (40, 20), "undecided"),
        ((10, 15), (40, 20), "loses"),
    ],
)
def test_plan_that_is_cheaper_than_the_day_wins_by_nothing_but_nearness(
    error: tuple[int, int], loss: tuple[int, int], verdict: str
) -> None:
    wobble = [-1.0, 1.0, 0.0, -1.0, 1.0, 0.0]

    def days(pair: tuple[int, int]) -> Paired:
        before = [float(pair[0]) for _ in wobble]
        return paired(before, [pair[1] + 1.1 * each for each in wobble])

    assert verdict_of_nearness(days(error), days(loss)) == verdict
