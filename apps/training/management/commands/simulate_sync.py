"""`manage.py simulate_sync`: seeds of the sync simulation, and mutants of its rules."""

import importlib
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

MODULE = "tests.simulation.running"
STORY = "tests.simulation.story"


class Command(BaseCommand):
    """Runs histories of devices, office and faults against the real server code.

    It makes a database of its own beside the configured one, and removes it.
    """

    help = "Simulate devices and faults, by seed; with --mutants, prove it can fail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--seeds", type=int, default=200)
        parser.add_argument("--first", type=int, default=0, metavar="SEED")
        parser.add_argument(
            "--steps",
            type=int,
            metavar="N",
            help="length of each history, before everything comes to rest",
        )
        parser.add_argument(
            "--mutants",
            action="store_true",
            help="break the server's rules one at a time: each has to be noticed",
        )
        parser.add_argument("--show", action="store_true", help="print whole histories")
        parser.add_argument(
            "--story",
            action="store_true",
            help="print the log of one device that was offline for three hours",
        )
        parser.add_argument("--json", action="store_true", help="last line is JSON")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Run, tell, and leave with exit code 1 where an invariant did not hold."""
        if min(given["seeds"], given["first"], given["steps"] or 0) < 0:
            raise CommandError("--seeds, --first and --steps are 0 or more.")
        sys.path.insert(0, str(settings.BASE_DIR))
        try:
            simulation = importlib.import_module(MODULE)
        except ModuleNotFoundError as missing:
            raise CommandError(
                f"The simulation needs the development packages: {missing}."
            ) from missing
        if given["story"]:
            self._tell(simulation)
            return
        seeds = range(given["first"], given["first"] + given["seeds"])
        steps = simulation.STEPS if given["steps"] is None else given["steps"]
        found = simulation.Found()
        with simulation.own_database(), simulation.laid_base() as base:
            found.outcomes = simulation.run_seeds(
                base, seeds, self.stdout.write, steps=steps, whole=given["show"]
            )
            if given["mutants"]:
                found.kills = self._hunt(simulation, base, given["first"])
        faults = ", ".join(f"{n} {name}" for name, n in sorted(found.faults.items()))
        self.stdout.write(f"Faults: {faults or 'none'}.")
        figures = found.figures()
        words = ", ".join(f"{figures[name]} {name}" for name in figures)
        self.stdout.write(json.dumps(figures) if given["json"] else words)
        if found.violations or found.survivors:
            sys.exit(1)

    def _tell(self, simulation: Any) -> None:
        story = importlib.import_module(STORY)
        with simulation.own_database(), simulation.silence():
            story.tell(self.stdout.write)

    def _hunt(self, simulation: Any, base: Any, first: int) -> list[Any]:
        kills = []
        self.stdout.write(f"{'mutant':42} seeds steps  noticed by")
        for name in simulation.MUTANTS:
            seeds = range(first, first + simulation.MUTANT_SEEDS)
            kill = simulation.kill(base, name, seeds)
            kills.append(kill)
            fate = (
                "SURVIVED"
                if kill.seed is None
                else f"{kill.seeds:5} {kill.steps:5}  {kill.invariant}"
            )
            self.stdout.write(f"{name:42} {fate}")
        return kills
