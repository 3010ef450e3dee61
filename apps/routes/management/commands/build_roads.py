"""Build a road network of an extract of OpenStreetMap, for OSRM on this machine."""

import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.interpreter import make_environment, python_with_osrm
from apps.routes.gateways.osrm_build import Tools, build


class Command(BaseCommand):
    """`build_roads FILE.osm.pbf [--name NAME] [--profile car]`."""

    help = "Build a road network of an extract of OpenStreetMap (Geofabrik has them)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the extract, a name, and what drives."""
        parser.add_argument("extract", type=Path, help="FILE.osm.pbf")
        parser.add_argument("--name", help="Default: the file's.")
        parser.add_argument(
            "--profile", default="car", help="car, bicycle, foot, or a .lua file."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Build, and say what to set."""
        extract: Path = options["extract"]
        name = options["name"] or extract.name.partition(".")[0].lower()
        since = time.monotonic()
        try:
            network = build(
                tools(self.stderr.write),
                settings.ROADS_DIR,
                extract,
                name=name,
                profile=options["profile"],
                now=clock.now(),
            )
        except RoadsFailed as error:
            raise CommandError(str(error)) from error
        box = network.bounds
        self.stdout.write(
            self.style.SUCCESS(
                f"Built {network.name}, version {network.version}, in "
                f"{time.monotonic() - since:.1f} s: {box.south:.3f} to {box.north:.3f}"
                f" N, {box.west:.3f} to {box.east:.3f} E, by {network.profile}."
            )
        )
        if settings.ROADS_SOURCE == "local":
            self.stdout.write(
                "Running processes take it over with their next question."
            )
        else:
            self.stdout.write(
                "To plan with it, set in the environment: ROADS_SOURCE=local"
            )
        self.stdout.write("Roads: © OpenStreetMap contributors, ODbL 1.0.")


def tools(say: Any) -> Tools:
    """Return OSRM's tools; make the environment that they need, where there is none.

    Raises:
        RoadsFailed: they cannot be had.
    """
    python = python_with_osrm(settings.ROADS_PYTHON, settings.ROADS_DIR)
    if python is None:
        lock = settings.BASE_DIR / "config" / "locks" / "run.lock"
        python = make_environment(settings.ROADS_DIR, lock, say=say)
    return Tools(python or sys.executable, say)
