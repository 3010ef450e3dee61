"""The office's pages of feedback and surveys."""

from apps.feedback.admin.hooks import SurveyHookPage
from apps.feedback.admin.inbox import FeedbackPage
from apps.feedback.admin.surveys import SurveyImportPage, SurveyPage

__all__ = ["FeedbackPage", "SurveyHookPage", "SurveyImportPage", "SurveyPage"]
