"""Plans: ask for a day's, watch it being made, look at it, publish it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, column, row_url
from apps.core.problems import Problem
from apps.core.wording import NOTHING, distance, duration, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.recommendations.passport import passport_of
from apps.routes import board
from apps.routes.admin.drawing import map_of
from apps.routes.admin.why import WhyPage
from apps.routes.forms import PlanDayForm
from apps.routes.models import Plan, UnservedOrder
from apps.routes.services.plans import publish_plan, request_plan
from apps.routes.states import PlanState

COLOURS = {
    PlanState.QUEUED: "info",
    PlanState.SOLVING: "info",
    PlanState.READY: "warning",
    PlanState.PUBLISHED: "success",
    PlanState.FAILED: "danger",
}


@admin.register(Plan)
class PlanPage(WhyPage, FactPage, DepotScopedAdmin):
    """The days' plans and their re-optimizations."""

    list_display = [
        "name",
        "depot",
        "state",
        "progress",
        "served",
        "driven",
        "way",
        "requested",
    ]
    list_filter = ["status", "kind", "service_date", "depot"]
    search_fields = ["service_date", "depot__name"]
    list_select_related = ["depot"]
    date_hierarchy = "service_date"
    list_before_template = "routes/plan_list_links.html"
    row_pages = {"publish": "publish", "progress": "progress_panel", "why": "why"}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add a plan may plan a day, and publish it."""
        return request.user.has_perm("routes.add_plan")

    @column("Plan", ordering="id")
    def name(self, plan: Plan) -> str:
        """Return kind, day and number."""
        day = f"{plan.service_date:%a %d %b %Y}"
        return f"{day} · {plan.get_kind_display()} #{plan.number}"

    @column("State", label=COLOURS, ordering="status")
    def state(self, plan: Plan) -> tuple[str, str]:
        """Return how it stands."""
        return plan.status, plan.get_status_display()

    @column("Progress")
    def progress(self, plan: Plan) -> str:
        """Return how far it is, or why it failed."""
        if board.is_thinking(plan):
            return f"{plan.progress_percent} % {plan.progress_text}"
        return plan.problem[:80] or NOTHING

    @column("Stops")
    def served(self, plan: Plan) -> str:
        """Return how many orders it serves, and leaves out."""
        if not plan.totals:
            return NOTHING
        left_out = plan.totals.get("unserved", 0)
        text = (
            f"{plan.totals.get('served', 0)} on {plan.totals.get('routes', 0)} routes"
        )
        return f"{text}, {left_out} left out" if left_out else text

    @column("Driven")
    def driven(self, plan: Plan) -> str:
        """Return distance and time of all routes."""
        if not plan.totals:
            return NOTHING
        way = distance(plan.totals.get("distance_m", 0))
        return f"{way} · {duration(plan.totals.get('duration_s', 0))}"

    @column("Made by", ordering="mode")
    def way(self, plan: Plan) -> str:
        """Return who thought: the optimizer or the rules."""
        return plan.mode or NOTHING

    @column("Asked for", ordering="requested_at")
    def requested(self, plan: Plan) -> str:
        """Return when, by the depot's clock."""
        return local_time(plan.requested_at, plan.depot.time_zone)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for a day's plan."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        depots = Depot.objects.visible_to(request.user)
        first = depots.first()
        today = first and local_time(clock.now(), first.time_zone, "%Y-%m-%d")
        form = PlanDayForm(
            request.POST or None,
            depots=depots,
            initial={
                "depot": request.GET.get("depot") or (first and first.pk),
                "service_date": request.GET.get("date") or today,
            },
        )
        if request.method == "POST" and form.is_valid():
            try:
                plan = request_plan(
                    depot_id=form.cleaned_data["depot"].pk,
                    service_date=form.cleaned_data["service_date"],
                    publish_when_ready=form.cleaned_data["publish_when_ready"],
                    by=user_actor(request.user),
                    now=clock.now(),
                )
            except Problem as problem:
                form.add_error(None, problem.detail)
            else:
                return redirect(row_url(plan))
        return self.page(request, "routes/plan_day.html", title="Plan a day", form=form)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a plan: what it is, its routes, what it leaves out, and why."""
        plan: Plan = self.row(request, object_id)
        rows = board.route_rows(board.routes_shown_by(plan))
        loads = board.loads_of(rows)
        has_day = board.has_the_day(plan)
        left_out = board.left_out_now(plan) if has_day else []
        unserved = UnservedOrder.objects.filter(plan=plan).select_related("order")
        user = request.user
        may_see_why = user.has_perm("recommendations.view_recommendation")
        why = plan.recommendation
        return self.page(
            request,
            "routes/plan.html",
            title=self.name(plan),
            plan=plan,
            depot=plan.depot,
            zone=plan.depot.time_zone,
            driving_minor=board.driving_cost_minor(plan),
            rows=[(row, loads[row.route.pk]) for row in rows],
            map=map_of(
                rows,
                left_out,
                board.conditions_on(plan.depot, plan.service_date, clock.now()),
            ),
            left_out=left_out,
            unserved=[] if has_day else list(unserved.order_by("order__reference")),
            has_day=has_day,
            may_see_why=may_see_why and why is not None,
            passport=passport_of(why) if may_see_why and why else None,
            others=board.other_plans_of_day(plan),
            can_publish=self.has_add_permission(request)
            and plan.status == PlanState.READY,
            is_thinking=board.is_thinking(plan),
        )

    def progress_panel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of a plan's page that moves while it is being made."""
        plan: Plan = self.row(request, object_id)
        context = {
            "plan": plan,
            "zone": plan.depot.time_zone,
            "is_thinking": board.is_thinking(plan),
        }
        return TemplateResponse(request, "routes/plan_progress.html", context)

    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then give the plan to its drivers."""
        plan: Plan = self.row(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":

            def verb(**context: Any) -> Plan:
                return publish_plan(plan.pk, **context)

            self.carry_out(request, verb, "The routes are with their drivers.")
            return self.to_row(plan)
        if plan.status != PlanState.READY:
            text = f"This plan is {plan.get_status_display().lower()}: not to publish."
            messages.error(request, text)
            return self.to_row(plan)
        lines = [
            f"{self.served(plan)}; {self.driven(plan)}.",
            "Every driver's device gets its route with the next pull.",
            "From then on the day is not planned anew but re-optimized.",
        ]
        return self.page(
            request,
            "core/confirm.html",
            title=f"Publish {self.name(plan)}?",
            lines=lines,
            button="Publish",
            back=row_url(plan),
        )


def plan_day_url(depot: Depot, day: Any) -> str:
    """Return the address of the form that plans this day."""
    return f"{reverse('admin:routes_plan_add')}?depot={depot.pk}&date={day:%Y-%m-%d}"
