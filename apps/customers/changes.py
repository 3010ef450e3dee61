"""Why a customer's time has changed, and what the customer says to that; reads only."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.customers.models import Link
from apps.customers.tracking import ETA_STEP, in_steps
from apps.feedback.models import Feedback
from apps.routes.models import PlanChange, Stop
from apps.routes.states import DONE

LOOKED_BACK = timedelta(hours=24)
"""A change of an earlier day says nothing of today's time."""


@dataclass(frozen=True, slots=True)
class TimeChange:
    """The newest change of the plan that moved a customer's time.

    `why` is in the words of the plan; `was` what was told at first, where it is another
    time; `said` what this customer has objected to it.
    """

    stop_id: uuid.UUID
    recommendation_id: uuid.UUID | None
    why: str
    made_at: datetime
    was: tuple[datetime, datetime] | None = None
    said: Feedback | None = None


def time_change(link: Link, *, now: datetime) -> TimeChange | None:
    """Return what last moved the time of a link's order; None: it stands as first told."""
    stop = (
        Stop.objects.filter(order=link.order_id, route__isnull=False)
        .exclude(status__in=DONE)
        .order_by("-id")
        .first()
    )
    if stop is None:
        return None
    changes = PlanChange.objects.filter(
        route=stop.route_id, made_at__gt=now - LOOKED_BACK
    ).select_related("plan")
    newest = next((one for one in changes if _moves(one, str(stop.pk))), None)
    if newest is None:
        return None
    about = newest.plan.recommendation_id
    return TimeChange(
        stop.pk,
        about,
        newest.why,
        newest.made_at,
        _first_told(stop),
        _said(link, about),
    )


def _moves(change: PlanChange, stop_id: str) -> bool:
    """Tell whether a change gave a stop another place or time."""
    parts: tuple[list[dict[str, Any]], ...] = (
        change.added,
        change.moved,
        change.eta_moved,
    )
    return any(item.get("stop_id") == stop_id for part in parts for item in part)


def _first_told(stop: Stop) -> tuple[datetime, datetime] | None:
    """Return the interval that was told at first, where what holds is another one."""
    low, high = stop.told_low_at, stop.told_high_at
    if low is None or high is None or stop.eta_low_at is None:
        return None
    is_other = abs(stop.eta_low_at - low) >= ETA_STEP
    return in_steps(low, high) if is_other else None


def _said(link: Link, about: uuid.UUID | None) -> Feedback | None:
    rows = Feedback.objects.filter(recommendation=about, person=f"link:{link.pk}")
    return rows.first()
