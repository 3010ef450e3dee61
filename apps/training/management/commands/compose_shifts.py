"""`manage.py compose_shifts`: a composed crew, so that any imported day can be driven."""

from argparse import ArgumentParser
from datetime import date, time
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.depots.selectors import depot_by_code
from apps.depots.services import add_member
from apps.training.marking import STAFF
from apps.training.services.crews import CrewDraft, compose_crew

BY = Actor("command", "compose_shifts")


class Command(BaseCommand):
    """Gives a depot's day composed drivers with vans and shifts."""

    help = "Compose drivers, vans and shifts for a day whose orders were imported."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--depot", required=True, help="its code")
        parser.add_argument("--date", type=date.fromisoformat, required=True)
        parser.add_argument("--drivers", type=int, required=True)
        parser.add_argument(
            "--start", type=time.fromisoformat, default=time(8), help="the depot's time"
        )
        parser.add_argument("--end", type=time.fromisoformat, default=time(18))
        parser.add_argument("--vehicle-pieces", type=int, default=200)
        parser.add_argument("--vehicle-g", type=int, default=1_200_000)
        parser.add_argument("--vehicle-ml", type=int, default=9_000_000)
        parser.add_argument("--no-break", action="store_true")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Compose the crew, and say how to go on."""
        if not 1 <= given["drivers"] <= 500:
            raise CommandError("--drivers is from 1 to 500.")
        now = clock.now()
        draft = CrewDraft(
            size=given["drivers"],
            starts=given["start"],
            ends=given["end"],
            vehicle={
                "capacity_pieces": given["vehicle_pieces"],
                "capacity_g": given["vehicle_g"],
                "capacity_ml": given["vehicle_ml"],
            },
            with_break=not given["no_break"],
        )
        try:
            depot = depot_by_code(given["depot"])
            shifts = compose_crew(
                depot=depot, service_date=given["date"], draft=draft, by=BY, now=now
            )
        except Problem as problem:
            faults = [fault.detail for fault in problem.errors]
            raise CommandError(" ".join([problem.detail, *faults])) from None
        if settings.DEMO:
            for user in User.objects.filter(username__in=STAFF):
                add_member(depot_id=depot.pk, user_id=user.pk, by=BY, now=now)
        self.stdout.write(
            f"{len(shifts)} composed shifts at {depot.code} on {given['date']}, from "
            f"{given['start']:%H:%M} to {given['end']:%H:%M}. Plan the day, then drive "
            f"it: manage.py drive --depot {depot.code} --date {given['date']}"
        )
