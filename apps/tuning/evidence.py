"""What speaks for a change: estimates and reports out of the tables; reads only."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from apps.feedback.models import Feedback
from apps.journal.models import Entry
from apps.learning.selectors import estimates
from apps.learning.shapes import SERVICE as SERVICE_ESTIMATES
from apps.routes.models import Stop
from apps.routes.parameters import Parameters
from apps.routes.selectors import parse_id
from apps.routes.servicetimes import place_of
from apps.tuning.clusters import SERVICE, Cluster, Report, clustered
from apps.tuning.proposing import SOURCE, Known, Said, ServiceRequest
from apps.tuning.selectors import changed_on
from apps.tuning.sequencing import KIND_OF, Seen, SequenceRequest
from apps.tuning.sequencing import SOURCE as SEQUENCE_SOURCE
from apps.tuning.topics import figures_about

REPORTED_SINCE = timedelta(days=28)
DRIFTED: Final = "monitor.drifted"
"""The entry that the model monitor writes; it is a room above, and only its record is read."""


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


@dataclass(frozen=True, slots=True)
class Drift:
    """A figure that left its usual course on a day, as the model monitor says it."""

    figure: str
    date: str
    text: str
    entry: str


def drifts_of(
    depot_id: uuid.UUID, names: Collection[str], *, now: datetime
) -> list[Drift]:
    """Return the open drifts that speak of these parameters, newest day first.

    A drift is open for four weeks, and until one of the parameters is changed: days from
    before the version in force say nothing against it.
    """
    entries = Entry.objects.filter(
        depot_id=depot_id, kind=DRIFTED, at__gte=now - REPORTED_SINCE, at__lte=now
    )
    figures, since = figures_about(names), changed_on(depot_id, names, now)
    found = [
        Drift(
            figure=entry.payload["name"],
            date=entry.payload["service_date"],
            text=entry.payload["text"],
            entry=str(entry.pk),
        )
        for entry in entries
        if entry.payload["name"] in figures
    ]
    still = [each for each in found if since is None or each.date > since.isoformat()]
    return sorted(still, key=lambda each: (each.date, each.figure), reverse=True)


def sequence_request(
    depot_id: uuid.UUID, name: str, in_force: Any, *, now: datetime
) -> SequenceRequest:
    """Return what a proposal of a parameter of sequences is made of now."""
    known = estimates(depot_id, KIND_OF[name], at=now)
    return SequenceRequest(
        source=SEQUENCE_SOURCE,
        name=name,
        in_force=in_force,
        estimates=tuple(
            Seen(
                key=each.key,
                n=each.n,
                mean=round(each.mean, 4),
                spread=round(each.spread, 4),
                as_of=each.as_of.date().isoformat(),
            )
            for _, each in sorted(known.items())
        ),
    )


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
