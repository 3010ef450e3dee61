"""What things of a part are worth, about: what steers a search is given as multiples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.pyvrp_solver.layout import FORBIDDEN_MILLI

if TYPE_CHECKING:
    from apps.routes.solver.pyvrp_solver.layout import Integers
    from apps.routes.solver.pyvrp_solver.model import Model

NEAREST = 10
"""Jobs that count as near to one."""


@dataclass(frozen=True, slots=True)
class Worths:
    """Costs in milli: of a unit of load, by dimension, and a second; of a near way.

    A near way is the mean from a job to its nearest. A unit of load is taken to be worth
    an average arc by an average demand.
    """

    excesses_milli: tuple[float, ...]
    near_milli: float


def find_worths(model: Model) -> Worths:
    """Look at the first profile and the first vehicle type of a part."""
    costs: Integers = np.asarray(model.data.distance_matrix(0), np.int64)
    travel: Integers = np.asarray(model.data.duration_matrix(0), np.int64)
    rate_milli = model.data.vehicle_type(0).unit_duration_cost
    return Worths(
        excesses_milli=_excesses_milli(model, costs, travel, rate_milli),
        near_milli=_near_milli(model, costs, travel, rate_milli),
    )


def _excesses_milli(
    model: Model, costs: Integers, travel: Integers, rate_milli: int
) -> tuple[float, ...]:
    allowed = costs < FORBIDDEN_MILLI
    arc_s = max(1.0, float(travel[allowed].mean()))
    arc_milli = float(costs[allowed].mean()) + rate_milli * arc_s
    demands = np.array([model.view.jobs[job].demands for job in model.part.jobs])
    loads = [max(1.0, demand) for demand in demands.mean(axis=0).tolist()]
    return (*(arc_milli / load for load in loads), max(1.0, arc_milli / arc_s))


def _near_milli(
    model: Model, costs: Integers, travel: Integers, rate_milli: int
) -> float:
    """Average over all jobs; services that are on the arcs are no way."""
    layout, jobs = model.layout, model.layout.job_count
    ways_s = travel[:jobs, :jobs]
    if layout.folds_service:
        ways_s = ways_s - layout.services_s[0][:, None]
    ways_milli = np.where(
        costs[:jobs, :jobs] < FORBIDDEN_MILLI,
        costs[:jobs, :jobs] + ways_s * rate_milli,
        FORBIDDEN_MILLI,
    )
    np.fill_diagonal(ways_milli, FORBIDDEN_MILLI)
    ways_milli.partition(min(NEAREST, jobs) - 1, axis=1)
    near = ways_milli[:, :NEAREST]
    allowed = near[near < FORBIDDEN_MILLI]
    return max(0.0, float(allowed.mean())) if allowed.size else 0.0
