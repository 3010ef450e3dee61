"""The risk of a route: what it is made of, and what puts a route at risk."""

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.ids import uuid7
from apps.core.units import Point
from apps.routes.courses import Ahead, course_of, service_factors
from apps.routes.dayinputs import Interval
from apps.routes.etaparts import Outset, Rest, TravelLaw, Visit
from apps.routes.risk import Course, Leg, Pause, Risk, Spread, assess
from tests.factories import DEPOT_POINT, NOW

SPREAD = Spread(travel=0.3, service=0.5, drift=0.08)
STEADY = Spread(travel=0.0, service=0.0, drift=0.0)


def route(stops: int = 20, *, slack_s: float = 900.0, **more: object) -> Course:
    """A stop every ten minutes; each closes `slack_s` after its planned time."""
    legs = tuple(
        Leg(
            number=number + 1,
            travel_s=240,
            service_s=360,
            windows=((0, 600 * number + 240 + slack_s),),
        )
        for number in range(stops)
    )
    ends_s = 600 * stops + 600 + slack_s
    return replace(Course(legs=legs, home_s=600, ends_s=ends_s), **more)  # type: ignore[arg-type]


def codes(risk: Risk) -> list[str]:
    return [cause.code for cause in risk.causes]


def test_assess_without_spread_is_certain() -> None:
    assert assess(route(slack_s=60), STEADY).probability == 0
    late = assess(route(slack_s=60, late_s=0.0, ends_s=100), STEADY)
    assert (late.probability, late.overrun) == (1, 1)
    assert codes(late) == ["shift_end"]


def test_assess_nothing_ahead_is_no_risk() -> None:
    assert assess(Course(legs=(), home_s=600, ends_s=-10), SPREAD).probability == 0


@settings(max_examples=30, deadline=None)
@given(slack_s=st.floats(0, 3000), more_s=st.floats(0, 3000))
def test_assess_more_slack_is_never_more_risk(slack_s: float, more_s: float) -> None:
    tight = assess(route(slack_s=slack_s), SPREAD)
    loose = assess(route(slack_s=slack_s + more_s), SPREAD)
    assert loose.probability <= tight.probability


@settings(max_examples=20, deadline=None)
@given(stops=st.integers(1, 90))
def test_assess_same_course_has_the_same_risk(stops: int) -> None:
    assert assess(route(stops), SPREAD) == assess(route(stops), SPREAD)


def test_assess_a_wait_for_a_window_takes_delay_up() -> None:
    waits = Leg(1, 600, 300, windows=((3600, 7200),))
    then = Leg(2, 600, 300, windows=((0, 5400),))
    spread = replace(SPREAD, service=0.1)
    calm = assess(Course((waits, then), 0, 1e9), spread)
    delayed = assess(Course((waits, then), 0, 1e9, spread_s=900), spread)
    assert calm.probability == delayed.probability


def test_assess_later_of_two_windows_saves_a_late_arrival() -> None:
    leg = Leg(1, 600, 60, windows=((0, 300), (900, 4000)))
    assert assess(Course((leg,), 0, 1e9), STEADY).probability == 0
    first = replace(leg, windows=((0, 300),))
    assert assess(Course((first,), 0, 1e9), STEADY).probability == 1


def test_assess_a_break_is_taken_once_and_costs_its_time() -> None:
    pause = Pause(opens_s=1000, closes_s=4000, planned_s=1200, duration_s=1800)
    short = route(slack_s=1700, pauses=(pause,))
    assert assess(short, STEADY).probability == 1
    assert assess(route(slack_s=1900, pauses=(pause,)), STEADY).probability == 0


def test_assess_break_goes_into_a_wait_that_is_long_enough() -> None:
    pause = Pause(opens_s=500, closes_s=4000, planned_s=3000, duration_s=1800)
    waits = Leg(1, 600, 300, windows=((3600, 7200),))
    then = Leg(2, 600, 300, windows=((0, 4600),))
    assert assess(Course((waits, then), 0, 1e9, (pause,)), STEADY).probability == 0


def test_causes_little_slack_names_the_stop_and_the_minutes() -> None:
    course = route(slack_s=3000)
    tight = replace(course.legs[9], windows=((0, 600 * 9 + 240 + 120),))
    legs = (*course.legs[:9], tight, *course.legs[10:])
    risk = assess(replace(course, legs=legs), SPREAD)
    assert codes(risk)[0] == "window"
    assert risk.causes[0].text.startswith("little slack before stop 10's window")
    assert risk.causes[0].text.endswith(" min")
    assert risk.misses[9] == max(risk.misses)


def test_causes_late_start_comes_first_where_being_on_time_would_mend_it() -> None:
    windows = route(slack_s=1800)
    late = replace(
        windows,
        late_s=1500.0,
        ends_s=windows.ends_s - 1500,
        legs=tuple(
            replace(leg, windows=((0, leg.windows[0][1] - 1500),))
            for leg in windows.legs
        ),
    )
    risk = assess(late, Spread(0.1, 0.1, 0.02))
    assert codes(risk)[0] == "late_start"
    assert risk.causes[0].text == "25 min late at the start"
    behind = assess(replace(late, where="stop 3"), Spread(0.1, 0.1, 0.02))
    assert (behind.causes[0].code, behind.causes[0].text) == (
        "late",
        "25 min late at stop 3",
    )


def test_causes_conditions_and_part_of_town_say_how_much() -> None:
    slowed = route(slack_s=600)
    legs = [
        replace(
            leg,
            travel_s=leg.travel_s + 120,
            slowed_s=120,
            service_s=leg.service_s + 90,
            longer_s=90,
            zone="Old Town",
        )
        for leg in slowed.legs
    ]
    course = replace(slowed, legs=tuple(legs), slowed_by="Roadworks: Mill Road")
    found = assess(course, Spread(0.1, 0.1, 0.02))
    texts = {cause.code: cause.text for cause in found.causes}
    assert texts["conditions"] == "Roadworks: Mill Road on the way: 40 min more"
    assert texts["part_of_town"] == "stops in Old Town take longer: 30 min more in all"


def test_causes_of_an_overrun_count_the_crowd_at_the_end() -> None:
    course = route(stops=15, slack_s=36_000, ends_s=15 * 600 + 700)
    (cause,) = assess(course, SPREAD).causes
    assert cause.code == "shift_end"
    assert cause.text.startswith("11 stops in the last two hours, and ")


def test_probability_agrees_with_an_independent_sum() -> None:
    """One leg: the lognormal's tail, drawn by other numbers, within three per cent."""
    leg = Leg(1, 1000, 0, windows=((0, 1200),))
    spread = Spread(travel=0.3, service=0.0, drift=0.1)
    luck = np.random.default_rng(1).standard_normal((200_000, 2))
    sigma, drift = np.sqrt(np.log1p(0.09)), np.sqrt(np.log1p(0.01))
    times = 1000 * np.exp(
        sigma * luck[:, 0] - sigma**2 / 2 + drift * luck[:, 1] - drift**2 / 2
    )
    wanted = float((times >= 1200).mean())
    found = assess(Course((leg,), 0, 1e9), spread).probability
    assert abs(found - wanted) < 0.03


def test_service_factors_believe_what_was_seen_often() -> None:
    found = service_factors({"A": 72_000, "B": 300}, {"A": 86_400, "B": 900})
    assert 1.15 < found["A"] < 1.2
    assert found["B"] < 1.1


def test_course_of_takes_hours_zones_and_the_way_home() -> None:
    lat, lon = DEPOT_POINT
    depot, there = Point(lat, lon), Point(lat + 0.02, lon)
    law = TravelLaw(219, 0.7, 100, "Europe/Berlin", 0.3, 0.5, 0.08)
    at = NOW + timedelta(hours=2)
    ahead = Ahead(
        outset=Outset(depot, at, late_s=300),
        visits=(
            Visit(uuid7(), there, 600, (Interval(at, at + timedelta(hours=1)),), 400),
        ),
        rests=(Rest(at, at + timedelta(hours=2), 1800),),
        conditions=(),
        law=law,
        numbers=(4,),
        zones=("Old Town",),
        service_factors={"Old Town": 1.5},
        home=depot,
        latest_at=at + timedelta(hours=3),
    )
    course = course_of(ahead)
    (leg,) = course.legs
    assert (leg.number, leg.service_s, leg.longer_s, leg.zone) == (
        4,
        900,
        300,
        "Old Town",
    )
    assert abs(leg.travel_s - 400 * law.hourly(at)) < 0.01
    assert leg.windows == ((0, 3600),)
    assert (course.ends_s, course.late_s) == (10_800, 300)
    assert 300 < course.home_s < 500


def test_assess_is_quick_enough_for_every_event() -> None:
    """Ours takes some 5 ms; the bound leaves room for a machine that is busy."""
    assess(route(60), SPREAD)
    started = time.perf_counter()
    for _ in range(5):
        assess(route(60, late_s=600.0), SPREAD)
    assert (time.perf_counter() - started) / 5 < 0.5
