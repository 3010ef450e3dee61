"""States of plans, routes and stops."""

from django.db import models

from apps.core.states import Transitions


class PlanState(models.TextChoices):
    """How a plan stands."""

    QUEUED = "queued"
    SOLVING = "solving"
    READY = "ready", "Ready to publish"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    UNCHANGED = "unchanged", "Nothing to change"
    FAILED = "failed"


PLAN_STEPS = Transitions(
    {
        PlanState.QUEUED: [PlanState.SOLVING, PlanState.FAILED, PlanState.SUPERSEDED],
        PlanState.SOLVING: [
            PlanState.QUEUED,
            PlanState.READY,
            PlanState.PUBLISHED,
            PlanState.UNCHANGED,
            PlanState.FAILED,
            PlanState.SUPERSEDED,
        ],
        PlanState.READY: [PlanState.PUBLISHED, PlanState.SUPERSEDED],
        PlanState.PUBLISHED: [PlanState.SUPERSEDED],
        PlanState.SUPERSEDED: [],
        PlanState.UNCHANGED: [],
        PlanState.FAILED: [PlanState.QUEUED],
    }
)


class StopState(models.TextChoices):
    """How a stop stands."""

    PENDING = "pending"
    ENROUTE = "enroute", "On the way"
    ARRIVED = "arrived"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PARTIAL = "partial", "Partly done"
    CANCELLED = "cancelled"


DONE = (
    StopState.SUCCEEDED,
    StopState.FAILED,
    StopState.PARTIAL,
    StopState.CANCELLED,
)
"""States in which nothing more is to be done at the stop."""

UNDER_WAY = (StopState.ENROUTE, StopState.ARRIVED)
FROZEN = (*DONE, *UNDER_WAY)
"""States in which re-optimization leaves a stop where it is."""

_VISITED = [StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL]

STOP_STEPS = Transitions(
    {
        StopState.PENDING: [StopState.ENROUTE, StopState.ARRIVED, *_VISITED],
        StopState.ENROUTE: [StopState.PENDING, StopState.ARRIVED, *_VISITED],
        StopState.ARRIVED: [StopState.PENDING, *_VISITED],
        StopState.SUCCEEDED: [StopState.PENDING],
        StopState.FAILED: [StopState.PENDING],
        StopState.PARTIAL: [StopState.PENDING],
        StopState.CANCELLED: [],
    }
)
"""What a device may report. A driver may skip the way and the arrival; a visited stop
becomes pending by `stop.reopened` or a correction. Cancelling is the office's verb."""


class RouteState(models.TextChoices):
    """How a route stands."""

    DRAFT = "draft"
    PUBLISHED = "published"
    STARTED = "started"
    FINISHED = "finished"


class ConditionState(models.TextChoices):
    """How a condition of the road stands."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    ENDED = "ended", "Ended early"
    EXPIRED = "expired"


OPEN_CONDITIONS = (ConditionState.UNCONFIRMED, ConditionState.CONFIRMED)
"""States in which a condition counts, from its begin to its expiry."""

CONDITION_STEPS = Transitions(
    {
        ConditionState.UNCONFIRMED: [
            ConditionState.CONFIRMED,
            ConditionState.ENDED,
            ConditionState.EXPIRED,
        ],
        ConditionState.CONFIRMED: [ConditionState.ENDED, ConditionState.EXPIRED],
        ConditionState.ENDED: [],
        ConditionState.EXPIRED: [],
    }
)


class PlanningMode(models.TextChoices):
    """Who thinks for a depot."""

    OPTIMIZER = "optimizer", "Optimizer"
    RULES = "rules", "Rules alone"


class Act(models.TextChoices):
    """What the machine may do on its own, where a decision point lets it."""

    PLAN = "plan", "Plan a day by the optimizer"
    REPAIR = "repair", "Mend a running plan after an event"
    REPLAN = "replan", "Re-optimize a running plan"
    ETA = "eta", "Make expected times anew"
    PARAMETERS = "parameters", "Put learned parameters in force, or take them back"


class Leave(models.TextChoices):
    """How far the machine may go at a decision point."""

    YES = "yes", "Yes"
    ASK = "ask", "Only when asked"
    NO = "no", "No"
