"""The room's registration with Django."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Notifications: the outbox, its transports, consent, replies."""

    name = "apps.notifications"
    label = "notifications"
    verbose_name = "Messages"
