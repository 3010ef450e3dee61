"""What past days teach: how long services take by part of town; reads only."""

import uuid
from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Max, Min

from apps.routes.courses import service_factors
from apps.routes.models import PlanningParameter, Stop
from apps.routes.states import StopState

LOOKS_BACK = timedelta(days=28)
LONGEST = 5
"""A service beyond so many times what was planned is a report that came late."""


def services_by_zone(depot_id: uuid.UUID, *, now: datetime) -> dict[str, float]:
    """Return by zone's name how much longer services take than planned.

    From arrival to completion by the devices' own times, of the stops that were served in
    the last four weeks, or since services are planned by other factors: what was learned
    then stands in the plan, and must not count twice. An arrival before the window opened is left out: it waited.
    """
    rows = Stop.objects.filter(
        order__depot_id=depot_id,
        order__zone__isnull=False,
        status__in=[StopState.SUCCEEDED, StopState.PARTIAL],
        arrived_at__isnull=False,
        completed_at__gte=_since(depot_id, now),
        completed_at__lte=now,
        service_s__gt=0,
    ).annotate(opens_at=Min("order__windows__opens_at"))
    planned_s: dict[str, float] = defaultdict(float)
    true_s: dict[str, float] = defaultdict(float)
    for zone, planned, arrived_at, completed_at, opens_at in rows.values_list(
        "order__zone__name", "service_s", "arrived_at", "completed_at", "opens_at"
    ):
        if arrived_at is None or completed_at is None:
            continue
        took_s = (completed_at - arrived_at).total_seconds()
        if not 0 < took_s <= LONGEST * planned:
            continue
        if opens_at is not None and arrived_at < opens_at:
            continue
        planned_s[zone] += planned
        true_s[zone] += took_s
    return service_factors(planned_s, true_s)


def _since(depot_id: uuid.UUID, now: datetime) -> datetime:
    newest = PlanningParameter.objects.filter(
        depot_id=depot_id, name="service_factors", valid_from__lte=now
    ).aggregate(at=Max("valid_from"))["at"]
    return max(newest, now - LOOKS_BACK) if newest else now - LOOKS_BACK
