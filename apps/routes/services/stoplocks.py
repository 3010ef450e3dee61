"""Stops read and locked, their holders first: whoever changes one comes through here."""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from apps.core.statements import (
    Statement,
    as_is,
    partly,
    read_date,
    read_instant,
    read_uuid,
)
from apps.journal.services import Writer
from apps.orders.models import Order
from apps.routes.models import Route, Stop

FOLDED = (
    *("status", "reason", "enroute_at", "arrived_at", "completed_at"),
    *("completed_by_id", "version"),
)
_STOP_READ = (
    *("id", "order_id", "route_id", "sequence", "service_s", "plan_eta_at", "eta_at"),
    *("eta_low_at", "eta_high_at"),
    *FOLDED,
)
_ROUTE_READ = ("id", "driver_id", "status")
_ORDER_READ = ("id", "depot_id", "service_date", "status")
LOCKED: Final = Statement(
    """
    SELECT s.id, s.order_id, s.route_id, s.sequence, s.service_s, s.plan_eta_at,
           s.eta_at, s.eta_low_at, s.eta_high_at, s.status, s.reason, s.enroute_at,
           s.arrived_at, s.completed_at, s.completed_by_id, s.version,
           r.id, r.driver_id, r.status,
           o.id, o.depot_id, o.service_date, o.status
      FROM routes_stop s JOIN orders_order o ON o.id = s.order_id
      LEFT JOIN routes_route r ON r.id = s.route_id
     WHERE s.id IN %s ORDER BY s.id
    """,
    *(read_uuid, read_uuid, read_uuid, as_is, as_is, read_instant, read_instant),
    *(read_instant, read_instant, as_is, as_is, read_instant),
    *(read_instant, read_instant, read_uuid, as_is),
    *(read_uuid, read_uuid, as_is),
    *(read_uuid, read_uuid, read_date, as_is),
    lock="FOR UPDATE OF s, o",
)
HOLDERS: Final = Statement(
    """
    SELECT s.id, r.driver_id FROM routes_stop s
      LEFT JOIN routes_route r ON r.id = s.route_id WHERE s.id IN %s
    """,
    *(read_uuid, read_uuid),
)


def lock_stop(stop_id: uuid.UUID, journal: Writer) -> Stop | None:
    """Lock one stop as `lock_stops` does; None where there is none."""
    return next(iter(lock_stops({stop_id}, journal)), None)


def lock_stops(stop_ids: Collection[uuid.UUID], journal: Writer) -> list[Stop]:
    """Lock the stops' holders, then the stops; a holder may move while we wait."""
    rows = Stop.objects.filter(pk__in=stop_ids)
    locked = rows.select_for_update(of=("self", "order"))
    locked = locked.select_related("route", "order").order_by("pk")
    return _locked_with_holders(stop_ids, journal, lambda: list(locked.all()))


def lock_stops_to_fold(stop_ids: Collection[uuid.UUID], journal: Writer) -> list[Stop]:
    """Lock stops as above, and read of them what a fold asks; orders are shared.

    Where the transaction may begin again, its holders are locked already but for one
    who has come by the stop since.
    """
    if journal.is_holding_back:
        stops = _stops_of(LOCKED.rows(stop_ids)) if stop_ids else []
        journal.require(holder for stop in stops if (holder := holder_of(stop)))
        return stops
    return _locked_with_holders(
        stop_ids, journal, lambda: _stops_of(LOCKED.rows(stop_ids))
    )


def _stops_of(rows: Iterable[Sequence[Any]]) -> list[Stop]:
    orders_by_id: dict[uuid.UUID, Order] = {}
    routes_by_id: dict[uuid.UUID, Route] = {}
    found = []
    for row in rows:
        values = iter(row)
        stop, route, order = (
            partly(model, names, [next(values) for _ in names])
            for model, names in (
                (Stop, _STOP_READ),
                (Route, _ROUTE_READ),
                (Order, _ORDER_READ),
            )
        )
        if stop.route_id is not None:
            stop.route = routes_by_id.setdefault(route.pk, route)
        stop.order = orders_by_id.setdefault(order.pk, order)
        found.append(stop)
    return found


def _locked_with_holders(
    stop_ids: Collection[uuid.UUID], journal: Writer, lock: Callable[[], list[Stop]]
) -> list[Stop]:
    while stop_ids:
        held: dict[uuid.UUID, uuid.UUID | None] = dict(HOLDERS.rows(stop_ids))
        journal.lock({driver_id for driver_id in held.values() if driver_id})
        stops = lock()
        if all(holder_of(stop) == held.get(stop.pk) for stop in stops):
            return stops
    return []


def holder_of(stop: Stop) -> uuid.UUID | None:
    """Return the driver who has a stop on the route."""
    return stop.route.driver_id if stop.route else None
