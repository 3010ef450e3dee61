"""What speaks for a change: estimates and reports out of the tables; reads only."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.feedback.models import Feedback
from apps.learning.selectors import estimates
from apps.learning.shapes import SERVICE as SERVICE_ESTIMATES
from apps.routes.models import Stop
from apps.routes.parameters import Parameters
from apps.routes.selectors import parse_id
from apps.routes.servicetimes import place_of
from apps.tuning.clusters import SERVICE, Cluster, Report, clustered
from apps.tuning.proposing import SOURCE, Known, Said, ServiceRequest

REPORTED_SINCE = timedelta(days=28)


def reports_of(depot_id: uuid.UUID, *, now: datetime) -> list[Report]:
    """Return the feedback of the last weeks as reports, each with its place's key.

    One about a stop speaks of its zone, and again of its building.
    """
    rows = list(
        Feedback.objects.filter(
            depot_id=depot_id, raised_at__gte=now - REPORTED_SINCE, raised_at__lte=now
        ).order_by("pk")
    )
    places = _places([row.stop_id for row in rows if row.stop_id])
    return [
        Report(
            feedback_id=str(row.pk),
            person=row.person,
            reason=row.reason,
            text=row.text,
            place=place,
        )
        for row in rows
        for place in places.get(row.stop_id, ("depot",))
    ]


def _places(stop_ids: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the keys of the places where stops are: zone, then building."""
    ids = [one for text in stop_ids if (one := parse_id(text)) is not None]
    found: dict[str, tuple[str, ...]] = {}
    for stop in Stop.objects.filter(pk__in=ids).select_related("order__zone"):
        place = place_of(stop.order)
        named = (("zone", place.zone), ("building", place.building))
        keys = tuple(f"{kind}:{name}" for kind, name in named if name)
        if keys:
            found[str(stop.pk)] = keys
    return found


def clusters_of(depot_id: uuid.UUID, *, now: datetime) -> tuple[Cluster, ...]:
    """Return what people of a depot say alike."""
    return clustered(reports_of(depot_id, now=now))


def service_request(
    depot_id: uuid.UUID,
    parameters: Parameters,
    clusters: tuple[Cluster, ...],
    *,
    now: datetime,
) -> ServiceRequest:
    """Return what a proposal of service factors is made of now."""
    known = estimates(depot_id, SERVICE_ESTIMATES, at=now)
    return ServiceRequest(
        source=SOURCE,
        in_force=dict(parameters.service_factors),
        estimates=tuple(
            Known(
                key=each.key,
                n=each.n,
                mean=round(each.mean, 4),
                spread=round(each.spread, 4),
                parent=each.parent,
                as_of=each.as_of.date().isoformat(),
            )
            for _, each in sorted(known.items())
        ),
        said=tuple(
            Said(each.place, each.people, len(each.feedback_ids))
            for each in clusters
            if each.parameter == SERVICE
        ),
    )
