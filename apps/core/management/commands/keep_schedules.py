"""`manage.py keep_schedules`: tells the queue what happens by the clock."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.schedules import keep_schedules


class Command(BaseCommand):
    """Makes the queue's schedules those of `config/schedules.py`."""

    help = "Bring the queue's schedules in line with config/schedules.py."

    def handle(self, **_options: Any) -> None:
        """Say what changed."""
        for change in keep_schedules() or ["nothing to change"]:
            self.stdout.write(f"Schedules: {change}.")
