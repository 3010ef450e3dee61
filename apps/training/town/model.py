"""What a composed town is made of: frozen dataclasses, no behaviour beyond look-ups."""

import dataclasses
import datetime as dt
import enum
import functools
import json
from dataclasses import dataclass
from typing import Any

from apps.training.town import plane
from apps.training.town.plane import LatLon, Point

COMPOSED = "Composed: an invented town, made from a seed. No real place or person."
"""The label every town, day and file carries."""


class RoadClass(enum.StrEnum):
    """How big a street is."""

    ARTERIAL = "arterial"
    COLLECTOR = "collector"
    LOCAL = "local"


class Building(enum.StrEnum):
    """What stands at an address."""

    HOUSE = "house"
    APARTMENT = "apartment"
    OFFICE = "office"
    SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Node:
    """A junction or the end of a street."""

    number: int
    point: Point
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A piece of street between two nodes, open both ways."""

    number: int
    start: int
    end: int
    street: str
    road_class: RoadClass
    length_m: int
    speed_kmh: int
    is_bridge: bool


@dataclass(frozen=True, slots=True)
class Address:
    """A door where something may be delivered; `offset_m` runs along its edge."""

    number: int
    street: str
    house_number: int
    postcode: str
    lat: float
    lon: float
    building: Building
    floor: int
    has_lift: bool
    zone: str
    edge: int
    offset_m: int

    @property
    def place(self) -> LatLon:
        """Latitude and longitude."""
        return self.lat, self.lon

    @property
    def line(self) -> str:
        """House number and street, as written on a parcel."""
        return f"{self.house_number} {self.street}"


@dataclass(frozen=True, slots=True)
class Area:
    """A named piece of the map; `ring` is closed, its first point not repeated."""

    code: str
    name: str
    ring: tuple[Point, ...]

    def holds(self, place: LatLon) -> bool:
        """Say whether a place lies in it."""
        return plane.inside(plane.to_plane(place), self.ring)

    def geometry(self) -> dict[str, Any]:
        """Return its GeoJSON polygon (RFC 7946: lon, lat; closed; leftwards)."""
        area_2 = sum(
            a[0] * b[1] - a[1] * b[0]
            for a, b in zip(self.ring, (*self.ring[1:], self.ring[0]), strict=True)
        )
        ring = self.ring if area_2 > 0 else self.ring[::-1]
        places = [plane.to_lat_lon(point) for point in (*ring, ring[0])]
        return {
            "type": "Polygon",
            "coordinates": [[[lon, lat] for lat, lon in places]],
        }

    def feature(self) -> dict[str, Any]:
        """Return it as a GeoJSON feature with its code and name."""
        return {
            "type": "Feature",
            "geometry": self.geometry(),
            "properties": {"code": self.code, "name": self.name},
        }


@dataclass(frozen=True, slots=True)
class Zone(Area):
    """One of the parts that cover the town without overlap."""


@dataclass(frozen=True, slots=True)
class DeadZone(Area):
    """A place where no telephone has a signal."""


@dataclass(frozen=True, slots=True)
class Park(Area):
    """A green where no street runs."""


@dataclass(frozen=True, slots=True)
class River:
    """The water that cuts the town; it is crossed on bridges only."""

    name: str
    line: tuple[Point, ...]
    width_m: int


@dataclass(frozen=True, slots=True)
class DepotSite:
    """Where the vans start and end."""

    code: str
    name: str
    street: str
    postcode: str
    lat: float
    lon: float
    node: int

    @property
    def place(self) -> LatLon:
        """Latitude and longitude."""
        return self.lat, self.lon


@dataclass(frozen=True)
class Town:
    """A whole composed town."""

    name: str
    label: str
    seed: int
    region: str
    country: str
    time_zone: str
    centre_lat: float
    centre_lon: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    addresses: tuple[Address, ...]
    zones: tuple[Zone, ...]
    dead_zones: tuple[DeadZone, ...]
    parks: tuple[Park, ...]
    river: River
    depot: DepotSite

    def zone_at(self, place: LatLon) -> Zone | None:
        """Return the zone of a place, or None outside the town."""
        return next((zone for zone in self.zones if zone.holds(place)), None)

    def has_signal(self, place: LatLon) -> bool:
        """Say whether a telephone works at a place."""
        return not any(zone.holds(place) for zone in self.dead_zones)

    def zones_geojson(self) -> dict[str, Any]:
        """Return the zones as a GeoJSON feature collection."""
        return _collection(self.zones)

    def dead_zones_geojson(self) -> dict[str, Any]:
        """Return the dead zones as a GeoJSON feature collection."""
        return _collection(self.dead_zones)

    @functools.cached_property
    def address_by_place(self) -> dict[LatLon, Address]:
        """Addresses by their exact latitude and longitude."""
        return {address.place: address for address in self.addresses}


def _collection(areas: tuple[Area, ...]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [area.feature() for area in areas],
    }


def canonical_json(thing: Any) -> str:
    """Return the one JSON text of a town or a day: sorted keys, no spaces."""
    return json.dumps(
        dataclasses.asdict(thing),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        default=_plain,
    )


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
