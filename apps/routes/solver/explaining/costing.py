"""What a plan costs by part, route by route, in money that adds up.

Time is one part of an engine's cost; here it is told apart into driving, service,
breaks and waiting, in proportion to their seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.standing import MILLI, cost_parts
from apps.routes.solver.solution import RouteCost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.routes.solver.solution import CostBreakdown, RoutePlan, Solution

TIMES = ("driving", "service", "breaks", "waiting")
"""The parts of `duration`, which makes them up."""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Minor units of money by route and part; rows and columns add up exactly.

    `vehicle_ids` names the rows; what belongs to no route (orders left out, stops that
    change their driver) is in `plan`, which adds to the routes' sums part by part.
    """

    parts: tuple[str, ...]
    vehicle_ids: tuple[str, ...]
    routes: tuple[tuple[int, ...], ...]
    plan: tuple[int, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """The whole plan's cost by part."""
        return tuple(
            whole + sum(row[column] for row in self.routes)
            for column, whole in enumerate(self.plan)
        )

    @property
    def total_minor(self) -> int:
        """The whole plan's cost."""
        return sum(self.totals)


def cost_table(solution: Solution) -> CostTable:
    """Break a plan's stated cost down by route and part."""
    rows = [_route_parts(route) for route in solution.routes]
    whole = _plan_parts(solution.cost, rows)
    names = list(dict.fromkeys(name for row in [*rows, whole] for name in row))
    sums = [
        whole.get(name, 0) + sum(row.get(name, 0) for row in rows) for name in names
    ]
    columns = [
        shares([row.get(name, 0) for row in rows] + [whole.get(name, 0)], minor)
        for name, minor in zip(
            names, shares(sums, round(sum(sums) / 1000)), strict=True
        )
    ]
    return CostTable(
        parts=tuple(names),
        vehicle_ids=tuple(route.vehicle_id for route in solution.routes),
        routes=tuple(
            tuple(column[number] for column in columns) for number in range(len(rows))
        ),
        plan=tuple(column[-1] for column in columns),
    )


def _route_parts(route: RoutePlan) -> dict[str, int]:
    parts = {
        item.name.removesuffix(MILLI): int(getattr(route.cost, item.name))
        for item in fields(RouteCost)
        if item.name.endswith(MILLI)
    }
    return _with_times(parts, route)


def _with_times(parts: Mapping[str, int], route: RoutePlan) -> dict[str, int]:
    """Tell the cost of time apart; the seconds of a route add up to its duration."""
    found: dict[str, int] = {}
    for name, milli in parts.items():
        if name != "duration":
            found[name] = milli
            continue
        service_s = sum(visit.departure_s - visit.start_s for visit in route.visits)
        breaks_s = sum(one.end_s - one.start_s for one in route.breaks)
        seconds = [route.travel_s, service_s, breaks_s]
        rate = milli // route.duration_s if route.duration_s else 0
        told = [rate * one for one in seconds]
        found |= dict(zip(TIMES, [*told, milli - sum(told)], strict=True))
    return found


def _plan_parts(
    cost: CostBreakdown, rows: Sequence[Mapping[str, int]]
) -> dict[str, int]:
    """Return what of the plan's cost is on no route."""
    left: dict[str, int] = {}
    for name, milli in cost_parts(cost).items():
        own = TIMES if name == "duration" else (name,)
        routed = sum(row.get(part, 0) for row in rows for part in own)
        if milli != routed:
            left[name] = milli - routed
    return left


def shares(parts_milli: Sequence[int], whole_minor: int) -> tuple[int, ...]:
    """Round thousandths to units that add up to a whole, by the largest remainders.

    The whole must be the sum rounded down or up; then no part is off by a unit or more.
    """
    floors = [part // 1000 for part in parts_milli]
    missing = whole_minor - sum(floors)
    order = sorted(
        range(len(floors)), key=lambda one: (-(parts_milli[one] % 1000), one)
    )
    for one in order[:missing]:
        floors[one] += 1
    return tuple(floors)


def change_minor(parts_milli: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Round the parts of a difference so that they add up to the rounded difference."""
    values = [milli for _, milli in parts_milli]
    rounded = shares(values, round(sum(values) / 1000))
    return tuple(
        (name, minor) for (name, _), minor in zip(parts_milli, rounded, strict=True)
    )
