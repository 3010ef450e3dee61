"""How far a day keeps to what customers prefer: as planned, and as it was; reads only."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from apps.orders.models import PreferredWindow
from apps.routes.models import Stop
from apps.routes.states import DONE, StopState


@dataclass(frozen=True, slots=True)
class PreferenceShare:
    """How many of a day's preferences the plan keeps, and how many were kept.

    `wished` stops have a preference; `planned` of them are expected within it. `done` of
    them were visited; at `kept` of those the driver arrived within it, by the device's
    own time.
    """

    wished: int
    planned: int
    done: int
    kept: int


def preferences_of_day(depot_id: uuid.UUID, day: date) -> PreferenceShare:
    """Return how far a depot's day keeps to what its customers prefer."""
    rows = PreferredWindow.objects.filter(
        order__depot_id=depot_id, order__service_date=day
    )
    wanted: dict[uuid.UUID, list[tuple[datetime, datetime]]] = {}
    for order_id, opens, closes in rows.values_list(
        "order_id", "opens_at", "closes_at"
    ):
        wanted.setdefault(order_id, []).append((opens, closes))
    stops = Stop.objects.filter(
        order__preferences__in=rows, route__isnull=False, route__service_date=day
    ).exclude(status=StopState.CANCELLED)
    shares = [
        (
            _is_within(stop.eta_at or stop.planned_arrival_at, wanted[stop.order_id]),
            stop.status in DONE,
            _is_within(stop.arrived_at or stop.completed_at, wanted[stop.order_id]),
        )
        for stop in stops.distinct()
    ]
    return PreferenceShare(
        wished=len(shares),
        planned=sum(planned for planned, _, _ in shares),
        done=sum(done for _, done, _ in shares),
        kept=sum(done and kept for _, done, kept in shares),
    )


def _is_within(
    at: datetime | None, windows: Iterable[tuple[datetime, datetime]]
) -> bool:
    return at is not None and any(opens <= at < closes for opens, closes in windows)
