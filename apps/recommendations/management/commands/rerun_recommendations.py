"""Make recommendations again from their stored inputs, and compare to the byte."""

import json
import uuid
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.recommendations import services
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import (
    Rerun,
    make_again,
    of_earlier_versions,
    sample,
)

PROGRESS_EVERY = 25


class Command(BaseCommand):
    """`rerun_recommendations [ID…] --sample 1000 --json`: exits with 1 where one differs."""

    help = "Make recommendations again from their stored inputs and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ids, or how many to sample, of which kind."""
        parser.add_argument("ids", nargs="*", type=uuid.UUID, metavar="ID")
        parser.add_argument("--sample", type=int, default=100, help="How many; 100.")
        parser.add_argument("--kind", choices=Recommendation.Kind.values)
        parser.add_argument("--json", action="store_true", help="End in one JSON line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them again one by one, and say how they came out."""
        rows = Recommendation.objects.all()
        if options["kind"]:
            rows = rows.filter(kind=options["kind"])
        is_earlier = of_earlier_versions()
        earlier = rows.filter(is_earlier)
        if options["ids"]:
            earlier = earlier.filter(pk__in=options["ids"])
            passed_over = {*earlier.values_list("pk", flat=True)}
            ids = [one for one in options["ids"] if one not in passed_over]
        else:
            ids = [*sample(rows.exclude(is_earlier), options["sample"])]
        earlier_version = earlier.count()
        if not ids and not earlier_version:
            raise CommandError("There is no such recommendation.")
        found = [
            self._made_again(recommendation_id, number, len(ids))
            for number, recommendation_id in enumerate(ids, 1)
        ]
        self._say(found, earlier_version, as_json=options["json"])
        if not all(one.is_identical for one in found):
            raise SystemExit(1)

    def _made_again(self, recommendation_id: uuid.UUID, number: int, of: int) -> Rerun:
        rows = Recommendation.objects.select_related("inputs")
        row = rows.filter(pk=recommendation_id).first()
        if row is None:
            raise CommandError(f"There is no recommendation {recommendation_id}.")
        try:
            found = make_again(row)
        except LookupError as error:
            raise CommandError(str(error)) from error
        services.note_rerun(
            row.pk,
            is_identical=found.is_identical,
            found=found.found,
            by=SYSTEM,
            now=clock.now(),
        )
        if not found.is_identical:
            self.stderr.write(
                f"{row.pk} ({row.kind}, {row.engine} {row.engine_version}) differs:"
                f" {row.answer_hash[:12]} was stored, {found.found} came now."
            )
        if number % PROGRESS_EVERY == 0 and number < of:
            self.stderr.write(f"{number} of {of}")
        return found

    def _say(self, found: list[Rerun], earlier_version: int, *, as_json: bool) -> None:
        """Say how they came out, and how many an earlier version's engine had made."""
        same = [one for one in found if one.is_identical]
        kinds = Counter(one.kind for one in found)
        if not as_json:
            self.stdout.write(f"{len(same)} of {len(found)} gave the same answer.")
            if earlier_version:
                self.stdout.write(
                    f"{earlier_version} made by an earlier version were passed over:"
                    " they cannot be made again alike."
                )
            return
        told = {
            "checked": len(found),
            "identical": len(same),
            "earlier_version": earlier_version,
            "by_kind": dict(sorted(kinds.items())),
            "differing": [
                str(one.recommendation_id) for one in found if one not in same
            ],
        }
        self.stdout.write(json.dumps(told))
