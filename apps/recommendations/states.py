"""What may become of a recommendation."""

from django.db import models

from apps.core.states import Transitions


class RecommendationState(models.TextChoices):
    """What became of a recommendation."""

    ISSUED = "issued"
    FOLLOWED = "followed"
    DEVIATED = "deviated"
    OVERRIDDEN = "overridden"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


_ENDS = [s for s in RecommendationState if s is not RecommendationState.ISSUED]
STEPS = Transitions({RecommendationState.ISSUED: _ENDS} | {end: [] for end in _ENDS})
