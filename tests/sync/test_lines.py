"""The line of a device's events: gaps, and what closes them."""

from hypothesis import given
from hypothesis import strategies as st

from apps.sync.lines import Line


def test_line_moves_on_as_far_as_there_is_no_gap() -> None:
    line = Line()
    line.arrive([1, 2, 4, 6])
    assert (line.reached, line.ahead) == (2, {4, 6})
    assert line.is_due(2)
    assert not line.is_due(4)
    line.arrive([3])
    assert (line.reached, line.ahead) == (4, {6})


def test_line_passes_over_a_number_that_nobody_could_read() -> None:
    line = Line()
    line.arrive([2, 3], unnumbered=1)
    assert (line.reached, line.ahead) == (3, set())
    line.arrive([], unnumbered=5)
    assert line.reached == 3


def test_line_passes_over_no_more_than_could_not_be_read() -> None:
    line = Line()
    line.arrive([4], unnumbered=2)
    assert (line.reached, line.ahead) == (2, {4})


def test_line_gives_up_what_is_missing_and_names_it() -> None:
    line = Line(reached=2, ahead={4, 8, 9, 12})
    assert line.give_up(9) == [(3, 3), (5, 7)]
    assert (line.reached, line.ahead) == (9, {12})
    assert line.give_up(5) == []
    assert line.reached == 9


def test_line_keeps_no_number_twice_however_large() -> None:
    line = Line()
    line.arrive([2**63 - 1, 2**63 - 1])
    assert line.give_up(2**63 - 1) == [(1, 2**63 - 2)]
    assert line.reached == 2**63 - 1


@given(st.permutations(range(1, 12)), st.integers(1, 5))
def test_line_reaches_the_end_in_any_order(numbers: list[int], size: int) -> None:
    line = Line()
    for at in range(0, len(numbers), size):
        line.arrive(numbers[at : at + size])
        came = set(numbers[: at + size])
        first_gap = min(set(range(1, 13)) - came)
        assert line.reached == first_gap - 1
    assert (line.reached, line.ahead) == (11, set())
