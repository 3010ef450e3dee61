"""The room's registration with Django."""

from django.apps import AppConfig


class OverridesConfig(AppConfig):
    """Overrides: what people change in a plan, who may, and who agreed."""

    name = "apps.overrides"
    label = "overrides"
    verbose_name = "Overrides"
