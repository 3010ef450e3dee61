"""Questions of the journey of messages; they never write."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from apps.customers.journey import Interval, Standing
from apps.notifications.models import Message
from apps.notifications.selectors import last_of_reasons
from apps.routes.models import Stop
from apps.routes.states import DONE, RouteState, StopState

WITH_ORDER = ("order__customer", "order__depot", "route")
OUT_THERE = (RouteState.PUBLISHED, RouteState.STARTED)


def stops_of_day(depot_id: uuid.UUID, service_date: date) -> list[Stop]:
    """Return the stops ahead on a day's published routes."""
    rows = _ahead().filter(route__depot_id=depot_id, route__service_date=service_date)
    return list(rows)


def stops_near(*, until: datetime, now: datetime) -> list[Stop]:
    """Return the stops ahead of routes that are under way and expected soon, or late."""
    rows = _ahead().filter(route__status=RouteState.STARTED)
    return list(
        rows.filter(eta_at__lt=until, route__ends_at__gt=now - timedelta(hours=6))
    )


def stops_ahead(stop_ids: Sequence[uuid.UUID]) -> list[Stop]:
    """Return those of these stops that are still ahead."""
    return list(_ahead().filter(pk__in=stop_ids))


def stops_by_id(stop_ids: Sequence[uuid.UUID]) -> list[Stop]:
    """Return stops with their orders and customers, in the order of time."""
    rows = Stop.objects.select_related(*WITH_ORDER).filter(pk__in=stop_ids)
    return list(rows.order_by("pk"))


def last_stop_of(order_id: uuid.UUID) -> Stop | None:
    """Return the newest stop of an order."""
    rows = Stop.objects.select_related(*WITH_ORDER).filter(order_id=order_id)
    return rows.order_by("-id").first()


def standings_of(stops: Sequence[Stop]) -> Mapping[uuid.UUID, Standing]:
    """Return how stops of one depot stand; those without an ETA are left out."""
    if not stops:
        return {}
    depot_id = stops[0].order.depot_id
    last = last_of_reasons(depot_id, [planned_reason(stop) for stop in stops])
    return {
        stop.pk: standing
        for stop in stops
        if (standing := standing_of(stop, last.get(planned_reason(stop))))
    }


def standing_of(stop: Stop, planned: Message | None) -> Standing | None:
    """Return how a stop stands, by its row and what its customer was told."""
    if stop.eta_at is None or stop.route is None:
        return None
    low, high = stop.eta_low_at or stop.eta_at, stop.eta_high_at or stop.eta_at
    return Standing(
        eta=stop.eta_at,
        expected=Interval(low, high),
        windows=[
            Interval(window.opens_at, window.closes_at)
            for window in stop.order.windows.all()
        ],
        promised_until=planned.told_until if planned else None,
        has_started=stop.route.status == RouteState.STARTED,
        is_under_way=stop.status == StopState.ENROUTE,
        is_first=bool(getattr(stop, "is_first", False)),
    )


def planned_reason(stop: Stop) -> str:
    """Return the reason under which a stop's window is told."""
    return f"planned/{stop.pk}"


def by_depot(stops: Iterable[Stop]) -> Mapping[uuid.UUID, list[Stop]]:
    """Return stops by the depot that they are served from."""
    found: dict[uuid.UUID, list[Stop]] = {}
    for stop in stops:
        found.setdefault(stop.order.depot_id, []).append(stop)
    return found


def _ahead() -> QuerySet[Stop]:
    before = Stop.objects.filter(
        route=OuterRef("route"), sequence__lt=OuterRef("sequence")
    ).exclude(status__in=DONE)
    rows = Stop.objects.filter(route__status__in=OUT_THERE, eta_at__isnull=False)
    rows = rows.filter(status__in=[StopState.PENDING, StopState.ENROUTE])
    return (
        rows.annotate(is_first=~Exists(before))
        .select_related(*WITH_ORDER)
        .prefetch_related("order__windows")
        .order_by("route_id", "sequence")
    )
