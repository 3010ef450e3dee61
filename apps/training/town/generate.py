"""`make_town`: one seed, one town, byte for byte, on any machine."""

import functools
import math
import random

from apps.training.town import plane, words
from apps.training.town.chance import stream, weighted
from apps.training.town.layout import Layout, blob, lay_out
from apps.training.town.model import (
    COMPOSED,
    Address,
    Building,
    DeadZone,
    DepotSite,
    Edge,
    RoadClass,
    Town,
    Zone,
)
from apps.training.town.network import Streets, build_streets
from apps.training.town.plane import Point

REGION, COUNTRY, TIME_ZONE = "NY", "US", "America/New_York"
POSTCODE_STEM = "1300"
"""The town's postcodes are 13001 to 13009: the zone's number is the last digit."""

_BUILDINGS: dict[str, tuple[tuple[Building, float], ...]] = {
    "C": (
        (Building.APARTMENT, 0.44),
        (Building.HOUSE, 0.14),
        (Building.SHOP, 0.22),
        (Building.OFFICE, 0.20),
    ),
    "I": (
        (Building.APARTMENT, 0.27),
        (Building.HOUSE, 0.58),
        (Building.SHOP, 0.08),
        (Building.OFFICE, 0.07),
    ),
    "O": (
        (Building.APARTMENT, 0.07),
        (Building.HOUSE, 0.85),
        (Building.SHOP, 0.03),
        (Building.OFFICE, 0.05),
    ),
}
_DENSITY = {"C": 2.2, "I": 1.0, "O": 0.55}
_SETBACK_M = 14


@functools.lru_cache(maxsize=4)
def make_town(seed: int = 7, *, addresses: int = 3_000) -> Town:
    """Make the town of a seed; asking again gives the same object."""
    layout = lay_out(seed)
    streets = build_streets(seed, layout)
    homes = _addresses(seed, layout, streets, addresses)
    river = layout.river.name.removesuffix(" River")
    ending = stream(seed, "name").choice(words.TOWN_ENDINGS)
    return Town(
        name=f"{river}{ending}",
        label=COMPOSED,
        seed=seed,
        region=REGION,
        country=COUNTRY,
        time_zone=TIME_ZONE,
        centre_lat=plane.CENTRE[0],
        centre_lon=plane.CENTRE[1],
        nodes=streets.nodes,
        edges=streets.edges,
        addresses=homes,
        zones=layout.zones,
        dead_zones=_dead_zones(seed, layout, homes),
        parks=layout.parks,
        river=layout.river,
        depot=_depot(layout, streets),
    )


def _addresses(
    seed: int, layout: Layout, streets: Streets, count: int
) -> tuple[Address, ...]:
    """Spread doors along the streets, denser towards the middle."""
    rng = stream(seed, "addresses")
    weights = [_doors_weight(layout, streets, edge) for edge in streets.edges]
    step = math.fsum(weights) / count
    drafts: list[tuple[Edge, int, int, Point, Zone]] = []
    owed = rng.random() * step
    for edge, weight in zip(streets.edges, weights, strict=True):
        owed += weight
        doors, owed = divmod(owed, step)
        for door in range(int(doors)):
            share = (door + rng.uniform(0.15, 0.85)) / doors
            side = rng.choice((-1, 1))
            offset_m = min(edge.length_m, max(0, round(share * edge.length_m)))
            point = _beside(streets, edge, offset_m, side)
            zone = next((z for z in layout.zones if plane.inside(point, z.ring)), None)
            if zone is not None:
                drafts.append((edge, offset_m, side, point, zone))
    return _numbered(rng, layout, drafts)


def _doors_weight(layout: Layout, streets: Streets, edge: Edge) -> float:
    if edge.is_bridge:
        return 0.0
    middle = _beside(streets, edge, edge.length_m // 2, 0)
    zone = next((z for z in layout.zones if plane.inside(middle, z.ring)), None)
    if zone is None:
        return 0.0
    outskirts = edge.road_class is RoadClass.ARTERIAL and zone.code[0] == "O"
    return edge.length_m * _DENSITY[zone.code[0]] * (0.4 if outskirts else 1.0)


def _beside(streets: Streets, edge: Edge, offset_m: int, side: int) -> Point:
    a, b = streets.nodes[edge.start].point, streets.nodes[edge.end].point
    share = offset_m / edge.length_m
    run, rise = (b[0] - a[0]) / edge.length_m, (b[1] - a[1]) / edge.length_m
    return (
        round(a[0] + share * (b[0] - a[0]) - side * _SETBACK_M * rise),
        round(a[1] + share * (b[1] - a[1]) + side * _SETBACK_M * run),
    )


def _numbered(
    rng: random.Random,
    layout: Layout,
    drafts: list[tuple[Edge, int, int, Point, Zone]],
) -> tuple[Address, ...]:
    """Number the houses along each street: odd on one side, even on the other."""
    by_street: dict[str, list[tuple[Edge, int, int, Point, Zone]]] = {}
    for draft in drafts:
        by_street.setdefault(draft[0].street, []).append(draft)
    zone_digit = {zone.code: index + 1 for index, zone in enumerate(layout.zones)}
    taken: set[Point] = set()
    addresses: list[Address] = []
    for street in sorted(by_street):
        numbers = {1: 1, -1: 2}
        for edge, offset_m, side, point, zone in _along(street, by_street[street]):
            if point in taken:
                continue
            taken.add(point)
            building = weighted(rng, _BUILDINGS[zone.code[0]])
            floor, has_lift = _floor(rng, building, zone)
            lat, lon = plane.to_lat_lon(point)
            addresses.append(
                Address(
                    number=len(addresses),
                    street=street,
                    house_number=numbers[side],
                    postcode=f"{POSTCODE_STEM}{zone_digit[zone.code]}",
                    lat=lat,
                    lon=lon,
                    building=building,
                    floor=floor,
                    has_lift=has_lift,
                    zone=zone.code,
                    edge=edge.number,
                    offset_m=offset_m,
                )
            )
            numbers[side] += 2 * rng.choice((1, 1, 1, 2, 2, 3))
    return tuple(addresses)


def _along(
    street: str, drafts: list[tuple[Edge, int, int, Point, Zone]]
) -> list[tuple[Edge, int, int, Point, Zone]]:
    """Order a street's doors from one end to the other."""
    if street in (words.INNER_RING, words.OUTER_RING):
        return sorted(drafts, key=lambda d: (math.atan2(d[3][1], d[3][0]), d[3]))
    points = [draft[3] for draft in drafts]
    if street in words.RADIALS:
        return sorted(drafts, key=lambda d: (d[3][0] ** 2 + d[3][1] ** 2, d[3]))
    low, high = min(points), max(points)
    run, rise = high[0] - low[0], high[1] - low[1]
    return sorted(drafts, key=lambda d: (d[3][0] * run + d[3][1] * rise, d[3]))


def _floor(rng: random.Random, building: Building, zone: Zone) -> tuple[int, bool]:
    """Return (floor counted from the ground, whether there is a lift)."""
    if building is Building.APARTMENT:
        top = 6 if zone.code == "C" else 4
        floor = rng.randint(0, top)
        return floor, rng.random() < (0.6 if zone.code == "C" else 0.35)
    if building is Building.OFFICE:
        return rng.choice((0, 0, 1, 2, 3)), True
    return 0, False


def _dead_zones(
    seed: int, layout: Layout, addresses: tuple[Address, ...]
) -> tuple[DeadZone, ...]:
    """Put three holes into the telephone network, each with doors in it."""
    rng = stream(seed, "dead zones")
    depot = layout.arcs[1][0][0]

    def middle(letter: str, low_m: int, high_m: int) -> Point:
        points = [plane.to_plane(a.place) for a in addresses if a.zone[0] == letter]
        fit = [
            point
            for point in points
            if low_m < plane.to_line_m(point, layout.river.line) < high_m
            and plane.distance_m(point, depot) > 1_500
        ]
        return rng.choice(fit or points)

    return (
        DeadZone(
            "D1", "Market underground car park", blob(rng, middle("C", 0, 9_999), 230)
        ),
        DeadZone("D2", "The river valley", blob(rng, middle("O", 0, 600), 620)),
        DeadZone("D3", "Old quarry", blob(rng, middle("O", 1_800, 9_999), 560)),
    )


def _depot(layout: Layout, streets: Streets) -> DepotSite:
    """Place the depot where the first spoke meets the outer ring."""
    corner = layout.arcs[1][0][0]
    node = min(
        streets.nodes, key=lambda n: (plane.distance_m(n.point, corner), n.number)
    )
    return DepotSite(
        code="EAST",
        name="East depot",
        street=f"1 {words.OUTER_RING}",
        postcode=f"{POSTCODE_STEM}2",
        lat=node.lat,
        lon=node.lon,
        node=node.number,
    )
