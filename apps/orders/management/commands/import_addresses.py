"""`manage.py import_addresses`: the depot's gazetteer from a file."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.depots.selectors import depot_by_code
from apps.orders.services import import_addresses


class Command(BaseCommand):
    """Add the addresses of a CSV or XLSX file to a depot's gazetteer."""

    help = "Add known addresses with coordinates to a depot's gazetteer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--depot", required=True, help="The depot's code.")
        parser.add_argument(
            "--json", action="store_true", help="Print one JSON object."
        )

    def handle(self, *_args: Any, **given: Any) -> None:
        """Import the file and say what became of it."""
        try:
            result = import_addresses(
                depot_id=depot_by_code(given["depot"]).pk,
                content=given["file"].read_bytes(),
                by=Actor("command", "import_addresses"),
                now=clock.now(),
            )
        except OSError as error:
            raise CommandError(f"{given['file']}: {error.strerror}.") from None
        except Problem as problem:
            raise CommandError(problem.detail) from None
        if given["json"]:
            self.stdout.write(json.dumps(asdict(result)))
            return
        self.stdout.write(
            f"{result.rows} rows: {result.added} addresses added, {result.known} known "
            f"already, {result.passed_over} rows without street, number or coordinates."
        )
