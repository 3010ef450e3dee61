"""Ask for a day's plan from a terminal, and watch it being made."""

import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock, queue
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.depots.models import Depot
from apps.routes import selectors
from apps.routes.models import Plan
from apps.routes.services.plans import request_plan
from apps.routes.states import PlanState

POLL_S = 0.5
OPEN_STATES = (PlanState.QUEUED, PlanState.SOLVING)


class Command(BaseCommand):
    """`plan_day --depot CODE --date YYYY-MM-DD [--publish] [--here]`."""

    help = "Plan a depot's day; the background workers make the plan."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take depot, date, and who makes the plan."""
        parser.add_argument("--depot", required=True, help="The depot's code.")
        parser.add_argument("--date", required=True, type=date.fromisoformat)
        parser.add_argument(
            "--publish", action="store_true", help="Publish it when it is ready."
        )
        parser.add_argument(
            "--here",
            action="store_true",
            help="Make it in this process, where no worker runs.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, wait, and print what the plan amounts to."""
        depot = Depot.objects.filter(code=options["depot"]).first()
        if depot is None:
            known = ", ".join(Depot.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"No depot {options['depot']!r}; known: {known}.")
        try:
            plan = request_plan(
                depot_id=depot.pk,
                service_date=options["date"],
                publish_when_ready=options["publish"],
                by=Actor("command", "plan_day"),
                now=clock.now(),
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        if options["here"]:
            for run_id in queue.due_run_ids():
                queue.take(run_id)
        self._watch(plan)

    def _watch(self, plan: Plan) -> None:
        said = ""
        while plan.status in OPEN_STATES:
            line = f"{plan.progress_percent:3d} % {plan.progress_text}"
            if line != said:
                self.stderr.write(said := line)
            time.sleep(POLL_S)
            plan.refresh_from_db()
        if plan.status == PlanState.FAILED:
            raise CommandError(f"The plan failed: {plan.problem}")
        totals = plan.totals
        self.stdout.write(
            f"{plan}: {plan.get_status_display()}, {totals['served']} stops on "
            f"{totals['routes']} routes, {totals['distance_m'] / 1000:.0f} km, "
            f"{totals['unserved']} left out, cost {totals['cost_minor'] / 100:.2f}"
        )
        for item in selectors.left_out(plan.depot_id, plan.service_date)[:20]:
            self.stdout.write(f"  left out {item.reference}: {item.detail}")
