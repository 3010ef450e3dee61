"""What a link is for, and the states of what customers tell."""

from datetime import timedelta

from django.db import models

from apps.core.states import Transitions


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


class WishKind(models.TextChoices):
    """Where a parcel may be left when nobody opens, or instead of the door."""

    DOOR = "door", "At the door"
    SAFE_PLACE = "safe_place", "In a safe place"
    NEIGHBOUR = "neighbour", "With a neighbour"
    PICKUP = "pickup", "At a pickup point"


class ProposalState(models.TextChoices):
    """What the office makes of a proposed address."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


PROPOSAL_STEPS = Transitions(
    {
        ProposalState.PROPOSED: [ProposalState.APPROVED, ProposalState.REJECTED],
        ProposalState.APPROVED: [],
        ProposalState.REJECTED: [],
    }
)


class Channel(models.TextChoices):
    """How somebody asks where an order is."""

    PAGE = "page"
    REPLY = "reply"
