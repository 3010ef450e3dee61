"""A planted service-time error: found, proposed, tried, approved, and the next plan better.

Then what was true is no more, and the change is taken back by itself.
"""

from dataclasses import dataclass, field
from datetime import date, time, timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.core.problems import Invalid
from apps.feedback.models import Feedback
from apps.journal.models import Change, Entry
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.models import Plan, PlanningParameter
from apps.routes.selectors import parameters_in_force
from apps.routes.solving import replay
from apps.tuning import ledger
from apps.tuning.models import Proposal
from apps.tuning.services.deciding import (
    LostInShadow,
    approve,
)
from tests.tuning.town import (
    OFFICE,
    SLOW,
    DrivenDay,
    Town,
    proposed,
    tried,
    watched,
)

FIRST = date(2026, 3, 2)
DAYS = 6
LAST = FIRST + timedelta(days=DAYS - 1)

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """What is true of the slow zone; it can change."""

    factor: float = 3.0
    town: Town = field(init=False)
    driven: list[DrivenDay] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.town = Town(lambda day, zone: self.factor if zone == SLOW else 1.0)


@pytest.fixture
def world() -> World:
    """Six days of a town where services in one zone take three times the standard."""
    world = World()
    world.driven = [
        world.town.live(FIRST + timedelta(days=number)) for number in range(DAYS)
    ]
    world.town.complain(LAST, "Nobody is quick on those stairs.")
    world.town.learn(LAST)
    return world


def test_a_planted_error_is_found_repaired_and_taken_back_when_it_is_gone(
    world: World,
) -> None:
    town = world.town
    row = proposed(town, LAST)
    assert row.values["service_factors"][f"zone:{SLOW}"]["factor"] == pytest.approx(
        3.0, rel=0.05
    )
    assert row.reports.count() == 2
    assert "2 people said so in 2 reports" in row.why[0]
    about = row.recommendation
    assert ledger.rerun(stored_inputs(about)) == stored_answer(about)

    row = tried(town, row, LAST)
    assert_it_wins_on_past_days(world, row)
    row = approve(row.pk, by=OFFICE, now=town.at(LAST, time(22, 0)))
    assert (row.status, row.versions) == ("in_force", {"service_factors": 1})
    about.refresh_from_db()
    assert about.state == "followed"
    assert_reporters_are_told("will_plan_so")
    assert_days_go_better(world)

    row = watched(town, row, LAST + timedelta(days=3))
    assert row.status == "in_force"
    assert row.watch["error"]["after"] < row.watch["error"]["before"]

    world.factor = 1.0
    for number in (3, 4, 5, 6, 7):
        town.live(LAST + timedelta(days=number))
        row = watched(town, row, LAST + timedelta(days=number + 1))
        if row.status == "reverted":
            break
    assert (row.status, row.closed_by) == ("reverted", str(SYSTEM))
    assert_it_is_taken_back(world, row)


def assert_it_wins_on_past_days(world: World, row: Proposal) -> None:
    assert (row.status, row.shadow["verdict"]) == ("shadow_tested", "wins")
    assert row.shadow["days"] == 5, "the day itself is not over"
    replayed = {day.service_date: day for day in row.shadow_days.all()}
    for day in world.driven[:5]:
        seen = replayed[day.day].before["late_min"]
        assert seen == pytest.approx(day.late_min, rel=0.05, abs=3), "as it was driven"


def assert_reporters_are_told(code: str) -> None:
    for said in Feedback.objects.all():
        assert (said.status, said.answer_code) == ("actioned", code)
        assert said.driver_id is not None
        told = Change.objects.filter(scope=said.driver_id, table="feedback_answers")
        assert told.filter(row_id=str(said.pk)).exists(), "the device hears it"


def assert_days_go_better(world: World) -> None:
    """Drive two days with what was learned: its plans say so, and hold."""
    after = [world.town.live(LAST + timedelta(days=number)) for number in (1, 2)]
    before_min = sum(day.late_min for day in world.driven) / DAYS
    assert max(day.late_min for day in after) < 0.2 * before_min
    assert max(day.service_error_s for day in after) < 40
    plan = Plan.objects.get(service_date=LAST + timedelta(days=1))
    assert plan.recommendation is not None
    codes = {reason["code"] for reason in plan.recommendation.reasons}
    assert "service_learned" in codes
    inputs = stored_inputs(plan.recommendation)
    assert replay(inputs) == stored_answer(plan.recommendation), "to the byte"


def assert_it_is_taken_back(world: World, row: Proposal) -> None:
    town = world.town
    assert "has fallen" in row.closing_words
    end = town.at(LAST + timedelta(days=9), time(6, 0))
    assert parameters_in_force(town.depot.pk, end).service_factors == {}
    versions = PlanningParameter.objects.filter(name="service_factors")
    assert versions.count() == 2, "taken back as the next version"
    for said in Feedback.objects.all():
        assert (said.status, said.answer_code) == ("actioned", "taken_back")
        assert said.answers.count() == 2, "what was said before stays"
    assert Entry.objects.filter(kind="proposal.reverted").count() == 1


def test_what_lost_on_past_days_cannot_be_approved_nor_chance_without_a_reason(
    world: World,
) -> None:
    town, now = world.town, world.town.at(LAST, time(22, 0))
    estimate = town.depot.estimates.get(
        kind="service", key=f"zone:{SLOW}", until_at=None
    )
    estimate.mean = 0.4
    estimate.save()
    row = tried(town, proposed(town, LAST), LAST)
    assert row.shadow["verdict"] == "loses"
    with pytest.raises(LostInShadow):
        approve(row.pk, reason="I am quite sure of it.", by=OFFICE, now=now)

    estimate.mean = 3.0
    estimate.save()
    Plan.objects.filter(service_date__gt=FIRST).update(recommendation=None)
    row = tried(town, proposed(town, LAST), LAST)
    skipped = row.shadow_days.filter(status="skipped")
    assert {day.skipped_because for day in skipped} == {
        "Its first plan is not in the ledger."
    }
    assert row.shadow["verdict"] == "undecided"
    with pytest.raises(Invalid, match="say in a sentence"):
        approve(row.pk, reason="yes", by=OFFICE, now=now)
    row = approve(row.pk, reason="All drivers say so of that zone.", by=OFFICE, now=now)
    assert row.status == "in_force"
