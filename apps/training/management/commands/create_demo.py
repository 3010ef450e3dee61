"""`manage.py create_demo`: a composed town and its day, planned by the workers."""

from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.training.marking import DemoDay, DemoMark, read_mark, write_mark
from apps.training.selectors import demo_logins
from apps.training.services.demo import DemoMade, create_demo_day
from apps.training.services.logins import give_logins
from apps.training.town.generate import TIME_ZONE

BY = Actor("command", "create_demo")
MORNING = time(6)
"""When the demo begins, by the town's clock: before the first shift."""


class Command(BaseCommand):
    """Makes a demo: a town, drivers, a day's orders, log-ins, and asks for its plan."""

    help = "Compose a demo town and a day of it; a second call adds another day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--seed", type=int, default=7, help="the town's seed")
        parser.add_argument(
            "--date",
            type=date.fromisoformat,
            help="the day; today in the town if absent",
        )
        parser.add_argument("--orders", type=int, default=400)
        parser.add_argument("--drivers", type=int, default=12)

    def handle(self, *_args: Any, **given: Any) -> None:
        """Compose the day, mark the data directory, and say how to go on."""
        if not settings.DEMO_ALLOWED:
            raise CommandError("A demo is made for http://localhost alone: PUBLIC_URL.")
        if not 1 <= given["drivers"] <= 99 or not 1 <= given["orders"] <= 5_000:
            raise CommandError("--drivers is from 1 to 99, --orders from 1 to 5000.")
        mark = read_mark(settings.DEMO_MARK)
        if mark is not None and mark.town_seed != given["seed"]:
            raise CommandError(
                f"This data directory has the town of seed {mark.town_seed} already."
            )
        now = clock.now()
        on_date = given["date"] or now.astimezone(ZoneInfo(TIME_ZONE)).date()
        try:
            made = create_demo_day(
                town_seed=given["seed"],
                service_date=on_date,
                orders=given["orders"],
                fleet=given["drivers"],
                seed=given["seed"],
                by=BY,
                now=now,
                say=self.stdout.write,
            )
        except Problem as problem:
            faults = [fault.detail for fault in problem.errors]
            raise CommandError(" ".join([problem.detail, *faults])) from None
        self._mark(made, mark, given)
        if mark is None:
            self._begin_in_the_morning(on_date)
        give_logins(
            depot_id=made.depot.pk, path=settings.DEMO_LOGINS_FILE, by=BY, now=now
        )
        self._tell(made, with_logins=given["verbosity"] > 0)

    def _mark(self, made: DemoMade, mark: DemoMark | None, given: Any) -> None:
        mark = mark or DemoMark(made.depot.code, made.town.seed)
        day = DemoDay(
            date=made.day.date.isoformat(),
            orders=given["orders"],
            drivers=given["drivers"],
            seed=given["seed"],
        )
        write_mark(settings.DEMO_MARK, mark.with_day(day))

    def _begin_in_the_morning(self, on_date: date) -> None:
        """Whoever starts the demo in the evening finds its day before it."""
        morning = datetime.combine(on_date, MORNING, ZoneInfo(TIME_ZONE))
        file = settings.DATA_DIR / settings.DEMO_CLOCK_NAME
        clock.set_demo_time(morning, file=file)
        self.stdout.write(f"The demo's clock begins at {morning:%H:%M} of that day.")

    def _tell(self, made: DemoMade, *, with_logins: bool) -> None:
        for line in demo_logins() if with_logins else ():
            self.stdout.write(line)
        plan = "The plan was asked for." if made.plan else "Its plan was there before."
        self.stdout.write(f"{plan} Drive it: manage.py drive --date {made.day.date}")
