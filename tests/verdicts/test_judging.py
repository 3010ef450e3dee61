"""Overrides and deviations of a shift are judged once it is over, and again if need be."""

from datetime import timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.drivers.states import ShiftState
from apps.journal.models import Entry
from apps.routes.models import Stop
from apps.verdicts import tasks
from apps.verdicts.models import Verdict
from apps.verdicts.questions import shifts_to_judge
from apps.verdicts.selectors import verdicts_of_deviations
from apps.verdicts.services.judging import judge_shift
from tests.factories import NOW
from tests.verdicts.days import AFTER, Driven, make_driven, overridden

pytestmark = pytest.mark.django_db

ALONG = (1, 2, 3, 4, 5, 6)
ZIGZAG = (4, 1, 5, 2, 6, 3)


def judged(driven: Driven) -> list[Verdict]:
    return judge_shift(driven.shift, by=SYSTEM, now=AFTER)


def test_judge_shift_zigzag_was_wrong() -> None:
    driven = make_driven(*ZIGZAG)
    [row] = judged(driven)
    assert (row.subject, row.kind, row.role) == ("deviation", "sequence", "Driver")
    assert row.ruling == "wrong"
    # Along the line and back it is 12 legs; the zigzag has 4 + 3 + 4 + 3 + 4 + 3 + 3.
    assert row.gained_s == pytest.approx(-12 * 120, rel=0.15)
    assert row.sd_s > 0
    steps = row.arithmetic["recommended"]["steps"]
    assert [step["there"] for step in steps] == [*driven.ids(*ALONG), "end"]
    assert not any(step["is_observed"] for step in steps)
    chosen = row.arithmetic["chosen"]["steps"]
    assert [step["is_observed"] for step in chosen] == [True] * 6 + [False]
    assert Entry.objects.filter(kind="verdict.given").count() == 1


def test_judge_shift_as_planned_is_no_question() -> None:
    assert judged(make_driven(*ALONG)) == []


def test_judge_shift_equal_ways_are_undecidable() -> None:
    # Back along the line instead of out: as long as the other way round.
    [row] = judged(make_driven(*reversed(ALONG)))
    assert row.ruling == "undecidable"


def test_judge_shift_override_was_right() -> None:
    driven = make_driven(*ALONG)
    asked = overridden(driven, ZIGZAG, ALONG)
    [row] = judged(driven)
    assert row.override == asked
    assert (row.ruling, row.subject, row.kind) == ("right", "override", "move_stop")
    assert row.gained_minor > row.least_minor > 0


def test_judge_shift_does_not_judge_twice() -> None:
    driven = make_driven(*ZIGZAG)
    assert len(judged(driven)) == 1
    assert judged(driven) == []
    assert Verdict.objects.count() == 1


def test_judge_shift_late_facts_make_a_new_version() -> None:
    driven = make_driven(*ZIGZAG)
    [row] = judged(driven)
    last = driven.stops[2]
    Stop.objects.filter(pk=last.pk).update(
        arrived_at=AFTER - timedelta(hours=1), completed_at=AFTER
    )
    [again] = judged(driven)
    assert (again.pk, again.version) == (row.pk, 2)
    assert again.gained_s != row.gained_s
    entry = Entry.objects.get(kind="verdict.given_again")
    assert entry.payload["old_gained_minor"] == row.gained_minor


def test_judge_shift_waits_until_it_is_over() -> None:
    driven = make_driven(*ZIGZAG, status=ShiftState.STARTED, ended_at=None)
    assert judge_shift(driven.shift, by=SYSTEM, now=NOW) == []
    assert len(judge_shift(driven.shift, by=SYSTEM, now=NOW + timedelta(days=1))) == 1


@pytest.mark.parametrize("state", ["rejected", "withdrawn", "waiting"])
def test_judge_shift_leaves_what_was_not_done(state: str) -> None:
    driven = make_driven(*ALONG)
    asked = overridden(driven, ZIGZAG, ALONG)
    if state == "waiting":
        asked.answered_at, asked.answered_by = None, ""
        asked.approver, asked.deadline_at = "Supervisor", AFTER
    asked.state = state
    asked.save()
    assert judged(driven) == []


def test_judge_shift_without_the_ledgers_travel_times_goes_by_the_law() -> None:
    driven = make_driven(*ALONG)
    overridden(driven, ZIGZAG, ALONG, recommendation=None)
    [row] = judged(driven)
    assert row.recommendation is None
    assert row.ruling == "right"
    [factor] = row.arithmetic["factors"].values()
    assert factor["legs"] == 6


def test_judge_shift_with_lost_taps_is_less_sure() -> None:
    whole = make_driven(*ALONG)
    overridden(whole, ZIGZAG, ALONG)
    [sure] = judged(whole)
    gaps = make_driven(*ALONG)
    overridden(gaps, ZIGZAG, ALONG, client_id="gaps")
    ids = [one.pk for one in gaps.stops[1:4]]
    Stop.objects.filter(pk__in=ids).update(arrived_at=None)
    [unsure] = judged(gaps)
    steps = unsure.arithmetic["chosen"]["steps"]
    assert sum(step["is_observed"] for step in steps) == 3
    assert unsure.sd_minor >= sure.sd_minor


def test_judge_shift_leaves_out_what_nobody_visited() -> None:
    driven = make_driven(*ALONG)
    overridden(driven, (1, 2, 3, 4, 6, 5), (6, 1, 2, 3, 4, 5))
    Stop.objects.filter(pk=driven.stops[5].pk).update(
        status="cancelled", arrived_at=None
    )
    [row] = judged(driven)
    assert (row.ruling, row.gained_s) == ("undecidable", 0)
    assert row.arithmetic["left_out"] == list(driven.ids(6))


def test_task_judges_what_came_late() -> None:
    driven = make_driven(*ZIGZAG)
    tasks.judge(shift_id=str(driven.shift.pk))
    assert Verdict.objects.count() == 1
    assert shifts_to_judge(NOW, AFTER) == []
    left_open = driven.shift.ends_at + timedelta(hours=6)
    since = left_open - timedelta(hours=3)
    assert shifts_to_judge(since, left_open) == [driven.shift]


def test_verdicts_of_deviations() -> None:
    driven = make_driven(*ZIGZAG)
    overridden(driven, ZIGZAG, ALONG)
    judged(driven)
    [found] = verdicts_of_deviations(driven.depot.pk, NOW, AFTER + timedelta(hours=1))
    assert (found.route_id, found.shift_id) == (driven.route.pk, driven.shift.pk)
    assert found.verdict == "wrong"
    assert found.gained_minutes < -15
    assert found.sd_minutes > 0
    assert verdicts_of_deviations(driven.depot.pk, NOW, AFTER) == []
