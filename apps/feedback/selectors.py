"""Questions to feedback and surveys; they never write."""

from apps.feedback.firsts import DELIVERY
from apps.feedback.models import Survey
from apps.feedback.states import SurveyState


def live_survey(key: str) -> Survey | None:
    """Return the version of a survey that is asked now; None when there is none."""
    return Survey.objects.filter(key=key, status=SurveyState.LIVE).first()


def delivery_survey() -> Survey | None:
    """Return what customers are asked after a delivery; None: it is switched off."""
    return live_survey(DELIVERY)
