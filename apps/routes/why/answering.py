"""From a question and a plan's stored inputs to the answer in words. Pure."""

from collections.abc import Callable

from apps.routes.solver.explaining.around import plan_around
from apps.routes.solver.explaining.forcing import Forced, force
from apps.routes.solver.explaining.placing import why_here
from apps.routes.solver.explaining.relaxations import why_left_out
from apps.routes.solver.explaining.standing import Standing, stand
from apps.routes.solver.problem import Problem
from apps.routes.solver.solution import Solution
from apps.routes.why.answer import Answer, Price
from apps.routes.why.names import Names, Teller, listed, teller
from apps.routes.why.placing import here_answer, left_out_answer
from apps.routes.why.pricing import price_of, table_of
from apps.routes.why.questions import About, Question

NOT_SPENT = (
    "What is left out, or moved to another driver, counts by the depot’s parameters: "
    "that is a price put on it, not money spent."
)

Tell = Callable[[int, str], None]
"""Hears how far the answer is: per cent, and what is being done."""


def say_nothing(percent: int, text: str) -> None:
    """Let progress go unheard."""
    del percent, text


def cost_answer(solution: Solution, names: Names) -> Answer:
    """Tell what a plan costs by route and part: its answer alone says so."""
    tell = teller(solution, names)
    table = table_of(solution, tell)
    shares = sorted(
        zip(table.parts, table.total.amounts, strict=True), key=lambda pair: -pair[1]
    )
    largest = [
        f"{name.lower()} {tell.amount(minor)}" for name, minor in shares[:3] if minor
    ]
    text = f"The plan counts {tell.amount(table.total.total)}"
    return Answer(
        about="cost",
        title="What the plan costs, by part",
        summary=f"{text}, most of it {listed(largest)}." if largest else f"{text}.",
        facts=(NOT_SPENT,)
        if solution.unserved or solution.cost.disruption_milli
        else (),
        table=table,
    )


def answer_of(
    problem: Problem,
    solution: Solution,
    question: Question,
    names: Names,
    on_progress: Tell = say_nothing,
) -> Answer:
    """Answer a question of a plan.

    Raises:
        InvalidProblem: the stored problem contradicts itself.
        CannotExplain: the question does not fit the plan; the message says why.
    """
    if question.about == About.COST:
        return cost_answer(solution, names)
    on_progress(5, "Laying out the plan")
    standing = stand(problem, solution)
    tell = teller(standing.stated, names, problem.origin_at)
    if question.about == About.LEFT_OUT:
        job = standing.job(question.order)

        def on_tried(share: float) -> None:
            on_progress(10 + round(85 * share), "Trying what could give way")

        return left_out_answer(why_left_out(standing, job, on_tried), standing, tell)
    if question.about == About.STOP:
        on_progress(20, "Pricing every other place")
        job = standing.job(question.order)
        return here_answer(why_here(standing, job), standing, tell)
    return _what_if(standing, question, tell, on_progress)


def _what_if(
    standing: Standing, question: Question, tell: Teller, on_progress: Tell
) -> Answer:
    """Force the plan, price it, and plan the rest anew about it where that is asked."""
    on_progress(10, "Forcing the plan")
    forced = force(standing, question.wish)
    lead = _lead(question, tell)
    price = _priced(forced, standing, tell, lead)
    around = None
    if question.around:
        on_progress(30, "Planning the rest anew about it")
        found = plan_around(standing, forced)
        if found.around:
            around = _priced(found, standing, tell, f"{lead}, the rest planned anew")
    facts = []
    if question.around and around is None:
        facts.append("Planning the rest anew about it found nothing better.")
    return Answer(
        about=str(question.about),
        title=f"What if: {lead}?",
        summary=price.summary,
        facts=tuple(facts),
        price=price,
        around=around,
    )


def _priced(forced: Forced, standing: Standing, tell: Teller, lead: str) -> Price:
    text = f"{lead[:1].upper()}{lead[1:]}"
    return price_of(forced.change, standing.problem, forced.solution, tell, text)


def _lead(question: Question, tell: Teller) -> str:
    """Say in short what is to be forced."""
    stop = tell.stop(question.order)
    if question.about == About.BESIDE:
        side = "after" if question.after else "before"
        return f"{stop} {side} {tell.stop(question.other)}"
    if question.about == About.ON_ROUTE:
        return f"{stop} on {tell.driver(question.shift)}’s route"
    if question.about == About.SEQUENCE:
        return f"{tell.driver(question.shift)}’s own sequence"
    return f"without {stop}"
