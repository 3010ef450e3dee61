"""Differences of a route, as a driver hears them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.routes.differences import PlannedStop, route_difference

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)


def planned(names: str, *, shift_s: int = 0) -> list[PlannedStop]:
    return [PlannedStop(name, NOON + timedelta(seconds=shift_s)) for name in names]


def test_route_difference_of_equal_routes_is_nothing() -> None:
    assert not route_difference(planned("abc"), planned("abc"), eta_moved_s=300)


def test_route_difference_one_stop_pulled_forward_is_one_move() -> None:
    difference = route_difference(planned("abcde"), planned("eabcd"), eta_moved_s=300)
    assert [item["stop_id"] for item in difference.moved] == ["e"]
    assert (difference.moved[0]["from_place"], difference.moved[0]["place"]) == (5, 1)


def test_route_difference_names_added_and_removed() -> None:
    difference = route_difference(planned("abc"), planned("axc"), eta_moved_s=300)
    assert [item["stop_id"] for item in difference.added] == ["x"]
    assert [item["stop_id"] for item in difference.removed] == ["b"]
    assert difference.moved == []


def test_route_difference_small_eta_moves_are_kept_quiet() -> None:
    assert not route_difference(
        planned("ab"), planned("ab", shift_s=299), eta_moved_s=300
    )
    told = route_difference(planned("ab"), planned("ab", shift_s=300), eta_moved_s=300)
    assert [item["by_s"] for item in told.eta_moved] == [300, 300]


@given(st.permutations("abcdefg"), st.permutations("cdefghi"))
def test_route_difference_makes_the_new_of_the_old(
    old: list[str], new: list[str]
) -> None:
    """A device that applies the difference holds the new sequence."""
    difference = route_difference(
        planned("".join(old)), planned("".join(new)), eta_moved_s=300
    )
    gone = {item["stop_id"] for item in difference.removed}
    put = {item["stop_id"]: item["place"] for item in difference.added}
    put |= {item["stop_id"]: item["place"] for item in difference.moved}
    sequence = [name for name in old if name not in gone and name not in put]
    for name, place in sorted(put.items(), key=lambda item: item[1]):
        sequence.insert(place - 1, name)
    assert sequence == list(new)
