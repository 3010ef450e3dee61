"""A day that was planned in parts, for its replay: part by part, and put together. Pure.

The parts are those that its plan ended with: each vehicle where it was planned last. They
share neither a vehicle nor a job, so that what they come to adds up to the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from apps.routes.pieces import around
from apps.routes.solver.codec import SolveRequest, SplitRequest
from apps.routes.solver.solution import Solution

SUMS: Final = (
    *("late_min", "broken", "unserved", "overtime_min", "cost_minor", "loss_minor"),
    *("driven_loss_minor", "legs", "legs_seen"),
)
MEANS: Final = {
    "start_error_s": "visits",
    "service_error_s": "services",
    "leg_error_s": "seen_legs",
    "order_error_pct": "visits",
}
"""A mean over the parts counts each by so many as it was taken of."""


@dataclass(frozen=True, slots=True)
class PartFigures:
    """What one part came to under both sets of values, and of how much that is a mean."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    services: int
    seen_legs: int
    engine: str


def parts_of(request: SplitRequest, solution: Solution) -> list[SolveRequest]:
    """Return a day's parts as they were planned last, each by its engine and rounds."""
    last_of = {
        car.id: number
        for number, one in enumerate(request.pieces)
        for car in one.request.problem.vehicles
    }
    found: list[SolveRequest] = []
    known: set[int] = set()
    for car, number in last_of.items():
        if number not in known:
            known.add(number)
            problem, _ = around(request, solution, vehicle=car)
            own = request.pieces[number].request
            found.append(replace(own, problem=problem, warm_start=None))
    return [one for one in found if one.problem.jobs]


def together(parts: Sequence[PartFigures]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of a day from those of its parts."""
    return (
        _side([(part, part.before) for part in parts]),
        _side([(part, part.after) for part in parts]),
    )


def _side(parts: Sequence[tuple[PartFigures, Mapping[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: round(sum(side[name] for _, side in parts), 2)
        for name in SUMS
        if all(name in side for _, side in parts)
    }
    for name, of in MEANS.items():
        if all(name in side for _, side in parts):
            weights = [_weight(part, side, of) for part, side in parts]
            total = sum(
                weight * side[name]
                for weight, (_, side) in zip(weights, parts, strict=True)
            )
            found[name] = round(total / max(1, sum(weights)), 1)
    return found | {"dots": [dot for _, side in parts for dot in side.get("dots", [])]}


def _weight(part: PartFigures, side: Mapping[str, Any], of: str) -> int:
    if of == "services":
        return part.services
    return part.seen_legs if of == "seen_legs" else len(side.get("dots", []))
