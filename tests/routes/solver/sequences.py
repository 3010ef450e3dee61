"""Plans that say nothing but who visits what in which order."""

from collections.abc import Mapping, Sequence

from apps.routes.solver.solution import (
    CostBreakdown,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Visit,
)

FREE = RouteCost(fixed_milli=0, distance_milli=0, duration_milli=0, overtime_milli=0)
NOTHING = CostBreakdown(
    fixed_milli=0,
    distance_milli=0,
    duration_milli=0,
    overtime_milli=0,
    unserved_milli=0,
    disruption_milli=0,
)


def plan_of(sequences: Mapping[str, Sequence[str]]) -> Solution:
    """Write sequences of job ids by vehicle as a warm start."""
    routes = tuple(
        RoutePlan(
            vehicle_id=vehicle_id,
            departure_s=0,
            end_s=0,
            duration_s=0,
            travel_s=0,
            distance_m=0,
            overtime_s=0,
            visits=tuple(
                Visit(job_id=one, arrival_s=0, wait_s=0, start_s=0, departure_s=0)
                for one in job_ids
            ),
            breaks=(),
            cost=FREE,
        )
        for vehicle_id, job_ids in sequences.items()
        if job_ids
    )
    return Solution(
        routes=routes,
        unserved=(),
        cost=NOTHING,
        engine="present",
        engine_version="1",
        seed=0,
        solutions=0,
        stopped_by=StoppedBy.EXHAUSTED,
    )
