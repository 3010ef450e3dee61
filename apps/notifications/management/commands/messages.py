"""Shows what was said to and by the customer of one order, from first to last."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from apps.core.wording import local_time
from apps.notifications.models import Message
from apps.notifications.selectors import messages_labelled

FORM = "%d %b %H:%M:%S"


class Command(BaseCommand):
    """`manage.py messages ORDER_REFERENCE`."""

    help = "Show every message about an order, each attempt, receipt and reply."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the order's reference."""
        parser.add_argument("reference", help="The order's reference, as the shop's.")
        parser.add_argument("--depot", default="", help="The depot's code.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the log."""
        rows = [
            row
            for row in messages_labelled(options["reference"])
            if options["depot"].casefold() in {"", row.depot.code.casefold()}
        ]
        if not rows:
            raise CommandError(
                f"Nothing was said about {options['reference']!r} yet. The reference is"
                " the order's, as the list of orders in the admin shows it."
            )
        for row in rows:
            self._show(row)

    def _show(self, row: Message) -> None:
        zone = row.depot.time_zone
        self.stdout.write(
            f"{local_time(row.created_at, zone, FORM)}  {row.get_kind_display()}"
            f"  [{row.get_state_display()}]  {row.channel} {row.address}"
        )
        self.stdout.write(f"    “{row.text}”")
        self.stdout.write(
            f"    {row.segments} SMS part(s), {row.get_encoding_display()}"
        )
        if row.detail:
            self.stdout.write(f"    {row.detail}")
        for attempt in row.attempts.all():
            said = f" {attempt.code} {attempt.detail}".rstrip()
            receipt = f", receipt: {attempt.receipt}" if attempt.receipt else ""
            self.stdout.write(
                f"    {local_time(attempt.started_at, zone, FORM)}  attempt"
                f" {attempt.number} by {attempt.provider}: "
                f"{attempt.get_state_display().lower()}{said}{receipt}"
            )
        for reply in row.replies.all():
            self.stdout.write(
                f"    {local_time(reply.received_at, zone, FORM)}  the person:"
                f" “{reply.text}” ({reply.get_intent_display().lower()})"
            )
