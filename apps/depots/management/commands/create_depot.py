"""`manage.py create_depot`: open a depot from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.units import Point
from apps.depots.services import create_depot


class Command(BaseCommand):
    """Open a depot."""

    help = "Open a depot: a place from which vans leave."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="Short and unique: letters, digits, - and _.")
        parser.add_argument("--name", help="What people call it; the code if absent.")
        parser.add_argument("--time-zone", required=True, help="IANA: Europe/Berlin.")
        parser.add_argument("--country", required=True, help="Two letters, such as DE.")
        parser.add_argument("--currency", required=True, help="Three letters, as EUR.")
        parser.add_argument("--lat", type=float, required=True)
        parser.add_argument("--lon", type=float, required=True)

    def handle(self, *_args: Any, **given: Any) -> None:
        """Open the depot and say so."""
        try:
            depot = create_depot(
                code=given["code"],
                name=given["name"] or given["code"],
                time_zone=given["time_zone"],
                country=given["country"],
                currency=given["currency"],
                point=Point(given["lat"], given["lon"]),
                by=Actor("command", "create_depot"),
                now=clock.now(),
            )
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(f"Depot {depot.code} is open ({depot.pk}).")
