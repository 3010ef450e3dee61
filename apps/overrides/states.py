"""Kinds and states of overrides."""

from django.db import models

from apps.core.states import Transitions


class OverrideKind(models.TextChoices):
    """What somebody wants changed."""

    MOVE_STOP = "move_stop", "Move a stop within its route"
    PIN_STOP = "pin_stop", "Pin a stop’s place or time"
    GIVE_STOP = "give_stop", "Give a stop to another driver"
    TAKE_OFF = "take_off", "Take a stop off today"
    SKIP_STOP = "skip_stop", "Skip a stop"
    CHANGE_WINDOW = "change_window", "Change a stop’s window"
    LOCK_ROUTE = "lock_route", "Lock a route against re-optimization"
    UNLOCK_ROUTE = "unlock_route", "Unlock a route"
    TAKE_ALTERNATIVE = "take_alternative", "Take an alternative of a recommendation"
    END_SHIFT_EARLY = "end_shift_early", "End a shift early"
    CHANGE_VEHICLE = "change_vehicle", "Change of vehicle"
    EXTRA_BREAK = "extra_break", "Extra break"
    OTHER = "other", "Something else, in words"


class OverrideSource(models.TextChoices):
    """By which door it came in."""

    DEVICE = "device", "Handheld"
    ADMIN = "admin", "Office"
    API = "api", "Programme"


class OverrideState(models.TextChoices):
    """How a request stands."""

    REQUESTED = "requested", "Being priced"
    WAITING = "waiting", "Waits for an answer"
    APPLIED = "applied"
    REJECTED = "rejected"
    DENIED = "denied", "Not allowed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed", "Cannot be done"


OPEN = (OverrideState.REQUESTED, OverrideState.WAITING)
"""States in which something is still to come."""

STEPS = Transitions(
    {
        OverrideState.REQUESTED: [
            OverrideState.WAITING,
            OverrideState.APPLIED,
            OverrideState.DENIED,
            OverrideState.FAILED,
            OverrideState.WITHDRAWN,
            OverrideState.EXPIRED,
        ],
        OverrideState.WAITING: [
            OverrideState.APPLIED,
            OverrideState.REJECTED,
            OverrideState.DENIED,
            OverrideState.FAILED,
            OverrideState.WITHDRAWN,
            OverrideState.EXPIRED,
        ],
        **{
            end: []
            for end in OverrideState
            if end not in {OverrideState.REQUESTED, OverrideState.WAITING}
        },
    }
)
"""What is allowed by its right goes from being priced to applied in one transaction. What
waits is priced anew where it stands, when the plan has moved on; it is denied when no rule
reaches that far any more."""


class AskReason(models.TextChoices):
    """Why somebody wants the plan to be another."""

    CUSTOMER_ASKED = "customer_asked", "The customer asked for it"
    CUSTOMER_ABSENT = "customer_absent", "The customer is not there"
    ACCESS = "access", "No access, or no parking"
    TRAFFIC = "traffic", "Traffic or a closed road"
    KNOWS_BETTER = "knows_better", "Knows the place better"
    LOAD = "load", "Load or vehicle"
    SAFETY = "safety", "Safety"
    HEALTH = "health", "Tired or unwell"
    HOURS = "hours", "Working time"
    OTHER = "other", "Something else"


class AnswerReason(models.TextChoices):
    """Why a request was answered as it was."""

    SENSIBLE = "sensible", "It makes sense"
    CUSTOMER_FIRST = "customer_first", "For the customer’s sake"
    PEOPLE_FIRST = "people_first", "For the driver’s sake"
    TOO_LATE = "too_late", "It makes others late"
    TOO_DEAR = "too_dear", "It costs too much"
    PROMISED = "promised", "The window was promised"
    OTHER_WAY = "other_way", "It is solved another way"
    NOT_NEEDED = "not_needed", "It is not needed any more"
    OTHER = "other", "Something else"
