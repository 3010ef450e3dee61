"""The room's registration with Django."""

from django.apps import AppConfig


class TuningConfig(AppConfig):
    """Proposals of parameter versions, from their evidence to the way back."""

    name = "apps.tuning"
    label = "tuning"
    verbose_name = "Learned changes"
