"""Why a plan is as it is, and what another one would cost: questions and answers."""

from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.core.office import OfficePage
from apps.routes.models import Plan, UnservedOrder
from apps.routes.why import ledger
from apps.routes.why.ledger import Explanation, NotExplained, PlannedStops
from apps.routes.why.questions import WISHES, Question
from apps.routes.whyforms import QuestionForm, numbers_of

SHOWN_LEFT_OUT = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked, and what came of it."""

    question: Question | None
    found: Explanation | None
    problem: str


class WhyPage(OfficePage):
    """The page on which a plan answers for itself."""

    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a question of a plan; a POST has it worked out in the background."""
        plan: Plan = self.row(request, object_id)
        if not request.user.has_perm("recommendations.view_recommendation"):
            raise PermissionDenied
        routes, problem = _routes(plan)
        form = QuestionForm(request.GET)
        question = form.question(routes)
        if request.method == "POST" and question is not None and not problem:
            return self._ask(
                request, plan, replace(question, around="around" in request.POST)
            )
        faults = [str(fault) for group in form.errors.values() for fault in group]
        asked = (
            Asked(question, None, problem or " ".join(faults))
            if question is None or problem
            else _answer(plan, question)
        )
        focus = _focus(routes, question)
        return self.page(
            request,
            "routes/why.html",
            title="Why this plan",
            plan=plan,
            depot=plan.depot,
            zone=plan.depot.time_zone,
            asked=asked,
            answer=asked.found.answer if asked.found else None,
            may_plan_around=question is not None
            and question.about in WISHES
            and not question.around,
            routes=routes,
            focus=focus,
            numbers=request.GET.get("numbers") or (focus and numbers_of(focus)),
            left_out=_left_out(plan),
            query=request.GET,
        )

    def _ask(
        self, request: HttpRequest, plan: Plan, question: Question
    ) -> HttpResponse:
        """Have it worked out, and show how far it is."""
        query = request.GET.copy()
        if question.around:
            query["around"] = "on"
        try:
            ledger.ask(plan, question)
        except NotExplained as problem:
            messages.error(request, problem.detail)
        address = reverse("admin:routes_plan_why", args=[plan.pk])
        return redirect(f"{address}?{query.urlencode()}")


def _routes(plan: Plan) -> tuple[tuple[PlannedStops, ...], str]:
    try:
        return ledger.planned_stops(plan), ""
    except NotExplained as problem:
        return (), problem.detail


def _answer(plan: Plan, question: Question) -> Asked:
    try:
        return Asked(question, ledger.explanation(plan, question), "")
    except NotExplained as problem:
        return Asked(question, None, problem.detail)


def _focus(
    routes: tuple[PlannedStops, ...], question: Question | None
) -> PlannedStops | None:
    """Return the route that the question is about, or the first."""
    if question is not None:
        for route in routes:
            if any(order == question.order for order, _, _ in route.stops):
                return route
        for route in routes:
            if route.shift == question.shift:
                return route
    return routes[0] if routes else None


def _left_out(plan: Plan) -> list[UnservedOrder]:
    rows = UnservedOrder.objects.filter(plan=plan).select_related("order")
    return list(rows.order_by("order__reference")[:SHOWN_LEFT_OUT])
