"""States of messages and of attempts to send them."""

from django.db import models

from apps.core.states import Transitions


class MessageState(models.TextChoices):
    """How a message stands."""

    QUEUED = "queued", "Waiting"
    SENDING = "sending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered"
    UNKNOWN = "unknown", "Unknown whether sent"
    DEAD = "dead", "Could not be sent"
    BLOCKED = "blocked", "Held back"
    WITHDRAWN = "withdrawn", "Withdrawn"


MESSAGE_STEPS = Transitions(
    {
        MessageState.QUEUED: [
            MessageState.SENDING,
            MessageState.BLOCKED,
            MessageState.WITHDRAWN,
            MessageState.DEAD,
        ],
        MessageState.SENDING: [
            MessageState.SENT,
            MessageState.QUEUED,
            MessageState.UNKNOWN,
            MessageState.BLOCKED,
            MessageState.DEAD,
        ],
        MessageState.UNKNOWN: [
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.QUEUED,
            MessageState.DEAD,
        ],
        MessageState.SENT: [
            MessageState.DELIVERED,
            MessageState.QUEUED,
            MessageState.DEAD,
        ],
        MessageState.DEAD: [MessageState.QUEUED],
        MessageState.BLOCKED: [MessageState.QUEUED],
        MessageState.DELIVERED: [],
        MessageState.WITHDRAWN: [],
    }
)
"""Only a person's word leads on from what is dead or held back; a sent message goes back
to waiting when its provider says that it never arrived and another way is left."""

RESENDABLE = (MessageState.DEAD, MessageState.BLOCKED, MessageState.UNKNOWN)
"""States from which a person may have a message sent (again)."""

TOLD = (MessageState.SENDING, MessageState.SENT, MessageState.DELIVERED)
"""States in which the person has heard it, or is about to."""


class AttemptState(models.TextChoices):
    """How one attempt at one provider went."""

    STARTED = "started"
    ACCEPTED = "accepted"
    REJECTED = "rejected", "Refused for good"
    UNAVAILABLE = "unavailable", "Not taken; later perhaps"
    UNCLEAR = "unclear", "No answer"
    ABSENT = "absent", "Not with the provider"
    UNDELIVERED = "undelivered", "Never arrived"
