"""Costs over time as straight pieces on whole seconds; all arithmetic is exact.

A piece (first, last, value, slope) holds `value + slope * (t - first)` for the whole
seconds from `first` to `last`. A function is a list of pieces in order, which do not
overlap; between and beyond them it is infinite, which is to say forbidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Piece = tuple[int, int, int, int]
Pieces = list[Piece]
Soft = tuple[int, int, int, int]
"""A soft window: first and last second, milli a second before and after."""

HORIZON_S = 1 << 30
"""Functions live between minus this and this."""


def soft_pieces(softs: Sequence[Soft]) -> Pieces:
    """Draw the cost of a start by the soft window that it misses least; none if free."""
    drawn = [
        [
            (-HORIZON_S, first_s - 1, early * (first_s + HORIZON_S), -early),
            (first_s, last_s, 0, 0),
            (last_s + 1, HORIZON_S, late, late),
        ]
        for first_s, last_s, early, late in softs
    ]
    least: Pieces = drawn[0] if drawn else []
    for one in drawn[1:]:
        least = lower(least, one)
    return least


def shifted(pieces: Sequence[Piece], by_s: int) -> Pieces:
    """Move a function to later times."""
    return [
        (first + by_s, last + by_s, value, slope)
        for first, last, value, slope in pieces
    ]


def added(one: Sequence[Piece], other: Sequence[Piece]) -> Pieces:
    """Add two functions; the sum is finite where both are."""
    total: Pieces = []
    a = b = 0
    while a < len(one) and b < len(other):
        first_a, last_a, value_a, slope_a = one[a]
        first_b, last_b, value_b, slope_b = other[b]
        first, last = max(first_a, first_b), min(last_a, last_b)
        if first <= last:
            value = value_a + slope_a * (first - first_a)
            value += value_b + slope_b * (first - first_b)
            total.append((first, last, value, slope_a + slope_b))
        if last_a <= last_b:
            a += 1
        if last_b <= last_a:
            b += 1
    return total


def restricted(
    pieces: Sequence[Piece], spans: Sequence[tuple[int, int]]
) -> Sequence[Piece]:
    """Forbid what lies outside spans (first, last) that are in order."""
    return added(pieces, [(first, last, 0, 0) for first, last in spans])


def least_so_far(pieces: Sequence[Piece], until_s: int) -> Pieces:
    """Give at each second the least value up to there, on to `until_s`."""
    least: Pieces = []
    floor: int | None = None
    for first, last, value, slope in pieces:
        if floor is not None and least[-1][1] < first - 1:
            _append(least, (least[-1][1] + 1, first - 1, floor, 0))
        lowest = value + min(0, slope) * (last - first)
        if floor is not None and lowest >= floor:
            _append(least, (first, last, floor, 0))
            continue
        if slope >= 0:
            _append(least, (first, last, value, 0))
        else:
            turn = first
            if floor is not None and value >= floor:
                turn += (value - floor) // -slope + 1
                _append(least, (first, turn - 1, floor, 0))
            _append(least, (turn, last, value + slope * (turn - first), slope))
        floor = lowest
    if floor is not None and least[-1][1] < until_s:
        _append(least, (least[-1][1] + 1, until_s, floor, 0))
    return least


def least_from_here(pieces: Sequence[Piece], since_s: int) -> Pieces:
    """Give at each second the least value from there on, back to `since_s`."""
    return mirrored(least_so_far(mirrored(pieces), -since_s))


def mirrored(pieces: Sequence[Piece]) -> Pieces:
    """Turn time round: the value at t becomes that at -t."""
    return [
        (-last, -first, value + slope * (last - first), -slope)
        for first, last, value, slope in reversed(pieces)
    ]


def lower(one: Sequence[Piece], other: Sequence[Piece]) -> Pieces:
    """Give the lower of two functions that are finite at the same times."""
    least: Pieces = []
    for (first, last, value, slope), (_, _, value_b, slope_b) in zip(
        _aligned(one, other), _aligned(other, one), strict=True
    ):
        gap, closing = value - value_b, slope - slope_b
        if (gap <= 0) == (gap + closing * (last - first) <= 0):
            best = (value, slope) if gap <= 0 else (value_b, slope_b)
            least.append((first, last, *best))
            continue
        # The first second at which the other one is below, or no longer below.
        turn = first + (-gap // closing + 1 if gap <= 0 else -(gap // closing))
        early = (value, slope) if gap <= 0 else (value_b, slope_b)
        late = (value_b, slope_b) if gap <= 0 else (value, slope)
        base = late[0] + late[1] * (turn - first)
        least.append((first, turn - 1, *early))
        least.append((turn, last, base, late[1]))
    return least


def _aligned(one: Sequence[Piece], other: Sequence[Piece]) -> Pieces:
    """Cut the pieces of one function where the other's begin or end."""
    return added(one, [(first, last, 0, 0) for first, last, _, _ in other])


def least_at(pieces: Sequence[Piece], until_s: int) -> tuple[int, int] | None:
    """Find the least value up to `until_s` and the first second that has it."""
    best: tuple[int, int] | None = None
    for first, last, value, slope in pieces:
        if first > until_s:
            break
        at_s = min(last, until_s) if slope < 0 else first
        found = value + slope * (at_s - first)
        if best is None or found < best[0]:
            best = (found, at_s)
    return best


def _append(pieces: Pieces, piece: Piece) -> None:
    """Add a piece, joined to a flat one before it at the same height."""
    first, last, value, slope = piece
    if pieces and slope == 0 and pieces[-1][3] == 0 and pieces[-1][2] == value:
        pieces[-1] = (pieces[-1][0], last, value, 0)
    elif first <= last:
        pieces.append(piece)
