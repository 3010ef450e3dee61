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
    answer_on_device,
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
    "answer_on_device",
    "decline",
    "mark_seen",
    "record_feedback",
    "record_response",
]
