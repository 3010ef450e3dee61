"""The stops of a day in one light read: thousands for a page, as plain tuples; reads only."""

import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from apps.core.statements import bare
from apps.core.units import Point


class StopFact(NamedTuple):
    """What a page shows of a stop; `_s` are seconds since 1970, ids as the database's.

    `opens_s` and `closes_s` are the ends of what was promised: of the first window, and
    of the last; None where any time will do.
    """

    raw_id: Any
    raw_route_id: Any
    raw_order_id: Any
    sequence: int
    status: str
    reason: str
    service_s: int
    eta_s: int | None
    eta_low_s: int | None
    eta_high_s: int | None
    arrived_s: int | None
    completed_s: int | None
    opens_s: int | None
    closes_s: int | None
    latitude: float
    longitude: float
    reference: str
    kind: str
    load_g: int
    load_ml: int
    pieces: int
    road_warning: str
    road_warning_text: str
    eta_reason: str

    @property
    def pk(self) -> uuid.UUID:
        """The stop's id."""
        return _uuid(self.raw_id)

    @property
    def order_id(self) -> uuid.UUID:
        """Its order's id."""
        return _uuid(self.raw_order_id)

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


def instant(seconds: int | None) -> datetime | None:
    """Return seconds since 1970 as an instant."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _uuid(raw: Any) -> uuid.UUID:
    return raw if isinstance(raw, uuid.UUID) else uuid.UUID(raw)


def stops_of(route_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[StopFact]]:
    """Return by route its stops, in their order."""
    if not route_ids:
        return {}
    routes = {bare(route_id): route_id for route_id in route_ids}
    marks = ", ".join(["%s"] * len(routes))
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor) % marks, list(routes))
        rows = cursor.fetchall()
    found: dict[uuid.UUID, list[StopFact]] = {key: [] for key in route_ids}
    lists = {raw: found[route_id] for raw, route_id in routes.items()}
    for row in rows:
        lists[row[1]].append(StopFact._make(row))
    return found


@cache
def _statement(vendor: str) -> str:
    """Return the read for a kind of database; `%s` stands for the routes.

    SQLite keeps instants as text: it makes seconds of them faster than Python does.
    """
    columns = [
        *("s.id", "s.route_id", "s.order_id", "s.sequence", "s.status", "s.reason"),
        "s.service_s",
        *(
            _seconds(f"s.{name}", vendor)
            for name in ("eta_at", "eta_low_at", "eta_high_at")
        ),
        *(_seconds(f"s.{name}", vendor) for name in ("arrived_at", "completed_at")),
        *(_seconds(f"w.{name}", vendor) for name in ("opens_at", "closes_at")),
        *("o.latitude", "o.longitude", "o.reference", "o.kind"),
        *("o.load_g", "o.load_ml", "o.pieces"),
        *("s.road_warning", "s.road_warning_text", "s.eta_reason"),
    ]
    return (
        "WITH s AS MATERIALIZED (SELECT * FROM routes_stop WHERE route_id IN (%s)),"  # noqa: S608  our own names
        " w AS (SELECT t.order_id, MIN(t.opens_at) AS opens_at,"
        " MAX(t.closes_at) AS closes_at FROM s"
        " JOIN orders_timewindow t ON t.order_id = s.order_id GROUP BY t.order_id)"
        f" SELECT {', '.join(columns)} FROM s"
        " JOIN orders_order o ON o.id = s.order_id"
        " LEFT JOIN w ON w.order_id = o.id ORDER BY s.sequence, s.id"
    )


def _seconds(instant: str, vendor: str) -> str:
    if vendor == "postgresql":
        # EXTRACT makes a NUMERIC of it, which takes three times as long.
        return f"CAST(DATE_PART('epoch', {instant}) AS BIGINT)"
    return f"CAST((julianday({instant}) - 2440587.5) * 86400.0 + 0.5 AS INTEGER)"
