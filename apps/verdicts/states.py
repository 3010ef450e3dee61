"""Rulings, and how a proposal of a decision right stands."""

from django.db import models

from apps.core.states import Transitions


class RulingChoice(models.TextChoices):
    """Whether the human's choice was better than the recommendation."""

    RIGHT = "right", "The choice was right"
    WRONG = "wrong", "The recommendation was right"
    UNDECIDABLE = "undecidable"


class Subject(models.TextChoices):
    """What a verdict is about."""

    OVERRIDE = "override"
    DEVIATION = "deviation", "Driven in another sequence"


class ProposalState(models.TextChoices):
    """How a proposal stands."""

    PROPOSED = "proposed", "Waits for a signature"
    SIGNED = "signed"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back", "Signed, and taken back"
    OVERTAKEN = "overtaken", "The rule was changed meanwhile"


STEPS = Transitions(
    {
        ProposalState.PROPOSED: [
            ProposalState.SIGNED,
            ProposalState.DECLINED,
            ProposalState.OVERTAKEN,
        ],
        ProposalState.SIGNED: [ProposalState.TAKEN_BACK],
        ProposalState.DECLINED: [],
        ProposalState.TAKEN_BACK: [],
        ProposalState.OVERTAKEN: [],
    }
)
"""A signed one may be taken back: the rule as it was becomes the next version."""
