"""The fold as properties: a function of the set of facts, whatever their arrival."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.verdicts import APPLIED, NEEDS_REVIEW, REJECTED, SUPERSEDED
from apps.routes.progress import (
    ARRIVED,
    ENROUTE,
    FAILED,
    NOTE,
    OUTCOMES,
    PARTIAL,
    REOPENED,
    STEPS,
    SUCCEEDED,
    Fact,
    corrected,
    fold,
    judge,
    judge_correction,
    legal_steps,
    places_of,
)

START = datetime(2026, 3, 17, 8, tzinfo=UTC)
ANNA, BORIS = UUID(int=1), UUID(int=2)


def fact(step: str, minute: int, *, by: UUID = ANNA, name: str = "") -> Fact:
    return Fact(
        id=name or f"{step}-{minute}-{by.int}",
        step=step,
        driver_id=by,
        occurred_at=START + timedelta(minutes=minute),
        device_seq=minute,
    )


def told(step: str, number: int, minute: int, *, sure: bool, by: UUID = ANNA) -> Fact:
    """A fact of a device of its driver's, with a number and an instant of their own."""
    made = fact(step, minute, by=by, name=f"{by.int}-{number}")
    return replace(made, device_seq=number, device_id=by, is_sure=sure)


numbered = st.lists(
    st.builds(
        told,
        st.sampled_from(STEPS),
        st.integers(1, 9),
        st.integers(0, 30),
        sure=st.booleans(),
        by=st.sampled_from([ANNA, BORIS]),
    ),
    max_size=9,
    unique_by=lambda item: item.id,
)

facts = st.lists(
    st.builds(
        fact,
        st.sampled_from(STEPS),
        st.integers(0, 30),
        by=st.sampled_from([ANNA, BORIS]),
    ),
    max_size=9,
    unique_by=lambda item: item.id,
)


@given(facts, st.randoms(use_true_random=False))
def test_fold_any_order_of_arrival_gives_one_state(
    known: list[Fact], random: Random
) -> None:
    shuffled = list(known)
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(known)


@given(facts)
def test_fold_success_of_the_last_attempt_is_never_lost(known: list[Fact]) -> None:
    places = places_of(known)
    ordered = sorted(known, key=lambda item: places[item.id])
    last_reopening = max(
        (place for place, item in enumerate(ordered) if item.step == REOPENED),
        default=-1,
    )
    attempt = ordered[last_reopening + 1 :]
    succeeded = [item for item in attempt if item.step == SUCCEEDED]
    state = fold(known)
    if succeeded:
        assert state.status == SUCCEEDED
        assert state.completed_at == succeeded[0].occurred_at
    else:
        assert state.status != SUCCEEDED


@given(facts)
def test_fold_status_and_instants_agree(known: list[Fact]) -> None:
    state = fold(known)
    assert (state.completed_at is not None) == (state.status in OUTCOMES)
    assert (state.completed_by is None) == (state.completed_at is None)
    if state.status == ENROUTE:
        assert state.enroute_at is not None
    if state.status == ARRIVED:
        assert state.arrived_at is not None


@given(facts, facts)
def test_judge_kept_facts_decide_alike_in_any_order(
    first: list[Fact], second: list[Fact]
) -> None:
    """What is kept folds alike, whichever of two batches came first."""
    known: list[Fact] = []
    for item in {f.id: f for f in [*first, *second]}.values():
        if judge(known, item, cancelled=False).result != REJECTED:
            known.append(item)
    assert fold(known) == fold(reversed(known))


def test_judge_a_driver_may_skip_the_way_and_the_arrival() -> None:
    assert judge([], fact(SUCCEEDED, 5), cancelled=False).result == APPLIED


def test_judge_late_arrival_completes_the_picture() -> None:
    done = fact(SUCCEEDED, 10)
    late = fact(ARRIVED, 5)
    assert judge([done], late, cancelled=False).result == APPLIED
    assert fold([done, late]).arrived_at == late.occurred_at
    assert fold([done, late]).status == SUCCEEDED


def test_judge_second_delivery_by_another_is_kept_beside_the_first() -> None:
    verdict = judge([fact(SUCCEEDED, 5)], fact(SUCCEEDED, 9, by=BORIS), cancelled=False)
    assert (verdict.result, verdict.code) == (SUPERSEDED, "already_delivered")


def test_judge_failure_after_delivery_by_another_changes_nothing() -> None:
    known = [fact(SUCCEEDED, 5)]
    new = fact(FAILED, 9, by=BORIS)
    assert judge(known, new, cancelled=False).code == "already_delivered"
    assert fold([*known, new]).status == SUCCEEDED


def test_judge_older_outcome_gives_way_to_the_newer() -> None:
    verdict = judge([fact(PARTIAL, 9)], fact(FAILED, 5), cancelled=False)
    assert (verdict.result, verdict.code) == (SUPERSEDED, "newer_event")


def test_judge_success_that_comes_late_wins_over_a_failure() -> None:
    known = [fact(FAILED, 9)]
    new = fact(SUCCEEDED, 5, by=BORIS)
    assert judge(known, new, cancelled=False).result == APPLIED
    assert fold([*known, new]).status == SUCCEEDED


def test_judge_own_second_outcome_is_refused_with_the_legal_steps() -> None:
    verdict = judge([fact(SUCCEEDED, 5)], fact(FAILED, 9), cancelled=False)
    assert verdict.result == REJECTED
    assert "stop.reopened" in verdict.detail


@pytest.mark.parametrize("step", [ENROUTE, ARRIVED])
def test_judge_own_way_after_the_end_is_refused(step: str) -> None:
    verdict = judge([fact(FAILED, 5)], fact(step, 9), cancelled=False)
    assert verdict.result == REJECTED
    assert "stop.reopened" in verdict.detail


def test_judge_reopening_what_is_open_is_refused() -> None:
    verdict = judge([fact(ARRIVED, 5)], fact(REOPENED, 9), cancelled=False)
    assert verdict.result == REJECTED
    assert "stop.succeeded" in verdict.detail


def test_judge_reopened_stop_begins_anew() -> None:
    known = [fact(FAILED, 5), fact(REOPENED, 9)]
    assert fold(known).status == "pending"
    assert judge(known, fact(SUCCEEDED, 12), cancelled=False).result == APPLIED
    assert legal_steps("pending")[0] == "stop.enroute"


def test_judge_report_on_a_cancelled_stop_waits_for_the_office() -> None:
    verdict = judge([], fact(SUCCEEDED, 5), cancelled=True)
    assert (verdict.result, verdict.code) == (NEEDS_REVIEW, "cancelled_meanwhile")


def correction(of: Fact, step: str, minute: int) -> Fact:
    return replace(
        fact(step, minute, by=of.driver_id, name=f"fix-{of.id}-{minute}"),
        corrects=of.id,
    )


@given(
    facts,
    st.lists(
        st.tuples(
            st.integers(0, 8), st.sampled_from([*STEPS, NOTE]), st.integers(0, 40)
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_fold_any_order_of_corrections_gives_the_state_of_their_last_words(
    known: list[Fact], plans: list[tuple[int, str, int]], random: Random
) -> None:
    fixes = {
        fix.id: fix
        for which, step, minute in plans
        if which < len(known) and (fix := correction(known[which], step, minute)).id
    }
    log = [*known, *fixes.values()]
    random.shuffle(log)
    last: dict[str, Fact] = {}
    places = places_of(log)
    for fix in sorted(fixes.values(), key=lambda one: places[one.id]):
        last[fix.corrects] = fix
    meant = [
        replace(one, step=last[one.id].step) if one.id in last else one for one in known
    ]
    assert fold(log) == fold(meant)
    assert {one.id for one in corrected(log)} == {one.id for one in known}


def test_judge_correction_of_an_attempt_that_is_over_moves_nothing_now() -> None:
    wrong = fact(FAILED, 1)
    known = [wrong, fact(REOPENED, 2), fact(SUCCEEDED, 3)]
    fix = correction(wrong, PARTIAL, 9)
    verdict = judge_correction(known, fix, cancelled=False)
    assert (verdict.result, verdict.code) == (APPLIED, "corrected")
    assert fold([*known, fix]) == fold(known)


def test_judge_correction_of_a_cancelled_stop_needs_a_person() -> None:
    wrong = fact(FAILED, 1)
    fix = correction(wrong, SUCCEEDED, 9)
    verdict = judge_correction([wrong], fix, cancelled=True)
    assert (verdict.result, verdict.code) == (NEEDS_REVIEW, "cancelled_meanwhile")


def test_judge_correction_yields_to_an_earlier_delivery_and_a_later_outcome() -> None:
    wrong = fact(FAILED, 5)
    fix = correction(wrong, SUCCEEDED, 9)
    before = judge_correction(
        [wrong, fact(SUCCEEDED, 3, by=BORIS)], fix, cancelled=False
    )
    assert (before.result, before.code) == (SUPERSEDED, "already_delivered")
    mild = correction(wrong, PARTIAL, 9)
    after = judge_correction([wrong, fact(FAILED, 7, by=BORIS)], mild, cancelled=False)
    assert (after.result, after.code) == (SUPERSEDED, "newer_event")


@given(numbered, st.randoms(use_true_random=False))
def test_places_of_a_devices_facts_are_those_of_its_numbers(
    known: list[Fact], random: Random
) -> None:
    shuffled = list(known)
    random.shuffle(shuffled)
    places = places_of(shuffled)
    assert places == places_of(known)
    assert fold(shuffled) == fold(known)
    for driver in (ANNA, BORIS):
        mine = sorted(
            (item for item in known if item.driver_id == driver),
            key=lambda item: item.device_seq,
        )
        in_order = [places[item.id] for item in mine]
        assert in_order == sorted(in_order)


def test_judge_goes_by_a_devices_numbers_where_its_wall_clock_was_ahead() -> None:
    """What was dated by the wall stands before what an anchor dated after it."""
    known = [
        told(FAILED, 1, 40, sure=False),
        told(REOPENED, 2, 41, sure=False),
    ]
    new = told(SUCCEEDED, 3, 12, sure=True)
    assert judge(known, new, cancelled=False).result == APPLIED
    assert fold([*known, new]).status == SUCCEEDED
    unnumbered = [replace(item, device_id=None) for item in (*known, new)]
    verdict = judge(unnumbered[:2], unnumbered[2], cancelled=False)
    assert verdict.result == SUPERSEDED


def test_judge_wall_clock_that_is_behind_moves_no_sure_fact() -> None:
    """Boris delivered first: that Anna's next clock is an hour behind says nothing."""
    first = told(SUCCEEDED, 1, 10, sure=True, by=BORIS)
    second = told(SUCCEEDED, 1, 20, sure=True)
    late = told(ARRIVED, 2, 0, sure=False)
    assert fold([first, second, late]).completed_by == BORIS
