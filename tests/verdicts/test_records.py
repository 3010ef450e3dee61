"""When a record of verdicts moves a decision right, and how far."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.verdicts.records import LEAST_DECIDED, Record, proposed, wilson

SMALL = {"max_minutes": 10, "max_cost_minor": 500, "max_stops": 40}
ABOVE = {"max_minutes": 12, "max_cost_minor": 6000, "max_stops": None}


def record(right: int, wrong: int, undecidable: int = 0) -> Record:
    return Record(right=right, wrong=wrong, undecidable=undecidable)


def test_wilson() -> None:
    low, high = wilson(18, 20, z=1.96)
    assert (low, high) == pytest.approx((0.699, 0.972), abs=0.001)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_good_record_widens_within_what_the_role_above_may() -> None:
    found = proposed(record(28, 2), SMALL, ABOVE)
    assert found is not None
    assert found.widens
    assert found.limits == {
        "max_minutes": (10, 12),
        "max_cost_minor": (500, 750),
        "max_stops": (40, 60),
    }


def test_a_bad_record_narrows() -> None:
    found = proposed(record(4, 26), SMALL, ABOVE)
    assert found is not None
    assert not found.widens
    assert found.limits["max_minutes"] == (10, 6)


@pytest.mark.parametrize(
    "found",
    [
        record(LEAST_DECIDED - 1, 0, 500),
        record(15, 15),
        record(20, 8),
    ],
)
def test_a_small_or_mixed_record_moves_nothing(found: Record) -> None:
    assert proposed(found, SMALL, ABOVE) is None


def test_nothing_grows_where_the_role_above_may_nothing_alone() -> None:
    assert proposed(record(40, 0), SMALL, None) is None
    assert proposed(record(40, 0), SMALL, SMALL) is None
    assert proposed(record(40, 0), dict.fromkeys(SMALL), ABOVE) is None


@given(st.integers(0, 80), st.integers(0, 80), st.integers(0, 30))
def test_one_more_right_choice_never_gives_less(
    right: int, wrong: int, undecidable: int
) -> None:
    def given_by(one: Record) -> int:
        found = proposed(one, SMALL, ABOVE)
        return 10 if found is None else found.limits["max_minutes"][1]

    fewer = given_by(record(right, wrong, undecidable))
    more = given_by(record(right + 1, wrong, undecidable))
    if right + wrong >= LEAST_DECIDED:
        assert more >= fewer
    assert given_by(record(right, wrong, undecidable + 9)) == fewer
