"""The room's registration with Django."""

from django.apps import AppConfig


class VerdictsConfig(AppConfig):
    """Verdicts: who was right, and which rights that earns."""

    name = "apps.verdicts"
    label = "verdicts"
    verbose_name = "Verdicts"
