"""Solve a recommendation again from its stored inputs, and compare to the byte."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.recommendations import services
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import is_of_earlier_version, rerunner_of


class Command(BaseCommand):
    """`replay_recommendation ID`: exits with 1 where the answer differs."""

    help = "Solve a recommendation again from its stored inputs and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the recommendation's id, or none for the newest plan's."""
        parser.add_argument("id", nargs="?", type=uuid.UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, and say whether the answer is the same."""
        rows = Recommendation.objects.all()
        wanted = options["id"]
        plans = rows.filter(kind__in=["plan", "replan"])
        row = rows.filter(pk=wanted).first() if wanted else plans.first()
        if row is None:
            raise CommandError("There is no such recommendation.")
        self.stdout.write(
            f"{row.get_kind_display()} by {row.engine} {row.engine_version}, "
            f"seed {row.seed}, inputs {row.inputs_hash[:12]}"
        )
        answer = rerunner_of(row.kind)(services.stored_inputs(row))
        digest = services.content_hash(answer)
        if digest != row.answer_hash and is_of_earlier_version(row):
            raise CommandError(
                "It was made by an earlier version of its engine, which cannot be made "
                f"again alike: {row.answer_hash[:12]} was stored, {digest[:12]} came now."
            )
        if digest != row.answer_hash:
            raise CommandError(
                f"The answer differs: {row.answer_hash[:12]} was stored, "
                f"{digest[:12]} came now."
            )
        self.stdout.write(
            self.style.SUCCESS(f"The same answer to the byte: {digest[:12]}")
        )
