"""Learn from what was driven since the last time."""

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.learning import services


class Command(BaseCommand):
    """`learn [--depot CODE] --json`: what every night does, now and with progress."""

    help = "Learn from what was driven since the last time; nothing takes effect by it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one depot, or all."""
        parser.add_argument("--depot", help="A depot's code; all without it.")
        parser.add_argument("--json", action="store_true", help="End in one JSON line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Learn depot by depot."""
        depots = Depot.objects.order_by("code")
        if options["depot"]:
            depots = depots.filter(code__iexact=options["depot"])
        if not depots:
            raise CommandError("There is no such depot.")
        found = {}
        for depot in depots:
            started = time.monotonic()
            night = services.learn(
                depot=depot, by=SYSTEM, now=clock.now(), told=self._told
            )
            seconds = round(time.monotonic() - started, 2)
            found[depot.code] = {**asdict(night), "seconds": seconds}
            self.stderr.write(
                f"{depot.code}: {night.changed} of {night.routes} routes had changed,"
                f" {night.estimates} estimates are new, {seconds} s"
            )
        if options["json"]:
            self.stdout.write(json.dumps(found))

    def _told(self, what: str, done: int, of: int) -> None:
        self.stderr.write(f"{what}: {done} of {of}")
