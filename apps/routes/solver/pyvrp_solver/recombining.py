"""The best of two plans, district by district.

Two plans of a day differ in some of their routes. Those fall apart into districts: the
fewest routes of either that serve the same stops. Of each district the cheaper side is
taken, so that a search that is ahead in one place and behind in another keeps what
it has gained. It is the partition crossover of Whitley, Hains and Howe (2009), with routes
in place of edges.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pyvrp import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyvrp import ProblemData, Route

Key = tuple[int, ...]
"""What routes differ in, nearly always, and what is quickly asked for."""


class _Read(NamedTuple):
    """A route, and the clients and shipments in it: those below zero are shipments."""

    route: Route
    stops: frozenset[int]


class _District(NamedTuple):
    """Routes of either plan that serve the same stops, and what the other's save."""

    mine: tuple[Route, ...]
    theirs: tuple[Route, ...]
    gain_milli: int


class Recombining:
    """Combines plans of the same data; it remembers the routes of those it saw last."""

    def __init__(self, data: ProblemData) -> None:
        """Begin without any plan."""
        self.data = data
        self.known: dict[Key, _Read] = {}

    def combine(self, best: Solution, other: Solution) -> Solution | None:
        """Take what is cheaper in `other` over into `best`, which keeps all rules.

        None where nothing is. Districts are taken in order of their gain, as far as there
        are cars enough of each kind.
        """
        mine, theirs = _keyed(best), _keyed(other)
        left, right = _without(mine, theirs), _without(theirs, mine)
        if not left or not right:
            return None
        reads = [self._read(*one) for one in left], [self._read(*one) for one in right]
        self.known = {
            key: read
            for side, found in zip((left, right), reads, strict=True)
            for (key, _), read in zip(side, found, strict=True)
        }
        free = Counter(
            {
                kind: one.num_available
                for kind, one in enumerate(self.data.vehicle_types())
            }
        )
        free.subtract(route.vehicle_type() for _, route in mine)
        gone, come = _taken(_districts(*reads), free)
        if not come:
            return None
        lost = {id(route) for route in gone}
        kept = [route for _, route in mine if id(route) not in lost]
        return Solution(self.data, [*kept, *come])

    def _read(self, key: Key, route: Route) -> _Read:
        """Read a route's stops, once while it stays in the plans that are compared.

        The route itself is the present one: a route keeps its whole plan in memory.
        """
        known = self.known.get(key)
        if known is not None and known.route == route:
            return _Read(route, known.stops)
        stops = frozenset(
            -1 - one.idx if one.is_shipment() else one.idx
            for one in route.schedule()
            if not one.is_depot()
        )
        return _Read(route, stops)


def _keyed(plan: Solution) -> list[tuple[Key, Route]]:
    return [
        (
            (
                one.vehicle_type(),
                one.distance(),
                one.duration(),
                one.start_time(),
                one.slack(),
                one.num_clients(),
                *one.delivery(),
            ),
            one,
        )
        for one in plan.routes()
    ]


def _without(
    plan: Sequence[tuple[Key, Route]], other: Sequence[tuple[Key, Route]]
) -> list[tuple[Key, Route]]:
    """List the routes of a plan that the other one lacks."""
    known = dict(other)
    return [(key, one) for key, one in plan if known.get(key) != one]


def _districts(mine: Sequence[_Read], theirs: Sequence[_Read]) -> Iterator[_District]:
    """Part routes into districts, from those that share a stop; uneven ones left out."""
    reads = [*mine, *theirs]
    parents = list(range(len(reads)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    owner: dict[int, int] = {}
    for place, read in enumerate(reads):
        for stop in read.stops:
            parents[root(place)] = root(owner.setdefault(stop, place))
    groups: dict[int, list[int]] = {}
    for place in range(len(reads)):
        groups.setdefault(root(place), []).append(place)
    for group in groups.values():
        left = [reads[place] for place in group if place < len(mine)]
        right = [reads[place] for place in group if place >= len(mine)]
        if _served(left) == _served(right):
            yield _District(
                tuple(one.route for one in left),
                tuple(one.route for one in right),
                sum(_cost_milli(one.route) for one in left)
                - sum(_cost_milli(one.route) for one in right),
            )


def _served(reads: Sequence[_Read]) -> frozenset[int]:
    return frozenset[int]().union(*(one.stops for one in reads))


def _cost_milli(route: Route) -> int:
    """Price a route as the search does, but for prizes, which both sides collect."""
    moving_milli = route.distance_cost() + route.duration_cost()
    return route.fixed_vehicle_cost() + moving_milli


def _taken(
    districts: Iterator[_District], free: Counter[int]
) -> tuple[list[Route], list[Route]]:
    """Choose whose routes give way to which, the greatest gain first.

    The other's must keep all rules, and there must be a free car for each.
    """
    gone: list[Route] = []
    come: list[Route] = []
    for one in sorted(districts, key=lambda district: -district.gain_milli):
        if one.gain_milli <= 0 or not all(route.is_feasible() for route in one.theirs):
            continue
        needed = Counter(route.vehicle_type() for route in one.theirs)
        needed.subtract(route.vehicle_type() for route in one.mine)
        if all(free[kind] >= count for kind, count in needed.items()):
            free.subtract(needed)
            gone += one.mine
            come += one.theirs
    return gone, come
