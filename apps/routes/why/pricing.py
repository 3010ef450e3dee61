"""Costs and their differences in words. Pure."""

from collections.abc import Iterator, Mapping

from apps.routes.needs import words_of
from apps.routes.solver.explaining.costing import change_minor, cost_table
from apps.routes.solver.explaining.standing import Change
from apps.routes.solver.explaining.standing import Moved as MovedStop
from apps.routes.solver.judging import Violation
from apps.routes.solver.problem import Job, Problem, Vehicle
from apps.routes.solver.solution import RoutePlan, Solution, Visit
from apps.routes.why.answer import Broken, CostRow, CostTable, Moved, Part, Price
from apps.routes.why.names import (
    Teller,
    added_distance,
    added_minutes,
    listed,
    load,
    minutes,
    sooner_or_later,
)

PARTS: Mapping[str, str] = {
    "fixed": "Vehicles",
    "distance": "Distance",
    "duration": "Time",
    "driving": "Driving",
    "service": "At the doors",
    "breaks": "Breaks",
    "waiting": "Waiting",
    "overtime": "Overtime",
    "soft": "Wishes and told times missed",
    "unserved": "Orders left out",
    "disruption": "Stops that change their driver",
    "resequence": "Stops that change their place",
    "balance": "Uneven routes",
    "zone_order": "Against the learned order of zones (a preference, no money)",
}
WHOLE_PLAN = "No single route"
WORTH_SAYING_S = 30
NAMED = 3
"""How many broken rules the summary names."""


def part_name(code: str) -> str:
    """Return a part of the cost as people call it."""
    return PARTS.get(code, code.replace("_", " ").capitalize())


def table_of(solution: Solution, tell: Teller) -> CostTable:
    """Return what a plan costs by route and part; parts that are nought nowhere are left out."""
    found = cost_table(solution)
    kept = [
        number
        for number in range(len(found.parts))
        if found.plan[number] or any(row[number] for row in found.routes)
    ]

    def row(name: str, shift: str, amounts: tuple[int, ...]) -> CostRow:
        return CostRow(
            name=name,
            shift=shift,
            amounts=tuple(amounts[number] for number in kept),
            total=sum(amounts),
        )

    rows = [
        row(tell.driver(vehicle_id), vehicle_id, amounts)
        for vehicle_id, amounts in zip(found.vehicle_ids, found.routes, strict=True)
    ]
    if any(found.plan):
        rows.append(row(WHOLE_PLAN, "", found.plan))
    codes = tuple(found.parts[number] for number in kept)
    return CostTable(
        codes=codes,
        parts=tuple(part_name(code) for code in codes),
        rows=tuple(rows),
        total=row("Whole plan", "", found.totals),
    )


def price_of(
    change: Change, problem: Problem, solution: Solution, tell: Teller, lead: str
) -> Price:
    """Tell what another plan changes; `lead` begins the summary."""
    parts = tuple(
        Part(code=code, name=part_name(code), minor=minor)
        for code, minor in change_minor(change.cost_milli)
        if minor
    )
    cost_minor = sum(part.minor for part in parts)
    broken = tuple(_Fault(problem, solution, tell).told(one) for one in change.broken)
    return Price(
        summary=_summary(lead, change, cost_minor, broken, tell),
        cost_minor=cost_minor,
        parts=parts,
        duration_s=change.duration_s,
        distance_m=change.distance_m,
        overtime_s=change.overtime_s,
        moved=tuple(_moved(change, tell)),
        broken=broken,
    )


def _summary(
    lead: str,
    change: Change,
    cost_minor: int,
    broken: tuple[Broken, ...],
    tell: Teller,
) -> str:
    figures = [added_minutes(change.duration_s), added_distance(change.distance_m)]
    left_out = dict(change_minor(change.cost_milli)).get("unserved", 0)
    if cost_minor - left_out:
        figures.append(tell.added(cost_minor - left_out))
    if left_out:
        figures.append(f"{tell.added(left_out)} for what is left out")
    text = f"{lead}: {', '.join(figures)}"
    if not broken:
        return f"{text}; breaks nothing."
    named = [one.text for one in broken[:NAMED]]
    if len(broken) > NAMED:
        named.append(f"{len(broken) - NAMED} more")
    return f"{text}; breaks {listed(named)}."


def _moved(change: Change, tell: Teller) -> Iterator[Moved]:
    for one in change.moved:
        text = _moved_text(one, tell)
        if text:
            yield Moved(
                order=one.job_id,
                text=f"{tell.stop(one.job_id)}: {text}",
                later_s=one.later_s,
            )


def _moved_text(one: MovedStop, tell: Teller) -> str:
    if one.vehicle_after is None or one.place_after is None:
        return "left out"
    now = f"stop {tell.place(one.vehicle_after, one.place_after)}"
    route = f"{tell.driver(one.vehicle_after)}’s route"
    if one.vehicle_before is None:
        return f"served as {now} on {route}"
    parts = []
    if one.vehicle_before != one.vehicle_after:
        parts.append(f"{now} on {route}")
    elif one.place_before != one.place_after:
        parts.append(f"becomes {now}")
    if abs(one.later_s) >= WORTH_SAYING_S:
        parts.append(sooner_or_later(one.later_s))
    return ", ".join(parts)


class _Fault:
    """Tells the rules that a forced plan breaks."""

    def __init__(self, problem: Problem, solution: Solution, tell: Teller) -> None:
        self.tell = tell
        self.dimensions = problem.dimensions
        self.jobs: Mapping[str, Job] = {job.id: job for job in problem.jobs}
        self.vehicles: Mapping[str, Vehicle] = {one.id: one for one in problem.vehicles}
        self.routes: Mapping[str, RoutePlan] = {
            route.vehicle_id: route for route in solution.routes
        }
        self.visits: Mapping[str, Visit] = {
            visit.job_id: visit for route in solution.routes for visit in route.visits
        }

    def told(self, one: Violation) -> Broken:
        """Return one broken rule in words."""
        return Broken(
            code=one.code,
            order=one.job_id or "",
            shift=one.vehicle_id or "",
            text=self._text(one),
        )

    def _text(self, one: Violation) -> str:
        stop = self.tell.stop(one.job_id) if one.job_id else ""
        driver = self.tell.driver(one.vehicle_id)
        if one.code == "window_missed" and one.job_id:
            return f"{stop}: {self._missed(one.job_id)}"
        if one.code == "shift_overrun" and one.vehicle_id:
            return f"{driver}’s shift, by {self._overrun(one.vehicle_id)}"
        if one.code == "capacity_exceeded" and one.vehicle_id:
            return f"{driver}’s vehicle: {self._overload(one.vehicle_id)}"
        if one.code == "capability_missing" and one.job_id and one.vehicle_id:
            needed = {*self.jobs[one.job_id].required_capabilities}
            lacks = sorted(needed - {*self.vehicles[one.vehicle_id].capabilities})
            return f"{stop}: {driver} cannot {listed([*map(words_of, lacks)])}"
        return {
            "vehicle_not_allowed": f"{stop}: the parcel cannot be on {driver}’s vehicle",
            "pin_broken": f"{stop}: pinned to another route",
            "left_before_release": f"{stop}: the parcel is not there when {driver} leaves",
            "break_missing": f"{driver}’s break",
        }.get(one.code, f"{stop or driver}: {one.code.replace('_', ' ')}")

    def _missed(self, job_id: str) -> str:
        windows, start_s = self.jobs[job_id].windows, self.visits[job_id].start_s
        closed = [window.end_s for window in windows if window.end_s <= start_s]
        if not closed:
            opens_s = min(window.start_s for window in windows)
            return f"its window, {minutes(opens_s - start_s)} too early"
        return f"its window, {minutes(start_s - max(closed))} late"

    def _overrun(self, vehicle_id: str) -> str:
        vehicle, route = self.vehicles[vehicle_id], self.routes[vehicle_id]
        return minutes(route.end_s - vehicle.end_s - vehicle.max_overtime_s)

    def _overload(self, vehicle_id: str) -> str:
        vehicle, route = self.vehicles[vehicle_id], self.routes[vehicle_id]
        first = vehicle.initial_load or (0,) * len(self.dimensions)
        over = [
            (name, sum(demands) + start - room)
            for name, start, room, demands in zip(
                self.dimensions,
                first,
                vehicle.capacities,
                zip(*(self.jobs[v.job_id].demands for v in route.visits), strict=True),
                strict=True,
            )
        ]
        said = [load(name, amount) for name, amount in over if amount > 0]
        return f"{listed(said)} too much" if said else "too much"
