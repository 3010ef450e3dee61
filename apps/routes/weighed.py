"""What a change does to a plan, in figures and in words: two plans compared. Pure."""

import hashlib
import json
import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from apps.core.wording import money
from apps.routes.changes import Broken, Called, RouteSketch
from apps.routes.dayinputs import DayInput, OrderInput, ShiftInput
from apps.routes.dayversions import present_jobs
from apps.routes.needs import words_of
from apps.routes.solver.judging import Violation
from apps.routes.solver.problem import Problem
from apps.routes.solver.solution import CostBreakdown, RoutePlan, Solution
from apps.routes.solver.validate import validate
from apps.routes.why.names import added_distance, added_minutes, listed, minutes, signed

VISIBLE_S = 60
"""From here on a stop's new time is a change that its driver sees."""
NAMED = 3
"""How many broken rules the summary names."""
BY_WINDOW = "window_missed"
TOLD_LATE = "told_late"


@dataclass(frozen=True, slots=True)
class Stood:
    """A plan of some shifts, timed: `day` has the windows that customers have."""

    day: DayInput
    problem: Problem
    solution: Solution
    told: Mapping[str, datetime]

    def starts(self) -> dict[str, datetime]:
        """Return when service begins at each order, as the engines reckon."""
        return {
            visit.job_id: self.day.origin_at + timedelta(seconds=visit.start_s)
            for route in self.solution.routes
            for visit in route.visits
        }

    def spent_milli(self) -> int:
        """Return the money that the plan spends: prices put on unrest are none."""
        cost: CostBreakdown = self.solution.cost
        spent = cost.fixed_milli + cost.distance_milli
        return spent + cost.duration_milli + cost.overtime_milli

    def jobs(self) -> dict[uuid.UUID, tuple[str, ...]]:
        """Return the jobs of each shift in their sequence."""
        found: dict[uuid.UUID, tuple[str, ...]] = {
            shift.shift_id: () for shift in self.day.shifts
        }
        for route in self.solution.routes:
            found[uuid.UUID(route.vehicle_id)] = tuple(
                visit.job_id for visit in route.visits
            )
        return found


@dataclass(frozen=True, slots=True)
class Labels:
    """What stops are called: `numbers` as drivers see them, `references` of orders."""

    numbers: Mapping[uuid.UUID, int]
    references: Mapping[uuid.UUID, str]

    def stop(self, order: OrderInput) -> str:
        """Return a stop's number and reference; before it has one, this alone."""
        reference = self.references.get(order.order_id, str(order.order_id))
        number = self.numbers.get(order.stop_id, 0) if order.stop_id else 0
        return f"stop {number} ({reference})" if number else reference

    def short(self, order: OrderInput) -> str:
        """Return a stop's number, or its reference where it has none."""
        number = self.numbers.get(order.stop_id, 0) if order.stop_id else 0
        return f"stop {number}" if number else self.stop(order)


@dataclass(frozen=True)
class Compared:
    """Two plans of the same shifts, and what the second breaks that the first kept."""

    before: Stood
    after: Stood
    labels: Labels

    def changed_shifts(self) -> frozenset[uuid.UUID]:
        """Return the shifts whose sequence is another."""
        now, then = self.after.jobs(), self.before.jobs()
        return frozenset(one for one in now if now[one] != then.get(one, ()))

    def moved(self) -> tuple[str, ...]:
        """Return the stops whose driver, number or visible time is another, sorted."""
        then, now = _places(self.before), _places(self.after)
        moved = []
        for order in self.after.day.orders:
            job = str(order.order_id)
            if job not in now:
                continue
            at, was = self.after.told.get(job), self.before.told.get(job)
            apart_s = abs((at - was).total_seconds()) if at and was else math.inf
            if now[job] != then.get(job) or apart_s >= VISIBLE_S:
                moved.append(str(order.stop_id or order.order_id))
        return tuple(sorted(moved))

    def left_out(self) -> tuple[OrderInput, ...]:
        """Return the orders that had a driver and have none any more."""
        then, now = _places(self.before), _places(self.after)
        return tuple(
            order
            for order in self.after.day.orders
            if str(order.order_id) in then and str(order.order_id) not in now
        )

    @cached_property
    def broken(self) -> tuple[Broken, ...]:
        """Return what is broken that was not, or is worse than it was."""
        return tuple((*self._windows(), *self._rules(), *self._promises()))

    def _windows(self) -> Iterator[Broken]:
        starts, before = self.after.starts(), self.before.starts()
        known = {order.order_id: order for order in self.before.day.orders}
        for order in self.after.day.orders:
            job = str(order.order_id)
            late_s = _late_s(order, starts.get(job))
            was_s = _late_s(known.get(order.order_id, order), before.get(job))
            if late_s > was_s and late_s - was_s >= VISIBLE_S:
                yield self._late(BY_WINDOW, order, late_s, "after its window")

    def _promises(self) -> Iterator[Broken]:
        threshold_s = self.after.day.parameters.eta_moved_s
        for order in self.after.day.orders:
            job = str(order.order_id)
            at, was = self.after.told.get(job), self.before.told.get(job)
            if at is None or order.told_at is None:
                continue
            late_s = (at - order.told_at).total_seconds()
            was_s = (was - order.told_at).total_seconds() if was else 0.0
            if late_s > threshold_s and late_s - was_s >= VISIBLE_S:
                yield self._late(TOLD_LATE, order, round(late_s), "later than was told")

    def _late(self, code: str, order: OrderInput, late_s: int, how: str) -> Broken:
        return Broken(
            code=code,
            order_id=str(order.order_id),
            stop_id=str(order.stop_id or ""),
            minutes_late=math.ceil(late_s / 60),
            is_promise=code == TOLD_LATE,
            text=f"{self.labels.stop(order)}: {minutes(late_s)} {how}",
        )

    def _rules(self) -> Iterator[Broken]:
        """Yield what the validator finds beside windows, and did not find before."""
        then = {
            (one.code, one.vehicle_id, one.job_id): one
            for one in validate(self.before.problem, self.before.solution)
        }
        orders = {str(order.order_id): order for order in self.after.day.orders}
        for one in validate(self.after.problem, self.after.solution):
            key = (one.code, one.vehicle_id, one.job_id)
            is_late = one.code == "shift_overrun"
            late_s = self._over_s(one) if is_late else 0
            is_worse = is_late and late_s > self._overran_s(one) + VISIBLE_S
            if one.code == BY_WINDOW or (key in then and not is_worse):
                continue
            order = orders.get(one.job_id or "")
            yield Broken(
                code=one.code,
                order_id=one.job_id or "",
                stop_id=str(order.stop_id or "") if order else "",
                shift_id=one.vehicle_id or "",
                minutes_late=math.ceil(late_s / 60),
                text=self._rule_text(one, order, late_s),
            )

    def _over_s(self, one: Violation) -> int:
        return _overrun_s(self.after.problem, self.after.solution, one.vehicle_id)

    def _overran_s(self, one: Violation) -> int:
        return _overrun_s(self.before.problem, self.before.solution, one.vehicle_id)

    def _rule_text(self, one: Violation, order: OrderInput | None, late_s: int) -> str:
        name = self.labels.stop(order) if order else "the route"
        if one.code == "shift_overrun":
            return f"the shift ends {minutes(late_s)} late"
        if one.code == "break_missing":
            return "a break finds no time"
        if one.code == "capacity_exceeded":
            return "the vehicle is too full"
        if one.code == "capability_missing" and order is not None:
            lacks = self.lacking(order, one.vehicle_id or "")
            return f"{name}: the driver and vehicle lack {lacks}"
        if one.code == "vehicle_not_allowed":
            return f"{name}: its parcel is in another van, or that van has left"
        return f"{name}: {one.code.replace('_', ' ')}"

    def lacking(self, order: OrderInput, shift_id: str) -> str:
        """Return what an order requires and a shift does not have, in words."""
        shifts = {str(shift.shift_id): shift for shift in self.after.day.shifts}
        able = shifts[shift_id].capabilities
        return listed([words_of(need) for need in sorted({*order.requires} - {*able})])

    def figures(self) -> tuple[int, int, int]:
        """Return the differences of time in s, of distance in m, of money in milli."""
        then, now = self.before.solution, self.after.solution
        return (
            _total(now, "duration_s") - _total(then, "duration_s"),
            _total(now, "distance_m") - _total(then, "distance_m"),
            self.after.spent_milli() - self.before.spent_milli(),
        )

    def sketches(
        self, shifts: frozenset[uuid.UUID], route_of: Mapping[uuid.UUID, uuid.UUID]
    ) -> tuple[tuple[RouteSketch, ...], tuple[RouteSketch, ...]]:
        """Return the routes of these shifts, before and after."""
        return tuple(_sketches(self.before, shifts, route_of)), tuple(
            _sketches(self.after, shifts, route_of)
        )


def _places(stood: Stood) -> dict[str, tuple[str, int]]:
    return {
        visit.job_id: (route.vehicle_id, place)
        for route in stood.solution.routes
        for place, visit in enumerate(route.visits)
    }


def _late_s(order: OrderInput, starts_at: datetime | None) -> int:
    """Return by how much service begins after the last window; 0 within it or before."""
    if starts_at is None or not order.windows:
        return 0
    closes_at = max(window.closes_at for window in order.windows)
    return max(0, round((starts_at - closes_at).total_seconds()))


def _overrun_s(problem: Problem, solution: Solution, vehicle_id: str | None) -> int:
    for vehicle in problem.vehicles:
        for route in solution.routes:
            if vehicle.id == route.vehicle_id == vehicle_id:
                return route.end_s - vehicle.end_s - vehicle.max_overtime_s
    return 0


def _total(solution: Solution, name: str) -> int:
    return sum(getattr(route, name) for route in solution.routes)


def _sketches(
    stood: Stood,
    shifts: frozenset[uuid.UUID],
    route_of: Mapping[uuid.UUID, uuid.UUID],
) -> Iterator[RouteSketch]:
    plans = {route.vehicle_id: route for route in stood.solution.routes}
    orders = {str(order.order_id): order for order in stood.day.orders}
    for shift in stood.day.shifts:
        if shift.shift_id in shifts:
            plan = plans.get(str(shift.shift_id))
            yield _sketch(stood, shift, plan, orders, route_of)


def _sketch(
    stood: Stood,
    shift: ShiftInput,
    plan: RoutePlan | None,
    orders: Mapping[str, OrderInput],
    route_of: Mapping[uuid.UUID, uuid.UUID],
) -> RouteSketch:
    origin_at = stood.day.origin_at
    visits = plan.visits if plan else ()
    return RouteSketch(
        shift_id=str(shift.shift_id),
        driver_id=str(shift.driver_id),
        route_id=str(route_of.get(shift.shift_id, "")),
        ends_at=origin_at + timedelta(seconds=plan.end_s) if plan else shift.free_at,
        stops=tuple(
            Called(
                stop_id=str(orders[visit.job_id].stop_id or ""),
                order_id=visit.job_id,
                number=len(shift.frozen) + place,
                eta_at=stood.told.get(
                    visit.job_id, origin_at + timedelta(seconds=visit.start_s)
                ),
            )
            for place, visit in enumerate(visits, 1)
        ),
    )


def summary_of(lead: str, compared: Compared, currency: str) -> str:
    """Return one sentence: "7 before 4: +6 min, 1 window broken (stop 9, 11 min late)"."""
    duration_s, distance_m, milli = compared.figures()
    minor = round(milli / 1000)
    figures = [added_minutes(duration_s), added_distance(distance_m)]
    figures.append(signed(minor, money(abs(minor), currency)))
    orders = {str(one.order_id): one for one in compared.after.day.orders}
    broken = compared.broken
    late = [one for one in broken if one.code == BY_WINDOW]
    if late:
        named = [
            f"{compared.labels.short(orders[one.order_id])}, {one.minutes_late} min late"
            for one in late[:NAMED]
        ]
        more = [f"{len(late) - NAMED} more"] if len(late) > NAMED else []
        figures.append(
            f"{_counted(len(late), 'window')} broken ({'; '.join(named + more)})"
        )
    told = sum(one.is_promise for one in broken)
    if told:
        figures.append(f"{_counted(told, 'customer')} reached later than told")
    figures += [
        one.text for one in broken if one.code != BY_WINDOW and not one.is_promise
    ][:NAMED]
    left = len(compared.left_out())
    if left:
        figures.append(f"{_counted(left, 'order')} left out")
    return f"{lead}: {', '.join(figures)}"


def reasons_of(compared: Compared, others: int) -> tuple[str, ...]:
    """Return what a change does in sentences, the worst first."""
    found = [f"{one.text}." for one in compared.broken]
    found += [
        f"{compared.labels.stop(order)}: no driver has it any more."
        for order in compared.left_out()
    ]
    moved = len(compared.moved())
    if moved:
        found.append(f"{_counted(moved, 'stop')} at another place or time.")
    if others:
        found.append(f"{_counted(others, 'other driver')} touched.")
    return tuple(found or ["Nothing that is driven changes."])


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"


def state_version(day: DayInput, shifts: frozenset[uuid.UUID]) -> str:
    """Return the hash of the state of some shifts: what is done, ahead, held and agreed.

    Orders without a driver count in any case; the day has only those that are asked about.
    """
    sequences = present_jobs(day)
    mine = [one for one in day.shifts if one.shift_id in shifts]
    state = {
        "shifts": [
            [
                str(one.shift_id),
                one.shift_version,
                one.departed,
                one.held,
                [str(stop_id) for stop_id in one.frozen],
                sequences[one.shift_id],
            ]
            for one in sorted(mine, key=lambda one: one.shift_id)
        ],
        "orders": [
            [
                str(order.order_id),
                order.order_version,
                str(order.pinned_shift),
                [[str(one.opens_at), str(one.closes_at)] for one in order.windows],
            ]
            for order in sorted(day.orders, key=lambda one: one.order_id)
            if order.shift_id is None or order.shift_id in shifts
        ],
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
