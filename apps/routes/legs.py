"""The plan's travel times of the legs that it drives, kept for the ETAs. Pure."""

from collections.abc import Mapping

from apps.routes.dayinputs import DayInput
from apps.routes.gateways.base import TravelMatrix
from apps.routes.hours import hour_factor
from apps.routes.solver.solution import Solution


def legs_of(
    day: DayInput, solution: Solution, clear: TravelMatrix, hour: int | None
) -> Mapping[str, int]:
    """Return the seconds to each order from the stop before it, by order id.

    `clear` is the matrix without conditions, in the order of `day.points()`, for the
    traffic of `hour` (None: the day's mean). What is returned is the day's mean.
    """
    index = {point: number for number, point in enumerate(day.points())}
    place_of = {str(order.order_id): index[order.point] for order in day.orders}
    start_of = {str(shift.shift_id): index[shift.start] for shift in day.shifts}
    factor = hour_factor(hour, by_hour=day.parameters.travel_by_hour)
    found: dict[str, int] = {}
    for route in solution.routes:
        here = start_of[route.vehicle_id]
        for visit in route.visits:
            there = place_of[visit.job_id]
            found[visit.job_id] = round(int(clear.durations_s[here, there]) / factor)
            here = there
    return found
