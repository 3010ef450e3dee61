"""The room's registration with Django."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    """Sync: the device's door."""

    name = "apps.sync"
    label = "sync"
    verbose_name = "Sync"
