"""What the model monitor's page and API ask of the figures; reads only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, FloatField, Sum
from django.db.models.functions import Cast

from apps.metrics.models import DailyFigure
from apps.metrics.monitored import MONITORED

SHOWN_DAYS = 42


@dataclass(frozen=True, slots=True)
class Cell:
    """How often the intervals of one part held over the days, of `n` arrivals."""

    zone: str
    hour: int
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Course:
    """A monitored figure over the days."""

    name: str
    rows: Sequence[DailyFigure]

    @property
    def last(self) -> DailyFigure:
        """The newest day's."""
        return self.rows[-1]

    @property
    def drifts(self) -> list[DailyFigure]:
        """The days on which it left its course."""
        return [row for row in self.rows if row.is_drift]


@dataclass(frozen=True, slots=True)
class Part:
    """A figure of one kind or role over the days."""

    name: str
    key: str
    share: float
    n: int


def courses_of(depot_id: uuid.UUID, first: date, last: date) -> list[Course]:
    """Return the monitored figures of a depot's days, in their order."""
    rows = DailyFigure.objects.filter(
        depot_id=depot_id, key="", day__gte=first, day__lte=last
    )
    by_name: dict[str, list[DailyFigure]] = {}
    for row in rows.order_by("day"):
        by_name.setdefault(row.name, []).append(row)
    return [Course(name, by_name[name]) for name in MONITORED if name in by_name]


def calibration_of(depot_id: uuid.UUID, first: date, last: date) -> list[Cell]:
    """Return how often intervals held by zone and hour, over the days together."""
    cells = []
    for key, share, n in _summed(depot_id, "coverage", "cell:", first, last):
        zone, _, hour = key.removeprefix("cell:").rpartition("@")
        cells.append(Cell(zone, int(hour), share, n))
    return cells


def parts_of(depot_id: uuid.UUID, name: str, first: date, last: date) -> list[Part]:
    """Return a figure by kind and role, over the days together."""
    return [
        Part(name, key, share, n)
        for kind in ("kind:", "role:")
        for key, share, n in _summed(depot_id, name, kind, first, last)
    ]


def _summed(
    depot_id: uuid.UUID, name: str, kind: str, first: date, last: date
) -> list[tuple[str, float, int]]:
    rows = DailyFigure.objects.filter(
        depot_id=depot_id,
        name=name,
        key__startswith=kind,
        day__gte=first,
        day__lte=last,
    )
    hits = Sum(F("value") * Cast("n", FloatField()))
    sums = rows.order_by("key").values_list("key").annotate(hits=hits, all=Sum("n"))
    return [(key, count / n, n) for key, count, n in sums if n]


def span_until(last: date) -> tuple[date, date]:
    """Return the days that are shown where nobody asks for others."""
    return last - timedelta(days=SHOWN_DAYS - 1), last
