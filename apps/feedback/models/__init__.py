"""Feedback with its history, surveys by version, who was asked, and what was answered."""

from apps.feedback.models.opinions import Feedback, FeedbackAnswer, FeedbackEdit
from apps.feedback.models.surveys import (
    QuarantinedResponse,
    Response,
    Survey,
    SurveyAsk,
    SurveyHook,
    SurveyImport,
)

__all__ = [
    "Feedback",
    "FeedbackAnswer",
    "FeedbackEdit",
    "QuarantinedResponse",
    "Response",
    "Survey",
    "SurveyAsk",
    "SurveyHook",
    "SurveyImport",
]
