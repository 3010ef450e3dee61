"""Why jobs are left out of a day in parts, asked of the whole fleet.

A part knows only its own cars: that none of them could serve a job, were it alone, says
nothing of the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from apps.routes.solver.merging import piece_of
from apps.routes.solver.reasons import reason_alone
from apps.routes.solver.solution import Reason
from apps.routes.solver.splitting import Part
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.merging import MatricesOf, Whole
    from apps.routes.solver.problem import Problem

ALONE = frozenset(
    {
        Reason.NO_CAPABLE_VEHICLE,
        Reason.EXCEEDS_CAPACITY,
        Reason.UNREACHABLE,
        Reason.NO_WINDOW_IN_ANY_SHIFT,
    }
)
"""Reasons that another car might not have."""
AT_ONCE = 200
"""Jobs in one problem: its matrix stays small."""


def leftover_problems(
    problem: Problem, whole: Whole, matrices_of: MatricesOf
) -> tuple[Problem, ...]:
    """State the jobs whose reason must be asked again, with all cars and commitments."""
    committed = {job for car in problem.vehicles for job in car.locked}
    asked = [
        number
        for number, job in enumerate(problem.jobs)
        if (left := whole.unserved.get(job.id)) is not None and left.reason in ALONE
    ]
    if not asked:
        return ()
    partners = _partners(problem)
    kept = [n for n, job in enumerate(problem.jobs) if job.id in committed]
    cars = tuple(range(len(problem.vehicles)))
    problems = []
    for first in range(0, len(asked), AT_ONCE):
        chunk = asked[first : first + AT_ONCE]
        jobs = {*chunk, *kept}
        jobs |= {partners[number] for number in jobs if number in partners}
        part = Part(cars, tuple(sorted(jobs)))
        problems.append(piece_of(problem, part, matrices_of).problem)
    return tuple(problems)


def _partners(problem: Problem) -> dict[int, int]:
    index = {job.id: number for number, job in enumerate(problem.jobs)}
    pairs = [
        (index[one.pickup_job], index[one.delivery_job]) for one in problem.shipments
    ]
    return dict([*pairs, *((other, one) for one, other in pairs)])


def with_true_reasons(whole: Whole, leftovers: Sequence[Problem]) -> Whole:
    """Return the day with the reasons that hold for the whole fleet."""
    unserved = dict(whole.unserved)
    for problem in leftovers:
        view = View(problem)
        for number, job in enumerate(view.jobs):
            left = unserved.get(job.id)
            if left is not None and left.reason in ALONE:
                reason = reason_alone(view, number) or Reason.NO_ROOM
                unserved[job.id] = replace(left, reason=reason)
    return replace(whole, unserved=unserved)
