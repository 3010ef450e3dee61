"""The room's registration with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Core: clock, ids, units, problems, the queue's one door."""

    name = "apps.core"
    label = "core"
    verbose_name = "Core"
