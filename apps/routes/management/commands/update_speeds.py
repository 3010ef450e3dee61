"""Give a road network the speeds of live traffic, or take them away again."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.networks import names_in
from apps.routes.gateways.osrm_build import change_speeds, read_speeds
from apps.routes.management.commands.build_roads import tools


class Command(BaseCommand):
    """`update_speeds FILE.csv [--name NAME]`, or `update_speeds --clear`."""

    help = (
        "Customize a road network with speeds: lines of from_node,to_node,kmh (ids of"
        " OSM's nodes; 0 closes). What the file does not name is as it was built."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, or that there is none any more."""
        parser.add_argument("file", type=Path, nargs="?", help="FILE.csv")
        parser.add_argument("--name", help="Needed where there are several networks.")
        parser.add_argument(
            "--clear", action="store_true", help="Back to the speeds it was built with."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Customize, and say how long it took."""
        if (options["file"] is None) == (not options["clear"]):
            raise CommandError("Give a file of speeds, or --clear.")
        since = time.monotonic()
        try:
            speeds = [] if options["clear"] else _speeds_of(options["file"])
            network = change_speeds(
                tools(self.stderr.write),
                settings.ROADS_DIR,
                _name(options["name"]),
                speeds=speeds,
                now=clock.now(),
            )
        except RoadsFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"{network.name}: {network.speeds} speeds, version {network.version},"
                f" in {time.monotonic() - since:.1f} s. Running processes take it over"
                " with their next question."
            )
        )


def _name(given: str | None) -> str:
    if given:
        return given
    known = names_in(settings.ROADS_DIR)
    if len(known) != 1:
        raise CommandError(
            f"Say which network by --name; there are: {', '.join(known) or 'none'}."
        )
    return known[0]


def _speeds_of(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return read_speeds(lines)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
