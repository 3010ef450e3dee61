"""Both ways replayed on one day: what cancels, what counts, and when it is silent."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.verdicts.replay import LEAST_S, Z, judge, ruling_of
from apps.verdicts.ways import (
    END,
    START,
    Leg,
    LegKey,
    Prices,
    Rest,
    Ruling,
    Visit,
    Way,
    World,
)

PRICES = Prices(per_s_milli=1000, per_m_milli=10, window_late_per_s_milli=1000)
STOPS = ("a", "b", "c", "d")
SWAPPED = {"right": "wrong", "wrong": "right", "undecidable": "undecidable"}


def way(*stops: str, shift: str = "s", **more: object) -> Way:
    values = {"begins_s": 0.0, "shift_ends_s": 30_000.0, "prices": PRICES} | more
    return Way(shift_id=shift, stops=stops, **values)  # type: ignore[arg-type]


def leg(seconds: float, sd_s: float = 0.0, *, observed: bool = True) -> Leg:
    return Leg(
        seconds=seconds,
        sd_s=sd_s,
        distance_m=round(seconds * 8),
        is_observed=observed,
        common=0.0 if observed else 1.0,
    )


def world(seconds: dict[tuple[str, str], float], **more: object) -> World:
    legs = {("s", *pair): leg(took) for pair, took in seconds.items()}
    visits = {stop: Visit(service_s=60) for stop in STOPS}
    return World(legs=legs, visits=visits, **more)  # type: ignore[arg-type]


def every_leg(rng: st.DrawFn) -> dict[LegKey, Leg]:
    found = {}
    for here in (START, *STOPS):
        for there in (*STOPS, END):
            if here != there:
                found["s", here, there] = leg(
                    rng(st.integers(30, 900)),
                    rng(st.integers(0, 120)),
                    observed=rng(st.booleans()),
                )
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a day of four stops, some legs estimated, some windows tight."""
    visits = {}
    for stop in STOPS:
        opens = draw(st.integers(0, 2000))
        windows = ((float(opens), opens + 600.0),) if draw(st.booleans()) else ()
        visits[stop] = Visit(
            service_s=draw(st.integers(30, 300)),
            sd_s=draw(st.integers(0, 60)),
            windows=windows,
            promised_s=draw(st.none() | st.integers(300, 3000)),
        )
    return World(
        legs=every_leg(draw),
        visits=visits,
        common_sd={"s": draw(st.sampled_from([0, 0.1]))},
    )


sequences = st.permutations(STOPS).map(tuple)


@settings(max_examples=60, deadline=None)
@given(worlds(), sequences, sequences)
def test_swapping_the_ways_flips_the_verdict(
    day: World, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    one = judge([way(*first)], [way(*second)], day)
    other = judge([way(*second)], [way(*first)], day)
    assert other.ruling == SWAPPED[one.ruling]
    assert other.gained_minor == -one.gained_minor
    assert other.sd_minor == one.sd_minor


@settings(max_examples=40, deadline=None)
@given(worlds(), sequences, sequences, st.randoms())
def test_order_of_input_does_not_matter(
    day: World, first: tuple[str, ...], second: tuple[str, ...], rng: object
) -> None:
    keys = list(day.legs)
    rng.shuffle(keys)  # type: ignore[attr-defined]
    shuffled = replace(
        day,
        legs={key: day.legs[key] for key in keys},
        visits=dict(reversed(list(day.visits.items()))),
    )
    assert judge([way(*first)], [way(*second)], day) == judge(
        [way(*first)], [way(*second)], shuffled
    )


@settings(max_examples=60, deadline=None)
@given(worlds(), sequences, sequences, st.floats(1, 5), st.floats(1, 5))
def test_more_noise_never_decides(
    day: World,
    first: tuple[str, ...],
    second: tuple[str, ...],
    times: float,
    common: float,
) -> None:
    louder = replace(
        day,
        legs={
            key: replace(one, sd_s=one.sd_s * times) for key, one in day.legs.items()
        },
        visits={
            stop: replace(one, sd_s=one.sd_s * times)
            for stop, one in day.visits.items()
        },
        common_sd={"s": day.common_sd["s"] * common},
    )
    before = judge([way(*first)], [way(*second)], day)
    after = judge([way(*first)], [way(*second)], louder)
    assert after.sd_minor >= before.sd_minor - 1e-9
    assert after.ruling in {before.ruling, Ruling.UNDECIDABLE}


@settings(max_examples=30, deadline=None)
@given(worlds(), sequences)
def test_the_same_way_differs_by_nothing_however_unsure_it_is(
    day: World, stops: tuple[str, ...]
) -> None:
    found = judge([way(*stops)], [way(*stops)], day)
    assert (found.gained_minor, found.sd_minor) == (0, 0)
    assert found.ruling == Ruling.UNDECIDABLE


def test_two_shifts_may_stand_in_any_order() -> None:
    legs = {}
    for shift in "st":
        for here, there in permutations((START, "a", "b", "c", END), 2):
            legs[shift, here, there] = leg(100 + 10 * ord(here[0]) % 37, 5)
    day = World(legs=legs, visits={stop: Visit(service_s=60) for stop in STOPS})
    before = [way("a", "b"), way("c", shift="t")]
    after = [way("a"), way("c", "b", shift="t")]
    found = judge(before, after, day)
    assert found == judge(before[::-1], after[::-1], day)
    assert len(found.chosen.steps) == 5


def test_ways_of_other_shifts_are_refused() -> None:
    with pytest.raises(ValueError, match="same shifts"):
        judge([way("a")], [way("a", shift="t")], world({}))


def test_arithmetic_of_a_small_day() -> None:
    day = world(
        {
            (START, "a"): 300,
            ("a", "b"): 100,
            ("b", END): 300,
            (START, "b"): 400,
            ("b", "a"): 100,
            ("a", END): 500,
        }
    )
    found = judge([way("a", "b")], [way("b", "a")], day)
    assert found.recommended.duration_s == 300 + 60 + 100 + 60 + 300
    assert found.chosen.duration_s == 400 + 60 + 100 + 60 + 500
    metres = 8 * (1000 - 700)
    assert found.gained_minor == pytest.approx(-(300 * 1000 + metres * 10) / 1000)
    assert (found.ruling, found.sd_minor) == (Ruling.WRONG, 0)
    assert found.chosen.steps[0].leaves_s == 460


def test_waiting_for_a_window_eats_what_was_gained() -> None:
    legs = {
        (START, "a"): 300.0,
        ("a", "b"): 300.0,
        (START, "b"): 300.0,
        ("b", "a"): 100.0,
        ("b", END): 100.0,
        ("a", END): 300.0,
    }
    free = world(legs)
    tight = replace(
        free, visits={**free.visits, "a": Visit(service_s=60, windows=((2000, 3000),))}
    )
    waiting = judge([way("a", "b")], [way("b", "a")], tight)
    assert judge([way("a", "b")], [way("b", "a")], free).gained_s == 0
    assert waiting.recommended.steps[0].waits_s == 1700
    assert waiting.gained_s == 160


def test_late_after_a_window_costs_and_the_nearer_of_two_is_served() -> None:
    day = world({(START, "a"): 1000.0, ("a", END): 0.0})
    windows = ((0.0, 900.0), (5000.0, 6000.0))
    late = replace(day, visits={"a": Visit(service_s=60, windows=windows)})
    [step, _] = judge([way("a")], [way("a")], late).chosen.steps
    assert (step.window_late_s, step.waits_s) == (100, 0)
    windows = ((0.0, 100.0), (1200.0, 6000.0))
    early = replace(day, visits={"a": Visit(service_s=60, windows=windows)})
    [step, _] = judge([way("a")], [way("a")], early).chosen.steps
    assert (step.window_late_s, step.waits_s) == (0, 200)


def test_a_break_is_taken_once_in_both_ways() -> None:
    day = world({(START, "a"): 500.0, ("a", END): 100.0})
    rested = way("a", rests=(Rest(due_s=200, duration_s=1800),))
    found = judge([rested], [rested], day).chosen
    assert found.duration_s == 500 + 60 + 100 + 1800
    late = way("a", rests=(Rest(due_s=90_000, duration_s=1800),))
    assert judge([late], [late], day).chosen.duration_s == found.duration_s


def test_a_window_about_to_be_missed_is_seen_as_noise() -> None:
    legs = {
        ("s", START, "a"): leg(900, 60, observed=False),
        ("s", START, "b"): leg(100),
        ("s", "a", "b"): leg(100),
        ("s", "b", "a"): leg(900),
        ("s", "a", END): leg(100),
        ("s", "b", END): leg(100),
    }
    visits = {
        "a": Visit(service_s=0, windows=((0.0, 901.0),)),
        "b": Visit(service_s=0),
    }
    found = judge([way("a", "b")], [way("b", "a")], World(legs=legs, visits=visits))
    loose = {**visits, "a": Visit(service_s=0)}
    free = judge([way("a", "b")], [way("b", "a")], World(legs=legs, visits=loose))
    assert found.sd_minor > 1.5 * free.sd_minor


@pytest.mark.parametrize(
    ("gained", "sd", "ruling"),
    [
        (LEAST_S, 0.0, Ruling.RIGHT),
        (LEAST_S - 1, 0.0, Ruling.UNDECIDABLE),
        (-200.0, 100.0, Ruling.WRONG),
        (Z * 100, 100.0, Ruling.UNDECIDABLE),
    ],
)
def test_rule(gained: float, sd: float, ruling: Ruling) -> None:
    assert ruling_of(gained, sd, LEAST_S) == ruling
