"""Explanations out of the ledger: what a recommendation was made of answers the question.

A question that is answered in a fraction of a second is answered where it is asked; a
large plan's, and one that needs a search, in the background. Answers are reckoned, not
facts: they lie in the cache for an hour and can be had again.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django.core.cache import cache
from django.db import transaction

from apps.core import queue
from apps.core.models import TaskRun
from apps.core.problems import Conflict
from apps.drivers.models import Shift
from apps.orders.models import Order
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.models import Plan, Stop
from apps.routes.pieces import around
from apps.routes.selectors import parse_id
from apps.routes.solver.codec import SplitRequest, decode_inputs, decode_solution
from apps.routes.solver.explaining.standing import CannotExplain
from apps.routes.solver.problem import InvalidProblem, Problem
from apps.routes.solver.solution import Solution
from apps.routes.why.answer import Answer
from apps.routes.why.answering import Tell, answer_of, cost_answer, say_nothing
from apps.routes.why.names import Names
from apps.routes.why.questions import About, Question

Stored = TypeVar("Stored")

AT_ONCE_JOBS = 1000
"""Orders up to which a question is answered where it is asked: it takes 0.1 s of one core
at 400, 0.3 s at 1,000 (`bench why`)."""

KEPT_S = 3600
TASK = "apps.routes.tasks.explain_plan"


class NotExplained(Conflict):
    """The plan does not answer this question."""

    type = "/problems/not-explained"
    title = "The plan does not answer this question."


class Stage(StrEnum):
    """How far an explanation is."""

    ANSWERED = "answered"
    NOT_ASKED = "not_asked"
    QUEUED = "queued"
    WORKING = "working"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An answer, or how far it is."""

    stage: Stage
    percent: int = 0
    text: str = ""
    run_id: str = ""
    answer: Answer | None = None

    @property
    def is_under_way(self) -> bool:
        """Tell whether it will be there by and by."""
        return self.stage in {Stage.QUEUED, Stage.WORKING}


@dataclass(frozen=True, slots=True)
class PlannedStops:
    """A route of a plan with its stops, to ask about: (order, number, reference)."""

    shift: str
    driver: str
    stops: tuple[tuple[str, int, str], ...]


def explanation(plan: Plan, question: Question) -> Explanation:
    """Return the answer where it is there or quickly had, else how far it is.

    Raises:
        NotExplained: the plan does not answer this question.
    """
    known: Explanation | None = cache.get(_key(plan, question))
    if known is not None:
        if known.stage == Stage.REFUSED:
            raise NotExplained(known.text)
        return _or_failed(known)
    if is_quick(plan, question):
        return Explanation(
            stage=Stage.ANSWERED, percent=100, answer=answer_now(plan, question)
        )
    text = "This takes a while: have it worked out in the background."
    return Explanation(stage=Stage.NOT_ASKED, text=text)


def ask(plan: Plan, question: Question) -> Explanation:
    """Have a question answered in the background, once; return how far that is.

    Raises:
        NotExplained: the plan does not answer this question.
    """
    present = explanation(plan, question)
    if present.stage not in {Stage.NOT_ASKED, Stage.FAILED}:
        return present
    _recommendation(plan)
    with transaction.atomic():
        run_id = queue.enqueue(
            TASK,
            max_attempts=2,
            plan_id=str(plan.pk),
            question=question.as_arguments(),
        )
    waiting = Explanation(
        stage=Stage.QUEUED, text="Waits for a worker.", run_id=str(run_id)
    )
    cache.set(_key(plan, question), waiting, KEPT_S)
    return waiting


def work_out(plan_id: uuid.UUID, question: Question) -> None:
    """Answer a question that was asked, and say meanwhile how far it is."""
    plan = Plan.objects.select_related("depot", "recommendation").get(pk=plan_id)
    key = _key(plan, question)
    known: Explanation | None = cache.get(key)
    run_id = known.run_id if known is not None else ""

    def on_progress(percent: int, text: str) -> None:
        found = Explanation(
            stage=Stage.WORKING, percent=percent, text=text, run_id=run_id
        )
        cache.set(key, found, KEPT_S)

    try:
        answer = answer_now(plan, question, on_progress)
    except NotExplained as problem:
        refused = Explanation(stage=Stage.REFUSED, text=problem.detail)
        cache.set(key, refused, KEPT_S)
    else:
        done = Explanation(stage=Stage.ANSWERED, percent=100, answer=answer)
        cache.set(key, done, KEPT_S)


def is_quick(plan: Plan, question: Question) -> bool:
    """Tell whether a question is answered where it is asked."""
    if question.about == About.COST:
        return True
    jobs = plan.totals.get("served", 0) + plan.totals.get("unserved", 0)
    return not question.around and jobs <= AT_ONCE_JOBS


def answer_now(
    plan: Plan,
    question: Question,
    on_progress: Tell = say_nothing,
) -> Answer:
    """Answer a question from what the plan's recommendation was made of.

    Raises:
        NotExplained: the plan does not answer this question.
    """
    row = _recommendation(plan)
    solution = _read(decode_solution, stored_answer(row))
    names = names_of(plan, solution)
    if question.about == About.COST:
        return cost_answer(solution, names)
    problem, solution = _about(question, stored_inputs(row), solution)
    try:
        return answer_of(problem, solution, question, names, on_progress)
    except (CannotExplain, InvalidProblem) as error:
        raise NotExplained(_in_names(str(error), names)) from error


def _about(
    question: Question, inputs: bytes, solution: Solution
) -> tuple[Problem, Solution]:
    """Return the problem and its answer; of a day in parts, the part that is asked about.

    Raises:
        NotExplained: the question is about two parts, or about none.
    """
    request = _read(decode_inputs, inputs)
    if not isinstance(request, SplitRequest):
        return request.problem, solution
    vehicle = question.shift if question.about == About.SEQUENCE else ""
    try:
        problem, part = around(request, solution, vehicle=vehicle, job=question.order)
    except LookupError as error:
        raise NotExplained("The plan does not know this stop.") from error
    known = {one.id for one in problem.jobs} | {one.id for one in problem.vehicles}
    asked = {question.order, question.other, question.shift, *question.sequence} - {""}
    if asked - known:
        text = "This day was planned in parts, and what is asked about lies in two."
        raise NotExplained(text)
    return problem, part


def planned_stops(plan: Plan) -> tuple[PlannedStops, ...]:
    """Return the routes of a plan with their stops as its answer has them.

    Raises:
        NotExplained: there is no answer, or it cannot be read any more.
    """
    solution = _read(decode_solution, stored_answer(_recommendation(plan)))
    names = names_of(plan, solution)
    found = [
        PlannedStops(
            shift=route.vehicle_id,
            driver=names.drivers.get(route.vehicle_id, route.vehicle_id),
            stops=tuple(
                (visit.job_id, number, names.orders.get(visit.job_id, visit.job_id))
                for number, visit in enumerate(
                    route.visits, names.offsets.get(route.vehicle_id, 0) + 1
                )
            ),
        )
        for route in solution.routes
    ]
    return tuple(sorted(found, key=lambda one: (one.driver, one.shift)))


def names_of(plan: Plan, solution: Solution) -> Names:
    """Return the names behind the ids of a plan's answer."""
    left_out = [one.job_id for one in solution.unserved]
    served = [visit.job_id for route in solution.routes for visit in route.visits]
    orders = Order.objects.filter(pk__in=_ids([*served, *left_out]))
    shifts = Shift.objects.filter(depot_id=plan.depot_id)
    shifts = shifts.filter(service_date=plan.service_date).select_related("driver")
    return Names(
        orders={
            str(pk): reference
            for pk, reference in orders.values_list("pk", "reference")
        },
        drivers={str(shift.pk): shift.driver.name for shift in shifts},
        offsets=_offsets(solution),
        zone=plan.depot.time_zone,
        currency=plan.depot.currency,
    )


def _offsets(solution: Solution) -> dict[str, int]:
    """Return by shift how many stops of its route lie before the plan's first."""
    firsts = {
        (route.visits[0].job_id, route.vehicle_id)
        for route in solution.routes
        if route.visits
    }
    rows = Stop.objects.filter(
        order__in=_ids([job_id for job_id, _ in firsts]), route__isnull=False
    )
    return {
        str(shift_id): max(0, sequence - 1)
        for order_id, shift_id, sequence in rows.values_list(
            "order_id", "route__shift_id", "sequence"
        )
        if (str(order_id), str(shift_id)) in firsts
    }


def _ids(texts: Sequence[str]) -> list[uuid.UUID]:
    """Return the ids among texts: a problem's own names are none."""
    return [parsed for text in texts if (parsed := parse_id(text)) is not None]


def _recommendation(plan: Plan) -> Recommendation:
    if plan.recommendation is None:
        raise NotExplained("This plan has no answer yet: there is nothing to explain.")
    return plan.recommendation


def _in_names(text: str, names: Names) -> str:
    """Put names in the place of the ids in a sentence."""
    for known in (names.orders, names.drivers):
        for one, name in known.items():
            if one in text:
                text = text.replace(one, name)
    return text


def _read(decode: Callable[[bytes], Stored], content: bytes) -> Stored:
    try:
        return decode(content)
    except ValueError as error:
        text = "The plan was stored in a form that cannot be read any more."
        raise NotExplained(text) from error


def _key(plan: Plan, question: Question) -> str:
    return f"explanation:{plan.recommendation_id}:{question.key}"


def _or_failed(known: Explanation) -> Explanation:
    """Say of an explanation under way that it failed, where its run did."""
    if not known.is_under_way or not known.run_id:
        return known
    run = TaskRun.objects.filter(pk=known.run_id).first()
    if run is not None and run.state != TaskRun.State.DEAD:
        return known
    return Explanation(stage=Stage.FAILED, text="It failed: ask once more.")
