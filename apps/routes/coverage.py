"""How often drivers arrive within the ETA interval that was told (C13); reads only.

The interval is meant to hold nine times in ten. Measured is when service could begin, by
the device's own time: an arrival before the window opens is one at its opening.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Min, Q
from django.db.models.functions import Coalesce, Greatest

from apps.orders.models import TimeWindow
from apps.routes.models import Stop

WANTED_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `measured` arrivals: how many lay `within` the interval, before it, behind it."""

    measured: int
    within: int
    early: int
    late: int

    @property
    def percent(self) -> float | None:
        """The share within; None where nothing was measured."""
        return round(100 * self.within / self.measured, 1) if self.measured else None


@dataclass(frozen=True, slots=True)
class EtaCoverage:
    """A day's coverage: of the interval told `first`, and of the one told `last`.

    The first is what stood when the stop was shown on its route, often hours before; the
    last is what stood when the driver arrived.
    """

    first: Coverage
    last: Coverage

    @property
    def wanted_percent(self) -> int:
        """How often it is meant to hold."""
        return WANTED_PERCENT


def coverage_of_day(depot_id: uuid.UUID, day: date) -> EtaCoverage:
    """Return how often a depot's drivers arrived on a day within what was told."""
    windows = "order__windows__"
    ahead = Q(**{f"{windows}closes_at__gt": F("arrived_at")})
    opens_at = Min(f"{windows}opens_at", filter=ahead)
    arrived = Stop.objects.filter(
        route__depot_id=depot_id, route__service_date=day, arrived_at__isnull=False
    ).annotate(begins_at=Greatest("arrived_at", Coalesce(opens_at, "arrived_at")))
    counts = arrived.order_by().aggregate(
        **_counts("first", "told_low_at", "told_high_at"),
        **_counts("last", "eta_low_at", "eta_high_at"),
    )
    return EtaCoverage(first=_coverage("first", counts), last=_coverage("last", counts))


def service_begins(stops: Iterable[Stop]) -> dict[uuid.UUID, datetime]:
    """Return by stop when service could begin: on arrival, or when its window opens."""
    stops = list(stops)
    windows: dict[uuid.UUID, list[tuple[datetime, datetime]]] = {}
    rows = TimeWindow.objects.filter(order__in=[stop.order_id for stop in stops])
    for order_id, opens_at, closes_at in rows.order_by("opens_at").values_list(
        "order_id", "opens_at", "closes_at"
    ):
        windows.setdefault(order_id, []).append((opens_at, closes_at))
    found = {}
    for stop in stops:
        if stop.arrived_at is None:
            continue
        ahead = [
            opens_at
            for opens_at, closes_at in windows.get(stop.order_id, ())
            if closes_at > stop.arrived_at
        ]
        found[stop.pk] = max([stop.arrived_at, *ahead[:1]])
    return found


def _counts(name: str, low: str, high: str) -> dict[str, Count]:
    """Return what is counted of arrivals whose interval was known."""
    known = Q(**{f"{low}__isnull": False, f"{high}__isnull": False})
    return {
        f"{name}_measured": Count("pk", filter=known),
        f"{name}_early": Count("pk", filter=known & Q(begins_at__lt=F(low))),
        f"{name}_late": Count("pk", filter=known & Q(begins_at__gt=F(high))),
    }


def _coverage(name: str, counts: dict[str, int]) -> Coverage:
    measured, early, late = (
        counts[f"{name}_{what}"] for what in ("measured", "early", "late")
    )
    return Coverage(measured, measured - early - late, early, late)
