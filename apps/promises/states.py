"""States of a hold."""

from django.db import models

from apps.core.states import Transitions


class HoldState(models.TextChoices):
    """How a held slot stands."""

    HELD = "held"
    TAKEN = "taken"
    RELEASED = "released"
    EXPIRED = "expired"


HOLD_STEPS = Transitions(
    {
        HoldState.HELD: [HoldState.TAKEN, HoldState.RELEASED, HoldState.EXPIRED],
        HoldState.TAKEN: [],
        HoldState.RELEASED: [],
        HoldState.EXPIRED: [],
    }
)
