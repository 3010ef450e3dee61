"""Road networks on this machine: where they lie, which version counts. Pure.

A network is a directory: `bases/` holds what was built of an extract and is never
changed, `versions/` what engines open, and `network.json` says which version counts. That
file is replaced in one step, so a running engine sees the old network or the new one.
"""

import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from apps.core.units import Point
from apps.routes.gateways.base import RoadsFailed

STEM = "roads.osrm"
ABOUT = "network.json"
NEAR_DEGREES = 0.01
"""So far beyond its outermost node a network still answers: some kilometre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The rectangle of degrees that holds a network's nodes."""

    south: float
    west: float
    north: float
    east: float

    def holds(self, point: Point) -> bool:
        """Tell whether a point lies inside, or near."""
        return (
            self.south - NEAR_DEGREES <= point.lat <= self.north + NEAR_DEGREES
            and self.west - NEAR_DEGREES <= point.lon <= self.east + NEAR_DEGREES
        )

    @property
    def size(self) -> float:
        """Return the area in square degrees, to tell a small network from a large."""
        return (self.north - self.south) * (self.east - self.west)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network, in the version that counts."""

    name: str
    version: str
    base: str
    profile: str
    extract: str
    built_at: str
    bounds: Bounds
    speeds: int = 0
    """Segments whose speed was given anew, of a file of live traffic."""

    def opened_from(self, root: Path) -> Path:
        """Return the path that the engine opens."""
        return root / self.name / "versions" / self.version / STEM


def read_network(root: Path, name: str) -> Network:
    """Return a network as it is now.

    Raises:
        RoadsFailed: there is none of this name, or its description is broken.
    """
    path = root / name / ABOUT
    try:
        about = json.loads(path.read_text())
        return Network(**{**about, "bounds": Bounds(**about["bounds"])})
    except FileNotFoundError:
        known = ", ".join(names_in(root)) or "none"
        raise RoadsFailed(
            f"There is no road network {name!r} (there are: {known}): build it with"
            f" `manage.py build_roads FILE.osm.pbf --name {name}`"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RoadsFailed(f"{path} cannot be read: {error}; build it again") from error


def publish(root: Path, network: Network) -> None:
    """Let a version count from now on, in one step."""
    path = root / network.name / ABOUT
    fresh = path.with_name(f".{ABOUT}-{os.getpid()}")
    fresh.write_text(json.dumps(asdict(network), indent=1))
    fresh.replace(path)


def names_in(root: Path) -> list[str]:
    """Return the names of all networks."""
    return sorted(path.parent.name for path in root.glob(f"*/{ABOUT}"))


def network_for(root: Path, name: str, points: Sequence[Point]) -> Network:
    """Return the network that answers for these points.

    It is the one of this name; without a name, the smallest that holds most of them.

    Raises:
        RoadsFailed: no network holds at least half of the points.
    """
    found = [read_network(root, each) for each in ([name] if name else names_in(root))]
    if not found:
        raise RoadsFailed(
            "There is no road network yet: build one with `manage.py build_roads"
            " FILE.osm.pbf`"
        )
    for network in sorted(found, key=lambda network: network.bounds.size):
        inside = sum(network.bounds.holds(point) for point in points)
        if inside * 2 >= len(points):
            return network
    known = ", ".join(network.name for network in found)
    raise RoadsFailed(
        f"Most of these {len(points)} places lie outside of the road network ({known}):"
        " build one of their region with `manage.py build_roads`"
    )


def bounds_of(path: Path) -> Bounds:
    """Return what a built network covers, of its file of nodes.

    The file is an archive of OSRM's: pairs of 32 bits, longitude first, in millionths.

    Raises:
        RoadsFailed: the file is not as this version of OSRM writes it.
    """
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("/common/nbn_data/coordinates")
            raw = member.read() if member else b""
    except (OSError, KeyError, tarfile.TarError) as error:
        raise RoadsFailed(f"{path} is not a file of OSRM's nodes: {error}") from error
    degrees = np.frombuffer(raw, dtype="<i4").reshape(-1, 2) / 1e6
    if not len(degrees):
        raise RoadsFailed(f"{path} holds no node")
    (west, south), (east, north) = degrees.min(axis=0), degrees.max(axis=0)
    return Bounds(
        south=float(south), west=float(west), north=float(north), east=float(east)
    )
