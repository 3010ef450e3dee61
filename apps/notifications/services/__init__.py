"""The room's verbs."""

from apps.notifications.services.consents import record_consent
from apps.notifications.services.queueing import queue_message, queue_messages

__all__ = ["queue_message", "queue_messages", "record_consent"]
