"""The room's registration with Django."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """Recommendations: every output of the machine, and what became of it."""

    name = "apps.recommendations"
    label = "recommendations"
    verbose_name = "Recommendations"
