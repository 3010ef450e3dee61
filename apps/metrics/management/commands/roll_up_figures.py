"""`manage.py roll_up_figures`: make the figures of past days anew."""

import json
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.metrics.services.rollups import roll_up


class Command(BaseCommand):
    """Rolls up the days of a depot from one day to another, the oldest first."""

    help = "Roll up daily figures: --depot CODE --first DAY --last DAY [--json]."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the depot and its days."""
        parser.add_argument("--depot", required=True, help="The depot's code.")
        parser.add_argument("--first", required=True, type=date.fromisoformat)
        parser.add_argument("--last", required=True, type=date.fromisoformat)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Roll up each day; say how many figures and drifts there are."""
        depot = Depot.objects.filter(code=options["depot"]).first()
        if depot is None:
            raise CommandError("There is no such depot.")
        day, figures, drifts = options["first"], 0, []
        while day <= options["last"]:
            rows = roll_up(depot, day, by=SYSTEM, now=clock.now())
            figures += len(rows)
            drifts += [[day.isoformat(), row.name] for row in rows if row.is_drift]
            day += timedelta(days=1)
        found = {"figures": figures, "drifts": drifts}
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        self.stdout.write(f"{figures} figures, {len(drifts)} drifts.")
