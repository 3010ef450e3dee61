"""Learned travel goes the same way: proposed, replayed, in force, watched, taken back."""

from dataclasses import replace
from datetime import date, time, timedelta

import numpy as np
import pytest
import time_machine
from django_q.models import OrmQ

from apps.core.actors import SYSTEM
from apps.core.models import TaskRun
from apps.journal.services import writing
from apps.recommendations import services as recommendations
from apps.routes.parameters import DEFAULTS
from apps.tuning.models import Proposal
from apps.tuning.pastdays import day_ratio, driven_dates, past_day
from apps.tuning.services.deciding import approve
from apps.tuning.shadow import leg_error_s, problem_with, replay_day, truth_of
from tests.queueing import drain
from tests.tuning.town import OFFICE, Town, parameter_draft, watched

FIRST = date(2026, 3, 2)
DAYS = 5
LAST = FIRST + timedelta(days=DAYS - 1)

pytestmark = pytest.mark.django_db


def slow_town(days: int) -> Town:
    """Drive some days of a town whose streets are half as fast again as foretold."""
    town = Town(lambda day, zone: 1.0, orders=16, pace=1.5)
    for number in range(days):
        town.live(FIRST + timedelta(days=number))
    return town


def learned(town: Town, values: dict[str, object]) -> None:
    """Write down learned travel, as another room does, and let the queue go on."""
    now = town.at(LAST + timedelta(days=1), time(2, 0))
    draft = parameter_draft(
        town.depot, values, engine="relearning", why="From 95 legs."
    )
    with time_machine.travel(now, tick=False), writing(by=SYSTEM, now=now) as journal:
        row = recommendations.issue(draft, by=SYSTEM, now=now)
        journal.record(
            "parameters.learned",
            town.depot,
            depot_id=town.depot.pk,
            recommendation_id=str(row.pk),
        )


def test_learned_travel_is_proposed_tried_watched_and_taken_back_by_the_queue() -> None:
    town = slow_town(DAYS)
    OrmQ.objects.all().delete()  # what the days' plans gave cause to is not of interest
    TaskRun.objects.all().delete()
    learned(town, {"travel_c_s": round(DEFAULTS.travel_c_s * 1.5, 1)})
    now = town.at(LAST + timedelta(days=1), time(2, 30))
    with time_machine.travel(now, tick=False):
        drain()
    row = Proposal.objects.get()
    assert (row.topic, row.status) == ("travel", "shadow_tested")
    assert (row.shadow["verdict"], row.shadow["days"]) == ("wins", DAYS)
    legs = row.shadow["figures"]["leg_error_s"]
    assert legs["after"] < 0.5 * legs["before"]
    assert row.progress_percent == 100

    approve(row.pk, by=OFFICE, now=now)
    for number in (1, 2):
        town.live(LAST + timedelta(days=number))
    row = watched(town, row, LAST + timedelta(days=3))
    assert row.status == "in_force"
    assert row.watch["against"]["new"] < row.watch["against"]["old"]
    town.pace = 0.9
    for number in (3, 4, 5):
        town.live(LAST + timedelta(days=number))
    row = watched(town, row, LAST + timedelta(days=6))
    assert row.status == "reverted"


def test_a_day_is_planned_anew_as_its_own_plan_was_made() -> None:
    town = slow_town(1)
    [day] = driven_dates(town.depot.pk, until=FIRST + timedelta(days=1), most=9)
    past = past_day(town.depot, day)
    assert driven_dates(town.depot.pk, until=FIRST, most=9) == []

    same = problem_with(past, past.then)
    assert same == past.request.problem, "the values of then make the problem of then"
    slower = problem_with(past, replace(past.then, travel_c_s=2 * 219.0))
    before = past.request.problem.matrices[0].durations_s
    assert np.allclose(slower.matrices[0].durations_s, 2 * before, atol=2)
    assert len(past.legs) > 10
    honest = replace(past.then, travel_c_s=1.5 * 219.0)
    error_s = leg_error_s(past, problem_with(past, honest), honest)
    assert error_s < 0.5 * leg_error_s(past, same, past.then)

    truth = truth_of(past)
    assert len(truth.seen_services) == 16
    seen = next(iter(truth.seen_legs))
    assert truth.durations_s[seen] > 1.3 * before[seen]
    unseen = truth.durations_s.sum() / before.sum()
    assert 1.2 < unseen < 1.5, "by the day's own pace, drawn towards what was told"

    twice = [replay_day(past, past.then, honest) for _ in range(2)]
    assert twice[0] == twice[1], "made again, it comes out the same"
    assert twice[0].after["start_error_s"] < twice[0].before["start_error_s"]


def test_a_day_of_the_optimizer_is_planned_anew_by_it() -> None:
    town = Town(lambda day, zone: 1.0, orders=12, engine="pyvrp")
    town.live(FIRST)
    past = past_day(town.depot, FIRST)
    assert past.request.engine == "pyvrp"
    found = replay_day(past, past.then, past.then)
    assert found.engine == "pyvrp"
    assert found.before == found.after, "the same values, the same plan"
    assert found.before["unserved"] == 0


def test_a_days_pace_is_drawn_towards_what_was_told() -> None:
    assert day_ratio([]) == 1.0
    assert day_ratio([(10, 20)] * 10) == pytest.approx(1.5)
    assert day_ratio([(10, 20)] * 990) == pytest.approx(2.0, abs=0.02)
    assert day_ratio([(10, 20)] * 30 + [(10, 10_000)]) < 2
