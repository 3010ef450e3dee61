"""What a link is for, and how long it lives."""

from datetime import timedelta

from django.db import models


class Purpose(models.TextChoices):
    """The one thing that a link opens."""

    RESCHEDULE = "reschedule", "Move the delivery"
    TRACKING = "tracking", "Follow the delivery"
    SURVEY = "survey", "Say how it was"


LIFETIMES: dict[str, timedelta] = {
    Purpose.RESCHEDULE: timedelta(days=7),
    Purpose.TRACKING: timedelta(days=3),
    Purpose.SURVEY: timedelta(days=14),
}
"""How long a link opens anything: of a survey from the day it was made, of the others
from the end of the order's day of service."""
