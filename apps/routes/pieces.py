"""A plan in parts, put together of its pieces, looked up by piece, and made again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from apps.routes.chain import GRACE_S
from apps.routes.solver.codec import PieceRequest, SplitRequest
from apps.routes.solver.leftovers import with_true_reasons
from apps.routes.solver.merging import NOTHING, Piece, Whole, merge, standing_solution
from apps.routes.solver.problem import Problem
from apps.routes.solver.process import solve_in_process
from apps.routes.solver.solution import Solution

AT_A_TIME = 2
"""So many pieces are solved side by side."""


def stated(request: SplitRequest, answers: Sequence[Solution]) -> Solution:
    """Put the answers of a request's pieces together, each in the place of what was."""
    whole = NOTHING
    for one, answer in zip(request.pieces, answers, strict=True):
        whole = whole.with_answer(Piece(one.request.problem, one.locations), answer)
    whole = with_true_reasons(whole, request.leftovers)
    return merge(request.whole, whole, answers)


def around(
    request: SplitRequest, solution: Solution, *, vehicle: str = "", job: str = ""
) -> tuple[Problem, Solution]:
    """Return the part of a plan that a vehicle or a job was last planned in.

    It holds the vehicles that were planned there last, with what they do in the end.

    Raises:
        LookupError: the plan knows neither.
    """
    holders = {
        visit.job_id: route.vehicle_id
        for route in solution.routes
        for visit in route.visits
    }
    last_of: dict[str, int] = {}
    for number, one in enumerate(request.pieces):
        asked = one.request.problem
        last_of |= dict.fromkeys((car.id for car in asked.vehicles), number)
        loose = (job.id for job in asked.jobs if job.id not in holders)
        last_of |= dict.fromkeys(loose, number)
    found = last_of.get(vehicle or holders.get(job, job))
    if found is None:
        raise LookupError(f"{vehicle or job} is in no part")
    last = request.pieces[found]
    asked = last.request.problem
    cars = tuple(car for car in asked.vehicles if last_of[car.id] == found)
    kept = {car.id for car in cars}
    jobs = tuple(
        job
        for job in asked.jobs
        if holders.get(job.id) in kept or last_of.get(job.id) == found
    )
    known = {job.id for job in jobs}
    problem = replace(
        asked,
        vehicles=cars,
        jobs=jobs,
        shipments=tuple(
            one
            for one in asked.shipments
            if {one.pickup_job, one.delivery_job} <= known
        ),
    )
    whole = Whole(
        {one.vehicle_id: one for one in solution.routes if one.vehicle_id in kept},
        {one.job_id: one for one in solution.unserved if one.job_id in known},
        {},
    )
    part = standing_solution(Piece(problem, last.locations), whole)
    if part is None:
        raise LookupError(f"nothing was planned around {vehicle or job}")
    return problem, part


def replay_in_parts(request: SplitRequest, *, limit_s: int) -> Solution:
    """Solve a stored request again; the counts of solutions end the searches.

    A search's start is part of what is stored, so that the order does not matter.

    Raises:
        SolverFailed: a part got no answer.
        SolverTimeout: a part took too long.
    """

    def again(one: PieceRequest) -> Solution:
        asked = one.request
        return solve_in_process(
            asked.problem,
            engine=asked.engine,
            stop=replace(asked.stop, time_limit_s=limit_s),
            seed=asked.seed,
            warm_start=asked.warm_start,
            timeout_s=limit_s + GRACE_S,
        )

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return stated(request, list(pool.map(again, request.pieces)))
