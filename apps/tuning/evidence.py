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
from apps.tuning.clusters import SERVICE, Cluster, Report, clustered
from apps.tuning.proposing import SOURCE, Known, Said, ServiceRequest

REPORTED_SINCE = timedelta(days=28)


def reports_of(depot_id: uuid.UUID, *, now: datetime) -> list[Report]:
    """Return the feedback of the last weeks as reports, each with its place's key."""
    rows = list(
        Feedback.objects.filter(
            depot_id=depot_id, raised_at__gte=now - REPORTED_SINCE, raised_at__lte=now
        ).order_by("pk")
    )
    zones = _zones([row.stop_id for row in rows if row.stop_id])
    return [
        Report(
            feedback_id=str(row.pk),
            person=row.person,
            reason=row.reason,
            text=row.text,
            place=f"zone:{zones[row.stop_id]}" if row.stop_id in zones else "depot",
        )
        for row in rows
    ]


def _zones(stop_ids: list[str]) -> Mapping[str, str]:
    ids = [found for text in stop_ids if (found := parse_id(text)) is not None]
    rows = Stop.objects.filter(pk__in=ids, order__zone__isnull=False)
    return {str(pk): name for pk, name in rows.values_list("pk", "order__zone__name")}


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
