"""States of incidents and of what is to be done about them."""

from django.db import models

from apps.core.states import Transitions


class IncidentState(models.TextChoices):
    """How an incident stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


INCIDENT_STEPS = Transitions(
    {
        IncidentState.OPEN: [
            IncidentState.OPEN,
            IncidentState.ASSIGNED,
            IncidentState.RESOLVED,
        ],
        IncidentState.ASSIGNED: [
            IncidentState.OPEN,
            IncidentState.ASSIGNED,
            IncidentState.RESOLVED,
        ],
        IncidentState.RESOLVED: [],
    }
)
"""Escalation opens it again for the next role; what is resolved stays so: the same cause
would be another fact, with another name."""

UNRESOLVED = (IncidentState.OPEN, IncidentState.ASSIGNED)


class Severity(models.TextChoices):
    """How much it matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(models.TextChoices):
    """How an incident ended."""

    SOLVED = "solved", "Solved"
    BY_ITSELF = "by_itself", "The cause went away"
    FALSE_ALARM = "false_alarm", "False alarm"


class ItemState(models.TextChoices):
    """How an item of work stands."""

    OPEN = "open", "To do"
    DONE = "done"
    DROPPED = "dropped", "Not needed"


ITEM_STEPS = Transitions(
    {
        ItemState.OPEN: [ItemState.OPEN, ItemState.DONE, ItemState.DROPPED],
        ItemState.DONE: [],
        ItemState.DROPPED: [],
    }
)
