"""Shortest paths over the town's streets at free flow, found when asked for."""

import heapq
from dataclasses import dataclass, field

from apps.training.town import plane
from apps.training.town.model import Edge, RoadClass, Town
from apps.training.town.plane import LatLon

JUNCTION_MS = {
    RoadClass.ARTERIAL: 3_000,
    RoadClass.COLLECTOR: 5_000,
    RoadClass.LOCAL: 7_000,
}
"""What the junction at the end of a piece of street costs."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place tied to the network: so far along one edge."""

    edge: int
    offset_m: int


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the streets; `metres[i]` is how far `places[i]` is along it."""

    places: tuple[LatLon, ...]
    metres: tuple[int, ...]
    free_flow_ms: int
    bridges: int

    @property
    def distance_m(self) -> int:
        """Length of the whole way."""
        return self.metres[-1]

    def at_share(self, share: float) -> LatLon:
        """Return where one is after this share (0 to 1) of the way."""
        gone_m = min(1.0, max(0.0, share)) * self.distance_m
        for index in range(1, len(self.metres)):
            if gone_m <= self.metres[index]:
                before = self.metres[index - 1]
                span = self.metres[index] - before
                part = (gone_m - before) / span if span else 1.0
                a, b = self.places[index - 1], self.places[index]
                return (
                    round(a[0] + part * (b[0] - a[0]), 6),
                    round(a[1] + part * (b[1] - a[1]), 6),
                )
        return self.places[-1]


@dataclass(slots=True)
class _Search:
    """A shortest-path search from one spot, which goes on as far as it is asked."""

    queue: list[tuple[int, int, int]]
    settled: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Node: (milliseconds from the spot, node before it or -1)."""


class RoadMap:
    """Free-flow ways between places of one town, with the searches kept."""

    def __init__(self, town: Town) -> None:
        """Read the town's streets; no path is found yet."""
        self._town = town
        self._near: list[list[tuple[int, int]]] = [[] for _ in town.nodes]
        self._between: dict[tuple[int, int], Edge] = {}
        for edge in town.edges:
            cost_ms = _crossing_ms(edge, edge.length_m) + JUNCTION_MS[edge.road_class]
            self._near[edge.start].append((edge.end, cost_ms))
            self._near[edge.end].append((edge.start, cost_ms))
            self._between[edge.start, edge.end] = edge
            self._between[edge.end, edge.start] = edge
        self._spots = {a.place: Spot(a.edge, a.offset_m) for a in town.addresses}
        self._searches: dict[Spot, _Search] = {}
        self._paths: dict[tuple[LatLon, LatLon], Path] = {}

    def spot(self, place: LatLon) -> Spot:
        """Return the point of the network nearest to a place."""
        if place not in self._spots:
            point = plane.to_plane(place)
            nodes = self._town.nodes
            (_, share), edge = min(
                (
                    (
                        plane.to_segment_m(
                            point, nodes[e.start].point, nodes[e.end].point
                        ),
                        e,
                    )
                    for e in self._town.edges
                ),
                key=lambda found: (found[0][0], found[1].number),
            )
            self._spots[place] = Spot(edge.number, round(share * edge.length_m))
        return self._spots[place]

    def path(self, origin: LatLon, destination: LatLon) -> Path:
        """Return the quickest free-flow way between two places."""
        key = origin, destination
        if key not in self._paths:
            self._paths[key] = self._find(origin, destination)
        return self._paths[key]

    def _find(self, origin: LatLon, destination: LatLon) -> Path:
        start, end = self.spot(origin), self.spot(destination)
        edge = self._town.edges[end.edge]
        search = self._searches.setdefault(start, self._begin(start))
        ways = [
            (self._settle(search, node) + _crossing_ms(edge, rest_m), node)
            for node, rest_m in _ends(edge, end)
        ]
        cost_ms, last = min(ways)
        if start.edge == end.edge:
            direct_ms = _crossing_ms(edge, abs(start.offset_m - end.offset_m))
            if direct_ms <= cost_ms:
                metres = 0, abs(start.offset_m - end.offset_m)
                return Path((origin, destination), metres, direct_ms, 0)
        nodes = [last]
        while (before := search.settled[nodes[-1]][1]) >= 0:
            nodes.append(before)
        return self._trace(origin, destination, nodes[::-1], cost_ms)

    def _begin(self, start: Spot) -> _Search:
        edge = self._town.edges[start.edge]
        queue = [
            (_crossing_ms(edge, rest_m), node, -1)
            for node, rest_m in _ends(edge, start)
        ]
        heapq.heapify(queue)
        return _Search(queue)

    def _settle(self, search: _Search, node: int) -> int:
        """Go on with a search until a node is settled; return its milliseconds."""
        settled, queue = search.settled, search.queue
        while node not in settled:
            cost_ms, here, before = heapq.heappop(queue)
            if here in settled:
                continue
            settled[here] = cost_ms, before
            for there, step_ms in self._near[here]:
                if there not in settled:
                    heapq.heappush(queue, (cost_ms + step_ms, there, here))
        return settled[node][0]

    def _trace(
        self, origin: LatLon, destination: LatLon, nodes: list[int], cost_ms: int
    ) -> Path:
        start, end = self.spot(origin), self.spot(destination)
        edges = self._town.edges
        places: list[LatLon] = [origin]
        metres = [0]
        bridges = 0
        gone_m = dict(_ends(edges[start.edge], start))[nodes[0]]
        for index, number in enumerate(nodes):
            if index:
                edge = self._between[nodes[index - 1], number]
                gone_m += edge.length_m
                bridges += edge.is_bridge
            node = self._town.nodes[number]
            places.append((node.lat, node.lon))
            metres.append(gone_m)
        places.append(destination)
        metres.append(gone_m + dict(_ends(edges[end.edge], end))[nodes[-1]])
        return Path(tuple(places), tuple(metres), cost_ms, bridges)


def _crossing_ms(edge: Edge, length_m: int) -> int:
    return length_m * 3_600 // edge.speed_kmh


def _ends(edge: Edge, spot: Spot) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return both nodes of a spot's edge with the metres to them."""
    return (
        (edge.start, spot.offset_m),
        (edge.end, max(0, edge.length_m - spot.offset_m)),
    )
