"""What one drive tells, with taps that are lost, late, or of a clock that jumped."""

from dataclasses import replace

import pytest

from apps.verdicts.estimating import Driven, LawOfLeg, day_factor
from apps.verdicts.gaps import Drive, StopFact, told_by
from apps.verdicts.ways import END, START, Rest

STOPS = tuple(f"s{number:02d}" for number in range(12))
LAW_S, SERVICE_S, SLOW = 300.0, 120.0, 1.2


def drive(**changed: StopFact) -> Drive:
    """Return a drive in which every leg took 360 s and every service 120 s."""
    facts, at = [], 0.0
    for stop in STOPS:
        arrived = at + LAW_S * SLOW
        at = arrived + SERVICE_S
        facts.append(
            StopFact(
                stop_id=stop,
                planned_service_s=SERVICE_S,
                arrived_s=arrived,
                left_s=at,
            )
        )
    return Drive(
        shift_id="s", facts=tuple(facts), departed_s=0.0, back_s=at + LAW_S * SLOW
    )


def fact(stop: str) -> StopFact:
    return next(one for one in drive().facts if one.stop_id == stop)


def changed(stop: str, **values: float | None) -> Drive:
    whole = drive()
    facts = tuple(
        replace(one, **values) if one.stop_id == stop else one  # type: ignore[arg-type]
        for one in whole.facts
    )
    return replace(whole, facts=facts)


LAWS = {
    ("s", here, there): LawOfLeg(seconds=LAW_S, distance_m=2000)
    for here, there in zip((START, *STOPS), (*STOPS, END), strict=True)
}


def test_every_piece_of_a_whole_drive_is_as_it_was() -> None:
    told = told_by(drive(), LAWS)
    assert all(leg.is_observed and leg.seconds == 360 for leg in told.legs.values())
    assert len(told.legs) == len(STOPS) + 1
    assert all(one.is_observed for one in told.services.values())


def test_day_factor_is_learned_and_an_outlier_moves_it_little() -> None:
    legs = [
        Driven(key=("s", str(n), "x"), law_s=300, took_s=300 * SLOW) for n in range(20)
    ]
    plain = day_factor(legs)
    assert plain.log_mean == pytest.approx(0.18, abs=0.02)
    odd = [*legs, Driven(key=("s", "odd", "x"), law_s=300, took_s=7000)]
    assert day_factor(odd).log_mean == pytest.approx(plain.log_mean, abs=0.03)
    assert day_factor(legs[::-1]) == plain
    assert day_factor(()).se > plain.se
    with_neighbours = day_factor((), legs)
    assert plain.se < with_neighbours.se < day_factor(()).se


def test_a_lost_tap_leaves_what_is_known_in_sum() -> None:
    told = told_by(changed("s05", arrived_s=None), LAWS)
    leg, service = told.legs["s", "s04", "s05"], told.services["s05"]
    assert not leg.is_observed
    assert not service.is_observed
    assert leg.seconds + service.seconds == pytest.approx(480, abs=10)
    assert leg.sd_s < 100
    assert leg.common < 1


def test_a_clock_that_jumped_is_not_believed() -> None:
    arrived = fact("s05").arrived_s or 0.0
    told = told_by(changed("s05", arrived_s=arrived + 700), LAWS)
    assert not told.legs["s", "s04", "s05"].is_observed
    assert told.legs["s", "s04", "s05"].seconds == pytest.approx(360, abs=40)
    assert told.services["s05"].seconds == pytest.approx(120, abs=40)
    assert told.legs["s", "s05", "s06"].is_observed


def test_a_break_within_a_leg_is_not_driving() -> None:
    arrived = fact("s05").arrived_s or 0.0
    whole = drive()
    facts = tuple(
        one
        if one.stop_id < "s05"
        else replace(
            one,
            arrived_s=(one.arrived_s or 0) + 1800,
            left_s=(one.left_s or 0) + 1800,
        )
        for one in whole.facts
    )
    rests = (Rest(due_s=arrived - 200, duration_s=1800),)
    rested = replace(whole, facts=facts, rests=rests, back_s=(whole.back_s or 0) + 1800)
    told = told_by(rested, LAWS)
    assert not told.legs["s", "s04", "s05"].is_observed
    assert told.legs["s", "s04", "s05"].seconds == pytest.approx(372, abs=30)


def test_waiting_is_no_service_and_who_does_not_wait_did_not() -> None:
    waited = StopFact(
        stop_id="a",
        planned_service_s=100,
        arrived_s=500,
        left_s=1100,
        windows=((1000.0, 2000.0),),
    )
    assert waited.service_s == 100
    early = replace(waited, left_s=700)
    assert early.service_s == 200
    assert early.served_early
    assert not waited.served_early
    assert replace(waited, left_s=None).service_s is None


def later(whole: Drive, from_s: float, by_s: float) -> Drive:
    """Return a drive in which everything after an instant was so much later."""

    def moved(at: float | None) -> float | None:
        return at + by_s if at is not None and at > from_s else at

    facts = tuple(
        replace(one, arrived_s=moved(one.arrived_s), left_s=moved(one.left_s))
        for one in whole.facts
    )
    return replace(whole, facts=facts, back_s=moved(whole.back_s))


@pytest.mark.parametrize("told_before_s", [0.0, 5.0])
def test_break_told_just_before_the_leg_lies_in_the_leg(told_before_s: float) -> None:
    left_s = fact("s05").left_s or 0.0
    rested = replace(
        later(drive(), left_s, 600.0),
        rests=(Rest(due_s=left_s - told_before_s, duration_s=600.0),),
    )
    told = told_by(rested, LAWS)
    assert not told.legs["s", "s05", "s06"].is_observed
    assert told.legs["s", "s05", "s06"].seconds < 500
    assert told.legs["s", "s06", "s07"].is_observed
    assert told.services["s05"].is_observed


def test_break_in_a_service_makes_it_no_longer_service() -> None:
    arrived_s = fact("s05").arrived_s or 0.0
    rested = replace(
        later(drive(), arrived_s, 600.0),
        rests=(Rest(due_s=arrived_s + 60.0, duration_s=600.0),),
    )
    told = told_by(rested, LAWS)
    assert not told.services["s05"].is_observed
    assert told.services["s05"].seconds == pytest.approx(SERVICE_S, rel=0.2)
    assert told.legs["s", "s05", "s06"].is_observed
