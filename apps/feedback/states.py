"""How feedback is worked off, and when a survey may be answered."""

from typing import Final

from django.db import models

from apps.core.states import Transitions


class FeedbackState(models.TextChoices):
    """How far the office is with somebody's feedback."""

    NEW = "new", "New"
    SEEN = "seen", "Seen"
    ACTIONED = "actioned", "Acted on"
    DECLINED = "declined", "Declined"


FEEDBACK_STEPS: Final = Transitions(
    {
        FeedbackState.NEW: [
            FeedbackState.SEEN,
            FeedbackState.ACTIONED,
            FeedbackState.DECLINED,
        ],
        FeedbackState.SEEN: [FeedbackState.ACTIONED, FeedbackState.DECLINED],
        # Said anew by its author, it is to be looked at anew.
        FeedbackState.ACTIONED: [FeedbackState.NEW],
        FeedbackState.DECLINED: [FeedbackState.NEW],
    }
)
ANSWERED: Final = (FeedbackState.ACTIONED, FeedbackState.DECLINED)


class SurveyState(models.TextChoices):
    """Whether a version of a survey is written, asked, or over."""

    DRAFT = "draft", "Draft"
    LIVE = "live", "Live"
    RETIRED = "retired", "Retired"


SURVEY_STEPS: Final = Transitions(
    {
        SurveyState.DRAFT: [SurveyState.LIVE, SurveyState.RETIRED],
        SurveyState.LIVE: [SurveyState.RETIRED],
        SurveyState.RETIRED: [],
    }
)
