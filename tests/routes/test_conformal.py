"""Intervals learned from past errors: their pure rules hold for any error."""

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.units import Point
from apps.routes.conformal import (
    EVERYTHING,
    NORMAL,
    RULES,
    Calibration,
    Group,
    Margins,
    Today,
    as_today,
    band_of,
    freed,
    key,
    learn_today,
    next_day,
)
from apps.routes.dayinputs import Interval
from apps.routes.eta import propagate
from apps.routes.etaledger import encode_request, encode_times, rerun
from apps.routes.etaparts import Outset, TravelLaw, Visit
from apps.routes.sketches import (
    BINS,
    Scored,
    bin_of,
    fold,
    margins_of,
    quantile,
    table,
)
from apps.routes.tellings import (
    FIRST_IS_KEPT,
    Telling,
    kept,
    learn_arrival,
    scores_of,
    telling_of,
)

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LAW = TravelLaw(219, 0.7, 100, "Europe/Berlin", 0.3, 0.5, 0.08)
SCORES = st.floats(-50, 50)
MARGINS = Margins(-1.0, 2.0, 1.4)


def visit(number: int, **more: object) -> Visit:
    point = Point(49.5 + number / 100, 11.28)
    return Visit(UUID(int=number), point, 120, zone="Altstadt", **more)  # type: ignore[arg-type]


def scores(sizes: np.ndarray, *, zone: str = "A", hour: int = 9) -> list[Scored]:
    return [Scored(0, zone, hour, float(each)) for each in sizes]


def test_unknown_groups_are_the_normal_distributions() -> None:
    assert Calibration().told(600, "Altstadt", 9) == NORMAL


def test_group_is_looked_for_from_the_finest_to_everything() -> None:
    def known(*names: str) -> Calibration:
        return Calibration(
            margins={name: Margins(-n, n, n) for n, name in enumerate(names, 1)}
        )

    fine, zone, hour = key(0, "A", 9), key(0, "A", None), key(0, "", 9)
    assert known(EVERYTHING, hour, zone, fine).of(60, "A", 9).high == 4
    assert known(EVERYTHING, hour, zone, fine).of(60, "A", 10).high == 3
    assert known(EVERYTHING, hour, zone, fine).of(60, "B", 9).high == 2
    assert known(EVERYTHING, hour, zone, fine).of(9_000, "A", 9).high == 1


def test_near_keeps_what_a_route_needs() -> None:
    names = (key(0, "A", 9), key(0, "B", 9), key(0, "", 9), EVERYTHING)
    whole = Calibration(margins=dict.fromkeys(names, MARGINS))
    near = whole.near({"A"})
    assert set(near.margins) == set(names) - {key(0, "B", 9)}
    assert near.told(60, "A", 9) == whole.told(60, "A", 9)


@given(SCORES)
def test_bins_cover_all_scores_in_order(score: float) -> None:
    assert 0 <= bin_of(score) < BINS
    assert bin_of(score - 1) <= bin_of(score) <= bin_of(score + 1)


@given(st.lists(SCORES, min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_quantile_of_a_histogram_is_the_samples_within_a_bin(
    values: list[float], share: float
) -> None:
    bins: dict[int, float] = {}
    for each in values:
        bins[bin_of(each)] = bins.get(bin_of(each), 0.0) + 1
    exact = sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]
    assert abs(bin_of(quantile(bins, share)) - bin_of(exact)) <= 1


@given(st.lists(SCORES, min_size=1, max_size=40))
def test_margins_are_in_order(values: list[float]) -> None:
    found = table(fold({}, [Scored(0, "A", 9, each) for each in values]))
    for margins in found.values():
        assert margins.low <= margins.high_alone <= margins.high


def test_small_sample_is_told_wider_than_its_quantile() -> None:
    rng = np.random.default_rng(3)
    few = fold({}, scores(rng.normal(size=25)))[key(0, "A", 9)]
    assert margins_of(few).high >= quantile(few, 0.95)


def test_large_group_has_its_own_margins_and_a_small_one_its_parents() -> None:
    rng = np.random.default_rng(5)
    seen = scores(rng.normal(size=4_000)) + scores(3 * rng.normal(size=4_000), zone="B")
    seen += scores(20 + rng.normal(size=2), zone="C")
    found = table(fold({}, seen))
    assert found[key(0, "A", 9)].high == pytest.approx(1.645, rel=0.1)
    assert found[key(0, "B", 9)].high == pytest.approx(4.9, rel=0.1)
    assert found[key(0, "C", 9)].high < 7


def test_extreme_of_a_few_does_not_stretch_a_zone() -> None:
    rng = np.random.default_rng(8)
    seen = scores(rng.normal(size=4_000)) + scores(np.array([0.1, 40.0]), zone="C")
    found = table(fold({}, seen))
    assert found[key(0, "C", None)].high < 1.5 * found[key(0, "", None)].high


def test_old_scores_are_forgotten_by_halves() -> None:
    rng = np.random.default_rng(6)
    sketches = fold({}, scores(10 * rng.normal(size=500)))
    for _ in range(120):
        sketches = fold(sketches, scores(rng.normal(size=60)))
    assert table(sketches)[key(0, "A", 9)].high == pytest.approx(1.7, rel=0.15)


def test_quiet_errors_leave_the_interval_about_where_it_is() -> None:
    rng, today = np.random.default_rng(1), Today()
    held, widths = [], []
    for each in rng.normal(size=4_000):
        told = as_today(NORMAL, today)
        held.append(told.low <= each <= told.high)
        widths.append(told.high - told.low)
        today = learn_today(
            today, NORMAL, float(each), shift=today.shift, stretch=today.stretch
        )
    assert sum(held) / len(held) == pytest.approx(0.9, abs=0.01)
    assert sum(widths) / len(widths) == pytest.approx(2 * 1.645, rel=0.12)


def test_surge_is_followed_within_a_few_arrivals() -> None:
    rng, today = np.random.default_rng(2), Today()
    held = []
    for number, each in enumerate(rng.normal(size=400)):
        value = float(each) * 2 + 4 if number >= 200 else float(each)
        told = as_today(NORMAL, today)
        held.append(told.low <= value <= told.high)
        today = learn_today(
            today, NORMAL, value, shift=today.shift, stretch=today.stretch
        )
    assert sum(held[:200]) >= 170
    assert sum(held[215:]) >= 0.85 * len(held[215:])


@given(st.lists(st.floats(-1_000, 1_000), max_size=80))
def test_whatever_comes_the_interval_stays_an_interval(values: list[float]) -> None:
    today = Today()
    for each in values:
        today = learn_today(
            today, MARGINS, each, shift=today.shift, stretch=today.stretch
        )
        told = as_today(MARGINS, today)
        assert math.isfinite(told.low + told.high)
        assert told.low < told.high
        assert told.high_alone <= told.high
    assert next_day(today).weight == 0


@given(SCORES, st.floats(-3, 3), st.floats(0.6, 8))
def test_freed_score_is_where_its_interval_had_it(
    value: float, shift: float, stretch: float
) -> None:
    left = freed(value, MARGINS, shift=shift, stretch=stretch)
    back = (left - MARGINS.centre) / MARGINS.half * stretch + shift
    assert MARGINS.centre + MARGINS.half * back == pytest.approx(value, abs=1e-6)


def test_interval_goes_by_the_calibration_and_holds_its_eta() -> None:
    margins = {EVERYTHING: Margins(-0.5, 4.0, 3.0)}
    law = TravelLaw(219, 0.7, 100, "UTC", 0.3, 0.5, 0.08, (), Calibration(1, margins))
    usual, learned = (
        propagate(Outset(Point(49.5, 11.28), AT), [visit(1)], (), (), each)[0]
        for each in (LAW, law)
    )
    low_s = (learned.eta_at - learned.low_at).total_seconds()
    high_s = (learned.high_at - learned.eta_at).total_seconds()
    assert low_s == pytest.approx(0.5 * learned.spread_s, abs=0.01)
    assert high_s == pytest.approx(4.0 * learned.spread_s, abs=0.01)
    assert (usual.eta_at - usual.low_at) > (learned.eta_at - learned.low_at)


def test_swallowed_early_side_leaves_one_in_ten_to_the_late_one() -> None:
    opens_at = AT + timedelta(minutes=5)
    window = Interval(opens_at, AT + timedelta(hours=3))
    law = TravelLaw(
        219, 0.7, 100, "UTC", 0.3, 0.5, 0.08, (), Calibration(1, {EVERYTHING: MARGINS})
    )
    outset = Outset(Point(49.5, 11.28), AT)
    free, waits = (
        propagate(outset, [visit(1, leg_s=310, windows=each)], (), (), law)[0]
        for each in ((), (window,))
    )
    assert waits.low_at == opens_at
    assert waits.high_at < free.high_at


def test_early_end_in_the_past_leaves_one_in_ten_to_the_late_one() -> None:
    known = Calibration(1, {EVERYTHING: MARGINS}, rules=RULES)
    soon, later = (known.reach(each, 100.0, Group("A", 9), None) for each in (90, 110))
    assert (soon.is_one_sided, later.is_one_sided) == (True, False)
    assert (soon.high_s, later.high_s) == pytest.approx((140.0, 200.0))
    before = Calibration(1, {EVERYTHING: MARGINS})
    assert before.reach(90, 100.0, Group("A", 9), None).high_s == pytest.approx(200.0)


def test_one_sided_intervals_miss_one_in_ten_and_move_no_other_side() -> None:
    rng, today = np.random.default_rng(4), Today()
    held = []
    for each in rng.exponential(1.0, size=3_000):
        held.append(float(each) <= as_today(NORMAL, today).high_alone)
        shift, stretch = today.shift, today.stretch
        today = learn_today(
            today,
            NORMAL,
            float(each),
            shift=shift,
            stretch=stretch,
            is_one_sided=True,
        )
    assert sum(held) / len(held) == pytest.approx(0.9, abs=0.01)
    assert (today.low_gain, today.high_gain) == (1.0, 1.0)


def test_first_day_is_learned_whole() -> None:
    basis = {"shift": 2.0, "stretch": 4.0}
    at = AT + timedelta(seconds=500)
    first = scores_of(Calibration(), "A", [told(300, **basis)], at)
    known = Calibration(1, {EVERYTHING: NORMAL})
    later = scores_of(known, "A", [told(300, **basis)], at)
    assert [each.score for each in first] == [5.0]
    assert abs(later[0].score) < 1


def test_ledger_reckons_conformal_times_again_to_the_byte() -> None:
    today = (Today(1.5, 2.5, 4.0), Today(), Today())
    margins = {EVERYTHING: MARGINS, key(0, "Altstadt", 10): NORMAL}
    known = Calibration(3, margins, today, RULES)
    law = TravelLaw(219, 0.7, 100, "Europe/Berlin", 0.3, 0.5, 0.08, (), known)
    outset, visits = Outset(Point(49.5, 11.28), AT), [visit(n) for n in range(1, 9)]
    answer = encode_times(propagate(outset, visits, (), (), law))
    assert rerun(encode_request(outset, visits, (), (), law)) == answer


def test_ledger_reckons_what_was_stored_before_calibrations() -> None:
    outset, visits = Outset(Point(49.5, 11.28), AT), [visit(1), visit(2)]
    stored = msgspec.json.decode(encode_request(outset, visits, (), (), LAW))
    del stored["law"]["calibration"]
    for each in stored["visits"]:
        del each["zone"]
    answer = encode_times(propagate(outset, visits, (), (), LAW))
    assert rerun(msgspec.json.encode(stored, order="sorted")) == answer


def test_ledger_reckons_what_was_stored_by_the_first_rules() -> None:
    today = Today(1.5, 2.5, 4.0, high_gain=1.3)
    known = Calibration(3, {EVERYTHING: MARGINS}, (today, Today(), Today()))
    law = TravelLaw(219, 0.7, 100, "Europe/Berlin", 0.3, 0.5, 0.08, (), known)
    outset, visits = Outset(Point(49.5, 11.28), AT), [visit(1), visit(2)]
    stored = msgspec.json.decode(encode_request(outset, visits, (), (), law))
    del stored["law"]["calibration"]["rules"]
    for each in stored["law"]["calibration"]["today"]:
        del each["alone_gain"]
    answer = encode_times(propagate(outset, visits, (), (), law))
    assert rerun(msgspec.json.encode(stored, order="sorted")) == answer
    alone = known.told(60, "", 9).high_alone
    assert alone > as_today(MARGINS, today).high_alone


def told(ahead_s: float, **more: float) -> Telling:
    at = AT.timestamp()
    shift, stretch = more.get("shift", 0.0), more.get("stretch", 1.0)
    return Telling(at, 100.0, ahead_s, shift, stretch, at - 150, at + 150, hour=9)


def test_near_horizons_keep_the_last_telling_and_the_far_one_the_first() -> None:
    known: dict[str, Telling] = {}
    for ahead_s in (9_000, 6_000, 3_000, 2_000, 900, 300):
        known = kept(known, told(ahead_s))
    assert {band: each.ahead_s for band, each in known.items()} == {
        str(FIRST_IS_KEPT): 9_000,
        "1": 2_000,
        "0": 300,
    }


def test_arrival_teaches_the_horizons_that_it_was_told_in() -> None:
    late_at = AT + timedelta(minutes=10)
    known = learn_arrival(Calibration(), "A", [told(300), told(9_000)], late_at)
    assert [each.weight for each in known.today] == [1, 0, 1]
    assert known.now(300).shift > 0
    assert known.now(300).high_gain > 1


def test_telling_of_a_plain_interval_has_neither_shift_nor_stretch() -> None:
    expected = propagate(Outset(Point(49.5, 11.28), AT), [visit(1)], (), (), LAW)[0]
    found = telling_of(expected, LAW)
    assert (found.shift, found.stretch, found.hour) == (0.0, 1.0, 10)
    assert band_of(found.ahead_s) == found.band
