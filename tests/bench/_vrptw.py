"""Vehicle routing instances with time windows, and the best known solutions of them.

Read are Solomon's text (Gehring and Homberger use it too) and the VRPLIB format, which
are told apart by their content. Costs follow the DIMACS challenge of 2021: the distance
of two places is Euclidean, cut to one decimal, and is the travel time as well. Engines
therefore get everything in tenths, as whole numbers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.routes.solver.problem import Job, Matrix, Problem, TimeWindow, Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TENTHS = 10
"""Engines' units in one unit of an instance."""

SUFFIXES = (".txt", ".vrp", ".vrptw", ".sd")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class NotAnInstance(ValueError):
    """The file is in none of the formats, or it lacks a part; the message says which."""


@dataclass(frozen=True, slots=True)
class Place:
    """A customer, or the depot: all in the units of the file."""

    x: float
    y: float
    demand: int
    ready: float
    due: float
    service: float


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem as it stands in its file; the depot is the first place.

    `weights`, where the file has them, are the distances; else they are Euclidean.
    """

    name: str
    vehicles: int
    capacity: int
    places: tuple[Place, ...]
    weights: NDArray[np.float64] | None = field(default=None, compare=False)

    @property
    def customers(self) -> int:
        """Count the customers."""
        return len(self.places) - 1

    def distances(self) -> NDArray[np.int64]:
        """Return the distances in tenths, cut, not rounded."""
        if self.weights is not None:
            return tenths(self.weights)
        at = np.array([(place.x, place.y) for place in self.places])
        apart = at[:, None, :] - at[None, :, :]
        return tenths(np.hypot(apart[..., 0], apart[..., 1]))

    def problem(self) -> Problem:
        """Return it as a day: every vehicle may go, and only the metres cost."""
        depot, *customers = self.places
        distances = self.distances()
        return Problem(
            origin_at="2026-01-01T00:00:00Z",
            location_count=len(self.places),
            matrices=(Matrix(durations_s=distances, distances_m=distances),),  # type: ignore[arg-type]
            vehicles=tuple(
                Vehicle(
                    id=f"vehicle-{number}",
                    start_location=0,
                    end_location=0,
                    start_s=_tenth(depot.ready),
                    end_s=_tenth(depot.due),
                    capacities=(self.capacity,),
                    cost_per_m_milli=1,
                    cost_per_s_milli=0,
                    overtime_cost_per_s_milli=0,
                )
                for number in range(self.vehicles)
            ),
            jobs=tuple(
                Job(
                    id=str(number),
                    location=number,
                    service_s=_tenth(place.service),
                    windows=(
                        TimeWindow(start_s=_tenth(place.ready), end_s=_last(place)),
                    ),
                    demands=(place.demand,),
                )
                for number, place in enumerate(customers, 1)
            ),
            dimensions=("units",),
        )


def tenths(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cut to one decimal and count in tenths.

    A hair is added first, as 10 × 0.3 is below 3 in binary.
    """
    cut: NDArray[np.int64] = np.floor(TENTHS * values + 1e-9).astype(np.int64)
    return cut


def _tenth(value: float) -> int:
    return round(TENTHS * value)


def _last(place: Place) -> int:
    """Return the end of a half-open window in which service may begin at `due`."""
    return _tenth(place.due) + 1


def judged_cost(instance: Instance, routes: Iterable[Sequence[int]]) -> float:
    """Drive routes of customers and return their cost in the units of the file.

    Raises:
        ValueError: one breaks a rule of the instance; the message says which.
    """
    distances, places = instance.distances(), instance.places
    routes = [list(route) for route in routes if route]
    served = sorted(customer for route in routes for customer in route)
    if served != list(range(1, len(places))):
        raise ValueError("not every customer is served once")
    if len(routes) > instance.vehicles:
        raise ValueError(f"{len(routes)} routes for {instance.vehicles} vehicles")
    cost = 0
    for route in routes:
        if sum(places[one].demand for one in route) > instance.capacity:
            raise ValueError(f"too much load with {route[0]}")
        clock, before = _tenth(places[0].ready), 0
        for one in [*route, 0]:
            cost += int(distances[before, one])
            clock = max(clock + int(distances[before, one]), _tenth(places[one].ready))
            if clock > _tenth(places[one].due):
                raise ValueError(f"late at {one}")
            clock += _tenth(places[one].service)
            before = one
    return cost / TENTHS


def read_instance(path: Path) -> Instance:
    """Read a file in whichever format it is.

    Raises:
        NotAnInstance: it is in none, or lacks a part.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    read = (
        _read_vrplib
        if "NODE_COORD_SECTION" in text
        or re.search(r"^\s*DIMENSION\s*:", text, re.MULTILINE)
        else _read_solomon
    )
    try:
        return read(text, path.stem)
    except (KeyError, IndexError, ValueError) as error:
        raise NotAnInstance(f"{path.name}: {error}") from error


def _read_solomon(text: str, stem: str) -> Instance:
    """Read a name, then two numbers of the fleet, then seven of each customer."""
    rows = [[float(one) for one in NUMBER.findall(line)] for line in _figures(text)]
    fleet = next((row for row in rows if len(row) == 2), None)
    customers = [row for row in rows if len(row) == 7]
    if fleet is None or not customers:
        raise ValueError("neither Solomon's text nor VRPLIB")
    return Instance(
        name=stem,
        vehicles=int(fleet[0]),
        capacity=int(fleet[1]),
        places=tuple(
            Place(x, y, int(demand), ready, due, service)
            for _, x, y, demand, ready, due, service in customers
        ),
    )


def _figures(text: str) -> Iterable[str]:
    """Give the lines that hold nothing but figures."""
    return (
        line
        for line in text.splitlines()
        if line.strip() and not re.search(r"[A-Za-z_]", line)
    )


def _read_vrplib(text: str, stem: str) -> Instance:
    heads, sections = _parts(text)
    coordinates = sections.get("NODE_COORD_SECTION")
    count = int(heads["DIMENSION"])
    demands = sections["DEMAND_SECTION"]
    windows = sections["TIME_WINDOW_SECTION"]
    services = sections.get("SERVICE_TIME_SECTION")
    standard = float(heads.get("SERVICE_TIME", "0"))
    depots = [int(row[0]) for row in sections.get("DEPOT_SECTION", [[1.0]])]
    if [one for one in depots if one > 0] != [1]:
        raise ValueError("its depot is not the first place")
    weights = None
    if coordinates is None:
        flat = [one for row in sections["EDGE_WEIGHT_SECTION"] for one in row]
        if len(flat) != count * count:
            raise ValueError("its edge weights are no full matrix")
        weights = np.array(flat).reshape(count, count)
    places = []
    for node in range(count):
        x, y = coordinates[node][1:3] if coordinates else (0.0, 0.0)
        service = services[node][1] if services else (standard if node else 0.0)
        ready, due = windows[node][1:3]
        places.append(Place(x, y, int(demands[node][1]), ready, due, service))
    return Instance(
        name=stem,
        vehicles=int(heads.get("VEHICLES", count - 1)),
        capacity=int(float(heads["CAPACITY"])),
        places=tuple(places),
        weights=weights,
    )


def _parts(text: str) -> tuple[dict[str, str], dict[str, list[list[float]]]]:
    """Return the lines `NAME : VALUE`, and the rows of figures by section."""
    heads: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    rows: list[list[float]] = []
    for line in text.splitlines():
        word = line.strip().rstrip(":").strip()
        if word.endswith("_SECTION"):
            rows = sections.setdefault(word, [])
        elif ":" in line:
            name, _, value = line.partition(":")
            heads[name.strip()] = value.strip()
        elif word and word != "EOF":
            rows.append([float(one) for one in word.split()])
    return heads, sections


@dataclass(frozen=True, slots=True)
class Named:
    """An instance's file, its name in the table of best known costs, and that cost."""

    path: Path
    name: str
    folder: str
    best_known: float | None


def find_instances(directory: Path) -> list[Named]:
    """List the instances in a directory and those below it, in order of their names.

    Raises:
        NotAnInstance: there are none.
    """
    best_known = read_best_known(directory / "BKS.json")
    found = []
    for path in sorted(directory.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.stem.upper()
        folder = path.parent.relative_to(directory).as_posix()
        if name in best_known or _is_instance(path):
            found.append(Named(path, name, folder, best_known.get(name)))
    if not found:
        raise NotAnInstance(f"{directory}: no instances ({', '.join(SUFFIXES)}) there")
    return found


def _is_instance(path: Path) -> bool:
    try:
        read_instance(path)
    except NotAnInstance:
        return False
    return True


def read_best_known(path: Path) -> dict[str, float]:
    """Return the best known costs by name in capitals; none where there is no file.

    An entry is a cost, or an object with `cost_dimacs` or `cost`.
    """
    if not path.exists():
        return {}
    table: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    costs: dict[str, float] = {}
    for name, entry in table.get("instances", table).items():
        cost = entry
        if isinstance(entry, dict):
            cost = entry.get("cost_dimacs", entry.get("cost"))
        if isinstance(cost, int | float):
            costs[name.upper()] = float(cost)
    return costs
