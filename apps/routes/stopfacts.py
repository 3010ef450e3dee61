"""The stops of a day in one light read: thousands for a page, as plain tuples; reads only."""

import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from django.db import connection

from apps.core.cursors import bare
from apps.core.units import Point
from apps.routes.models import Stop


class StopFact(NamedTuple):
    """What a page shows of a stop; `_s` are seconds since 1970, ids as text.

    `closes_s` is the end of what was promised, that of the last window; None where any
    time will do. What is said of few stops alone is read for those: `eta_reasons`.
    """

    raw_id: str
    raw_route_id: str
    raw_order_id: str
    sequence: int
    status: str
    reason: str
    service_s: int
    eta_s: int | None
    eta_high_s: int | None
    arrived_s: int | None
    completed_s: int | None
    closes_s: int | None
    latitude: float
    longitude: float
    reference: str
    road_warning: str
    road_warning_text: str

    @property
    def pk(self) -> uuid.UUID:
        """The stop's id."""
        return uuid.UUID(self.raw_id)

    @property
    def order_id(self) -> uuid.UUID:
        """Its order's id."""
        return uuid.UUID(self.raw_order_id)

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(self.latitude, self.longitude)

    @property
    def eta_at(self) -> datetime | None:
        """When the driver is expected."""
        return instant(self.eta_s)

    @property
    def closes_at(self) -> datetime | None:
        """Until when it was promised."""
        return instant(self.closes_s)


IN_ORDER = attrgetter("sequence", "raw_id")


def instant(seconds: int | None) -> datetime | None:
    """Return seconds since 1970 as an instant."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def stops_of(route_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[StopFact]]:
    """Return by route its stops, in their order."""
    if not route_ids:
        return {}
    asked = [bare(route_id) for route_id in route_ids]
    marks = ", ".join(["%s"] * len(asked))
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor) % marks, asked)
        rows = cursor.fetchall()
    found: dict[uuid.UUID, list[StopFact]] = {key: [] for key in route_ids}
    by_text = {str(raw): found[key] for raw, key in zip(asked, route_ids, strict=True)}
    for row in rows:
        by_text[row[1]].append(StopFact._make(row))
    for stops in found.values():
        stops.sort(key=IN_ORDER)
    return found


def eta_reasons(stop_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return by stop why its ETA is what it is; stops of which nothing is said are not in it."""
    rows = Stop.objects.filter(pk__in=stop_ids).exclude(eta_reason="").order_by()
    return dict(rows.values_list("pk", "eta_reason"))


@cache
def _statement(vendor: str) -> str:
    """Return the read for a kind of database; `%s` stands for the routes.

    SQLite keeps instants as text: it makes seconds of them faster than Python does.
    """
    # As text, ids cost neither an object each nor a hash by Python.
    columns = [
        *(f"CAST(s.{name} AS TEXT)" for name in ("id", "route_id", "order_id")),
        *("s.sequence", "s.status", "s.reason", "s.service_s"),
        *(
            _seconds(f"s.{name}", vendor)
            for name in ("eta_at", "eta_high_at", "arrived_at", "completed_at")
        ),
        _seconds(
            "(SELECT MAX(t.closes_at) FROM orders_timewindow t"
            " WHERE t.order_id = s.order_id)",
            vendor,
        ),
        *("o.latitude", "o.longitude", "o.reference"),
        *("s.road_warning", "s.road_warning_text"),
    ]
    return (
        f"SELECT {', '.join(columns)} FROM routes_stop s"  # noqa: S608  our own names
        " JOIN orders_order o ON o.id = s.order_id WHERE s.route_id IN (%s)"
    )


def _seconds(instant: str, vendor: str) -> str:
    if vendor == "postgresql":
        # EXTRACT makes a NUMERIC of it, which takes three times as long.
        return f"CAST(DATE_PART('epoch', {instant}) AS BIGINT)"
    return f"CAST((julianday({instant}) - 2440587.5) * 86400.0 + 0.5 AS INTEGER)"
