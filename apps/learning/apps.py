"""The room's registration with Django."""

from django.apps import AppConfig


class LearningConfig(AppConfig):
    """Learning: what past days teach, with its count, spread and date."""

    name = "apps.learning"
    label = "learning"
    verbose_name = "Learning"
