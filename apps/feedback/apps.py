"""The room's name in Django."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Feedback on recommendations, and surveys."""

    name = "apps.feedback"
    verbose_name = "Feedback and surveys"
