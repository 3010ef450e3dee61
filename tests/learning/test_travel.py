"""Travel times: hours and pairs of zones, each for itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random

from apps.learning.learners import travel
from apps.learning.learners.sketch import Added
from tests.learning.rounds import MORNING, TODAY, route, tallied, visit

LAW = {"c_s": 200.0, "p": 0.7}
ZONES = ("A", "B", "C")


def days(count: int = 40) -> list[Added]:
    """Drive days in which 8 o'clock is half as slow again, and A to B twice."""
    random, added = Random(4), list[Added]()  # noqa: S311  repeatable
    for day in range(count):
        at = MORNING - timedelta(days=day)
        zones = [random.choice(ZONES) for _ in range(30)]
        stops = [visit(at=at, zone=zones[0])]
        for here, there in pairwise(zones):
            factor = (1.5 if at.hour == 8 else 1.0) * (
                2.0 if (here, there) == ("A", "B") else 1.0
            )
            hour = at.hour
            at = stops[-1].completed.occurred_at
            at += timedelta(seconds=200 * factor * random.lognormvariate(0, 0.2))
            stops.append(visit(at=at, zone=there, leg_hour=hour, stop_id=f"{at}"))
        added += travel.observed(route(stops), **LAW)[0]
    return added


def test_planted_hour_and_pair_are_found() -> None:
    found = {row.key: row for row in travel.figures(tallied(days(), "travel"), TODAY)}

    assert 1.3 < found["hour:8"].mean / found["hour:9"].mean < 1.7
    assert 1.6 < found["pair:A>B"].mean / found["pair:B>A"].mean < 2.3
    assert found["pair:A>B@9"].parent == "pair:A>B"
    means = {key: row.mean for key, row in found.items()}
    slow = travel.factor_at(means, "A", "B", 8) / travel.factor_at(means, "B", "C", 9)
    assert 2.2 < slow < 3.8


def test_unknown_pair_has_the_hours_factor() -> None:
    known = {"depot": 1.0, "hour:8": 1.4, "pair:A>B": 2.0}

    assert travel.factor_at(known, "X", "Y", 8) == 1.4
    assert travel.factor_at(known, "A", "B", 8) == 2.8
    assert travel.factor_at(known, "X", "Y", 3) == 1.0


def test_leg_with_a_break_in_it_tells_nothing() -> None:
    first = visit()
    rest = first.completed.occurred_at + timedelta(minutes=5)
    then = visit(at=rest + timedelta(minutes=50), stop_id="then")

    added, left = travel.observed(route([first, then], rests=(rest,)), **LAW)

    assert not added
    assert left == {"break": 1}


def test_slow_vehicle_teaches_of_the_road_and_not_of_itself() -> None:
    first = visit()
    then = visit(at=first.completed.occurred_at + timedelta(seconds=400), stop_id="b")

    [van] = travel.observed(route([first, then], speed=1.0), **LAW)[0]
    [bike] = travel.observed(route([first, then], speed=0.5), **LAW)[0]

    assert bike.value < van.value
    assert replace(bike, value=van.value) == van
