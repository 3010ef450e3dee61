"""Places on a plane: shares of ways inside, distances, rings that make no sense."""

import math
import random

import numpy as np
import pytest

from apps.core.units import Point, great_circle_m
from apps.routes.places import (
    METRES_A_DEGREE,
    Area,
    Circle,
    Place,
    crosses_itself,
    distances_m,
    shares_between,
    shares_of_legs,
    shares_of_ways,
)

MIDDLE = Point(49.5, 11.28)
ACROSS = METRES_A_DEGREE * math.cos(math.radians(MIDDLE.lat))


def at(east_m: float, north_m: float) -> Point:
    """Return a point so many metres off the middle."""
    return Point(MIDDLE.lat + north_m / METRES_A_DEGREE, MIDDLE.lon + east_m / ACROSS)


SQUARE = Area((at(-100, -100), at(100, -100), at(100, 100), at(-100, 100)))
HOOK = Area(
    (
        *(at(0, 0), at(300, 0), at(300, 300), at(200, 300)),
        *(at(200, 100), at(100, 100), at(100, 300), at(0, 300)),
    )
)
"""A U of three arms, each 100 m wide."""


def share(place: Place, start: Point, end: Point) -> float:
    return float(shares_of_legs(place, [start], [end])[0])


def test_a_way_through_a_circles_middle_is_inside_for_its_diameter() -> None:
    circle = Circle(MIDDLE, 100)

    assert share(circle, at(-200, 0), at(200, 0)) == pytest.approx(0.5)
    assert share(circle, at(0, 0), at(200, 0)) == pytest.approx(0.5)
    assert share(circle, at(-50, 0), at(50, 0)) == pytest.approx(1)
    assert share(circle, at(-200, 101), at(200, 101)) == 0
    assert share(circle, at(101, 0), at(200, 0)) == 0
    chord = 2 * math.sqrt(100**2 - 60**2)
    assert share(circle, at(-200, 60), at(200, 60)) == pytest.approx(chord / 400)
    assert share(circle, at(10, 0), at(10, 0)) == 1, "one who stands inside"
    assert share(circle, at(150, 0), at(150, 0)) == 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_way_through_a_ring_counts_each_piece_inside(turned: bool) -> None:
    hook = Area(HOOK.corners[::-1]) if turned else HOOK

    assert share(hook, at(-100, 200), at(400, 200)) == pytest.approx(0.4)
    assert share(hook, at(-100, 50), at(400, 50)) == pytest.approx(0.6)
    assert share(hook, at(150, 200), at(150, 400)) == 0, "between the arms"
    assert share(hook, at(150, 50), at(150, 250)) == pytest.approx(0.25)
    assert share(hook, at(50, 50), at(50, 250)) == pytest.approx(1)


@pytest.mark.parametrize("place", [Circle(at(40, -30), 150), SQUARE, HOOK])
def test_all_pairs_agree_with_leg_by_leg(place: Place) -> None:
    chance = random.Random(1)  # noqa: S311 (repeatable)
    points = [
        at(chance.uniform(-600, 600), chance.uniform(-600, 600)) for _ in "x" * 40
    ]

    rows, columns, shares = shares_between(place, points)

    found = np.zeros((40, 40))
    assert len(
        {(min(a, b), max(a, b)) for a, b in zip(rows, columns, strict=True)}
    ) == (len(rows)), "each pair once"
    found[rows, columns] = found[columns, rows] = shares
    for row in range(40):
        for column in range(40):
            if row != column:
                wanted = share(place, points[row], points[column])
                assert found[row, column] == pytest.approx(wanted, abs=1e-6)


def test_distances_are_to_the_border_and_none_inside() -> None:
    points = [at(0, 0), at(250, 0), at(100, 200), at(200, 200)]

    assert distances_m(Circle(MIDDLE, 100), points[:2]) == pytest.approx([0, 150])
    away = distances_m(SQUARE, points)
    assert away == pytest.approx([0, 150, 100, math.hypot(100, 100)])
    true_m = great_circle_m(at(100, 0), at(250, 0))
    assert away[1] == pytest.approx(true_m, rel=0.002)


def test_a_ring_that_crosses_itself_is_told() -> None:
    bow = (at(0, 0), at(100, 100), at(100, 0), at(0, 100))

    assert crosses_itself(bow)
    assert crosses_itself((at(0, 0), at(50, 0), at(100, 0)))
    assert not crosses_itself(SQUARE.corners)
    assert not crosses_itself(HOOK.corners)


def test_a_way_that_is_drawn_counts_along_its_line() -> None:
    circle = Circle(MIDDLE, 100)
    straight_through = at(-500, 0), at(500, 0)
    around = (at(-500, 0), at(-500, 500), at(500, 500), at(500, 0))
    into = (at(-500, 0), at(-500, 300), at(0, 300), at(0, 0))

    shares = shares_of_ways(
        circle,
        [straight_through[0]] * 3,
        [straight_through[1], straight_through[1], MIDDLE],
        [(), around, into],
    )

    assert shares[0] == pytest.approx(0.2)
    assert shares[1] == 0
    assert shares[2] == pytest.approx(100 / 1100)
