"""The verbs of feedback and surveys."""

from apps.feedback.services.opinions import (
    Opinion,
    Speaker,
    act_on,
    decline,
    mark_seen,
    record_feedback,
)
from apps.feedback.services.responses import (
    AlreadyAnswered,
    Answerer,
    Origin,
    SurveyNotOpen,
    record_response,
)

__all__ = [
    "AlreadyAnswered",
    "Answerer",
    "Opinion",
    "Origin",
    "Speaker",
    "SurveyNotOpen",
    "act_on",
    "decline",
    "mark_seen",
    "record_feedback",
    "record_response",
]
