"""The verbs of feedback and surveys."""

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
    "Origin",
    "SurveyNotOpen",
    "record_response",
]
