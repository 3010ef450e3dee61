"""From sequences of visits to a stated solution: times, distances, costs, reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from apps.routes.solver.resting import AFTER_END
from apps.routes.solver.solution import (
    CostBreakdown,
    Improvement,
    PlacedBreak,
    PlacedReload,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Unserved,
    Visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from apps.routes.solver.schedule import Times
    from apps.routes.solver.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which search made a solution."""

    engine: str
    engine_version: str
    seed: int
    solutions: int
    stopped_by: StoppedBy
    trace: tuple[Improvement, ...] = ()


@dataclass(frozen=True, slots=True)
class TimedRoute:
    """A car's sequence of stops with its times."""

    number: int
    sequence: tuple[int, ...]
    times: Times


class Sequenced(Protocol):
    """A car's sequence, with whatever else."""

    @property
    def number(self) -> int:
        """The car."""
        ...

    @property
    def sequence(self) -> tuple[int, ...]:
        """The stops."""
        ...


def route_distance_m(view: View, number: int, sequence: Sequence[int]) -> int:
    """Add up the distances of a route, the way to its end included."""
    return _along(view, number, sequence, view.cars[number].distances_m)


def route_cost(
    view: View,
    number: int,
    distance_m: int,
    duration_s: int,
    end_s: int,
    *,
    missed_milli: int = 0,
    steps_milli: int = 0,
) -> RouteCost:
    """Price a used route by its distance, duration, overtime, and missed wishes and steps."""
    vehicle, objective = view.cars[number].vehicle, view.problem.objective
    overtime_s = max(0, end_s - vehicle.end_s)
    return RouteCost(
        fixed_milli=vehicle.fixed_cost_milli,
        distance_milli=distance_m
        * vehicle.cost_per_m_milli
        * objective.distance_weight,
        duration_milli=duration_s
        * vehicle.cost_per_s_milli
        * objective.duration_weight,
        overtime_milli=overtime_s
        * vehicle.overtime_cost_per_s_milli
        * objective.duration_weight,
        soft_milli=missed_milli,
        zone_order_milli=steps_milli,
    )


def soft_milli(view: View, sequence: Sequence[int], starts_s: Sequence[int]) -> int:
    """Price the starts of a route's services by their soft windows."""
    if not view.has_softs:
        return 0
    return sum(
        view.soft_milli(stop, start_s)
        for stop, start_s in zip(sequence, starts_s, strict=True)
    )


def plan_route(
    view: View, route: TimedRoute, known: RoutePlan | None = None
) -> RoutePlan:
    """State a timed route with its figures.

    `known` was stated before: visits that both begin with are taken from it.
    """
    car, times = view.cars[route.number], route.times
    distance_m = route_distance_m(view, route.number, route.sequence)
    duration_s = times.end_s - times.departure_s
    missed_milli = soft_milli(view, route.sequence, times.starts_s)
    return RoutePlan(
        vehicle_id=car.vehicle.id,
        departure_s=times.departure_s,
        end_s=times.end_s,
        duration_s=duration_s,
        travel_s=_along(view, route.number, route.sequence, car.durations_s),
        distance_m=distance_m,
        overtime_s=max(0, times.end_s - car.vehicle.end_s),
        visits=tuple(_visits(view, route, known.visits if known else ())),
        breaks=tuple(_breaks(view, route)),
        cost=route_cost(
            view,
            route.number,
            distance_m,
            duration_s,
            times.end_s,
            missed_milli=missed_milli,
            steps_milli=view.steps_milli(route.number, route.sequence),
        ),
        reloads=tuple(_reloads(view, route)),
    )


def assemble(
    view: View,
    routes: Sequence[TimedRoute],
    unserved: Mapping[int, Unserved],
    provenance: Provenance,
) -> Solution:
    """State a whole solution; routes go by vehicle, what is left out by job."""
    used = sorted((one for one in routes if one.sequence), key=lambda one: one.number)
    plans = [(one, plan_route(view, one)) for one in used]
    return state_solution(view, plans, unserved, provenance)


def state_solution(
    view: View,
    plans: Sequence[tuple[Sequenced, RoutePlan]],
    unserved: Mapping[int, Unserved],
    provenance: Provenance,
) -> Solution:
    """State a solution of the used routes, in order of vehicle, each stated already."""
    stated = [plan for _, plan in plans]
    disruption_milli = sum(
        view.disruption_milli(job, route.number)
        for route, _ in plans
        if view.problem.objective.disruption_milli
        for job in route.sequence
        if job < view.job_count
    )
    return Solution(
        routes=tuple(stated),
        unserved=tuple(unserved[job] for job in sorted(unserved)),
        cost=CostBreakdown(
            fixed_milli=sum(plan.cost.fixed_milli for plan in stated),
            distance_milli=sum(plan.cost.distance_milli for plan in stated),
            duration_milli=sum(plan.cost.duration_milli for plan in stated),
            overtime_milli=sum(plan.cost.overtime_milli for plan in stated),
            unserved_milli=sum(view.prize_milli(job) for job in unserved),
            disruption_milli=disruption_milli,
            soft_milli=sum(plan.cost.soft_milli for plan in stated),
            resequence_milli=sum(view.resequence_milli(o.sequence) for o, _ in plans),
            balance_milli=view.balance_milli([plan.duration_s for plan in stated]),
            zone_order_milli=sum(plan.cost.zone_order_milli for plan in stated),
        ),
        engine=provenance.engine,
        engine_version=provenance.engine_version,
        seed=provenance.seed,
        solutions=provenance.solutions,
        stopped_by=provenance.stopped_by,
        trace=provenance.trace,
    )


def _along(
    view: View,
    number: int,
    sequence: Sequence[int],
    rows: Sequence[Sequence[int]],
) -> int:
    vehicle = view.cars[number].vehicle
    total, place = 0, vehicle.start_location
    for job in sequence:
        target = view.locations[job]
        total += rows[place][target]
        place = target
    if vehicle.end_location is not None:
        total += rows[place][vehicle.end_location]
    return total


def _resting_s(view: View, route: TimedRoute) -> list[int]:
    """Add up the rests on arrival at each stop."""
    resting_s = [0] * len(route.sequence)
    rests = view.cars[route.number].rests
    for position, slot in enumerate(route.times.slots):
        if 0 <= slot < AFTER_END and slot % 2:
            resting_s[slot // 2] += rests[position].duration_s
    return resting_s


def _visits(view: View, route: TimedRoute, known: Sequence[Visit]) -> Iterator[Visit]:
    times, jobs = route.times, view.jobs
    resting_s = _resting_s(view, route)
    rows = zip(times.arrivals_s, times.starts_s, times.finishes_s, strict=True)
    following = iter(known)
    for job, rest_s, (arrival_s, start_s, departure_s) in zip(
        route.sequence, resting_s, rows, strict=True
    ):
        if job >= view.job_count:
            continue
        wait_s = start_s - arrival_s - rest_s
        old = next(following, None)
        if old is not None:
            if (
                old.arrival_s == arrival_s
                and old.departure_s == departure_s
                and old.wait_s == wait_s
                and old.start_s == start_s
                and old.job_id == jobs[job].id
            ):
                yield old
                continue
            following = iter(())
        yield Visit(
            job_id=jobs[job].id,
            arrival_s=arrival_s,
            wait_s=wait_s,
            start_s=start_s,
            departure_s=departure_s,
        )


def _reloads(view: View, route: TimedRoute) -> list[PlacedReload]:
    times = route.times
    return [
        PlacedReload(
            after_visits=_visits_before(view, route, leg),
            location=view.locations[stop],
            arrival_s=times.arrivals_s[leg],
            start_s=times.starts_s[leg],
            departure_s=times.finishes_s[leg],
        )
        for leg, stop in enumerate(route.sequence)
        if stop >= view.job_count
    ]


def _visits_before(view: View, route: TimedRoute, leg: int) -> int:
    """Count the visits among the stops before a leg's end."""
    return sum(stop < view.job_count for stop in route.sequence[:leg])


def _breaks(view: View, route: TimedRoute) -> list[PlacedBreak]:
    rests = view.cars[route.number].rests
    placed = [
        PlacedBreak(
            break_index=rests[position].index,
            after_visits=_visits_before(view, route, slot // 2),
            on_arrival=bool(slot % 2),
            start_s=start_s,
            end_s=start_s + rests[position].duration_s,
            at_reload=_is_reload(view, route, slot // 2 - 1 + slot % 2),
        )
        for position, (slot, start_s) in enumerate(
            zip(route.times.slots, route.times.rests_s, strict=True)
        )
        if start_s is not None
    ]
    return sorted(placed, key=lambda one: (one.start_s, one.break_index))


def _is_reload(view: View, route: TimedRoute, leg: int) -> bool:
    """Say whether a leg ends where the car loads again; leg -1 is the start."""
    on_route = 0 <= leg < len(route.sequence)
    return on_route and route.sequence[leg] >= view.job_count
