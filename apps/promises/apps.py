"""The room's registration with Django."""

from django.apps import AppConfig


class PromisesConfig(AppConfig):
    """Promises: what a customer is offered, and holds."""

    name = "apps.promises"
    label = "promises"
    verbose_name = "Promises"
