"""Whether a route was driven as it was recommended, and what differed. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TOLERATED_PERCENT: Final = 10
"""So many of a route's stops may come in another place before it was not followed.

A driver who takes one of ten stops on the way to another follows the plan.
"""

MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Driven:
    """One recommended route: its orders as planned, and as they were served.

    `served` holds those of `planned` that this driver visited, in the order of the
    visits; `elsewhere` those that another driver did. The rest nobody visited.
    """

    planned: tuple[str, ...]
    served: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """A stop that was served in another place than planned; places count from 1."""

    order_id: str
    planned: int
    served: int


@dataclass(frozen=True, slots=True)
class Adherence:
    """What differed, over all routes of a recommendation."""

    stops: int
    served: int
    out_of_order: int
    elsewhere: int
    not_served: int
    moved: tuple[Moved, ...]
    is_followed: bool

    @property
    def text(self) -> str:
        """What became of it, in a sentence."""
        if not self.served:
            return "Nobody drove it."
        parts = [f"{self.served} of {self.stops} stops served"]
        if self.out_of_order:
            parts.append(f"{self.out_of_order} in another place than planned")
        if self.elsewhere:
            parts.append(f"{self.elsewhere} by another driver")
        if self.not_served:
            parts.append(f"{self.not_served} not visited")
        if len(parts) == 1:
            parts.append("in the order of the plan")
        return ", ".join(parts) + "."


def adherence(routes: Sequence[Driven]) -> Adherence:
    """Judge the routes of one recommendation together.

    Out of order are the fewest stops that have to be taken away so that the rest comes
    in the plan's order (all less the longest increasing run).
    """
    moved: list[Moved] = []
    out_of_order, within = 0, True
    for route in routes:
        mine = _moved(route)
        moved += mine
        out_of_order += len(mine)
        tolerated = max(1, len(route.served) * TOLERATED_PERCENT // 100)
        within &= len(mine) <= tolerated if len(route.served) > 2 else not mine
    stops = sum(len(route.planned) for route in routes)
    served = sum(len(route.served) for route in routes)
    elsewhere = sum(len(route.elsewhere) for route in routes)
    not_served = stops - served - elsewhere
    return Adherence(
        stops=stops,
        served=served,
        out_of_order=out_of_order,
        elsewhere=elsewhere,
        not_served=not_served,
        moved=tuple(moved[:MOST_NAMED]),
        is_followed=within and not elsewhere and not not_served,
    )


def _moved(route: Driven) -> list[Moved]:
    place = {order_id: at for at, order_id in enumerate(route.planned, 1)}
    places = [place[order_id] for order_id in route.served]
    kept = _longest_increasing(places)
    return [
        Moved(order_id, place[order_id], at)
        for at, order_id in enumerate(route.served, 1)
        if place[order_id] not in kept
    ]


def _longest_increasing(places: Sequence[int]) -> set[int]:
    """Return one longest increasing run of distinct numbers (patience sorting)."""
    tops: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tops, place)
        before[place] = tops[at - 1] if at else None
        tops[at : at + 1] = [place]
    run: set[int] = set()
    last = tops[-1] if tops else None
    while last is not None:
        run.add(last)
        last = before[last]
    return run
