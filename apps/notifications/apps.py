"""The room's registration with Django."""

from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Notifications: the outbox, its transports, consent, replies."""

    name = "apps.notifications"
    label = "notifications"
    verbose_name = "Messages"

    def ready(self) -> None:
        """Register what `check --deploy` looks at."""
        import_module("apps.notifications.checks")
