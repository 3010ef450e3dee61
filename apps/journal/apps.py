"""The room's registration with Django."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """Journal: what happened, and what each device must hear."""

    name = "apps.journal"
    label = "journal"
    verbose_name = "Journal"
