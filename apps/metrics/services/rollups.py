"""Days become figures; a figure that leaves its usual course becomes a fact."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.journal.services import Writer, writing
from apps.metrics.drift import (
    REFERENCE_DAYS,
    SUMMED_DAYS,
    Day,
    Reading,
    Shape,
    drifted,
)
from apps.metrics.figures import Figure, figures_of_day
from apps.metrics.models import DailyFigure
from apps.metrics.monitored import LEAST_SEEN, MONITORED, as_text

LOOKED_BACK = timedelta(days=2 * (REFERENCE_DAYS + SUMMED_DAYS))
"""Days without work leave no figure: so far back enough of them are found."""

FOUND = ["value", "n", "low", "high", "centre", "deviations", "is_drift"]


def roll_up(depot: Depot, day: date, *, by: Actor, now: datetime) -> list[DailyFigure]:
    """Write a depot's figures of one day, in the place of those that it had.

    Doing it twice writes the same; a drift is told once, by the entry
    `monitor.drifted`, also where it is found only after late reports of the day.
    """
    found = figures_of_day(depot, day)
    with writing(by=by, now=now) as journal:
        Depot.objects.select_for_update().get(pk=depot.pk)
        readings = _read(depot, day, found)
        known = DailyFigure.objects.filter(depot=depot, day=day)
        told = set(known.filter(is_drift=True).values_list("name", flat=True))
        rows = DailyFigure.objects.bulk_create(
            [_row(depot, day, each, readings, now) for each in found],
            update_conflicts=True,
            unique_fields=["depot", "day", "name", "key"],
            update_fields=[*FOUND, "rolled_up_at"],
        )
        known.filter(rolled_up_at__lt=now).delete()
        fresh = [row for row in rows if row.is_drift and row.name not in told]
        _tell(depot, day, fresh, journal)
    kept = DailyFigure.objects.filter(depot=depot, day=day)
    return list(kept.order_by("name", "key"))


def _read(depot: Depot, day: date, found: Iterable[Figure]) -> dict[str, Reading]:
    """Return what the charts say of the day's watched figures, by name."""
    today = {each.name: each for each in found if not each.key}
    past = DailyFigure.objects.filter(
        depot=depot, key="", day__lt=day, day__gte=day - LOOKED_BACK
    )
    courses: dict[str, list[Day]] = {}
    for name, value, n in past.order_by("day").values_list("name", "value", "n"):
        if _counts(name, n):
            courses.setdefault(name, []).append(Day(value, n))
    return drifted(
        {
            name: (
                MONITORED[name].shape,
                [*courses.get(name, ()), Day(each.value, each.n)],
            )
            for name, each in today.items()
            if _counts(name, each.n)
        }
    )


def _counts(name: str, n: int) -> bool:
    if name not in MONITORED:
        return False
    return MONITORED[name].shape is Shape.SHARE or n >= LEAST_SEEN


def _row(
    depot: Depot,
    day: date,
    figure: Figure,
    readings: dict[str, Reading],
    now: datetime,
) -> DailyFigure:
    read = None if figure.key else readings.get(figure.name)
    return DailyFigure(
        depot=depot,
        day=day,
        name=figure.name,
        key=figure.key,
        value=round(figure.value, 6),
        n=figure.n,
        low=round(read.low, 6) if read else None,
        high=round(read.high, 6) if read else None,
        centre=round(read.centre, 6) if read else None,
        deviations=read.deviations if read else None,
        is_drift=read.is_drift if read else False,
        rolled_up_at=now,
    )


def _tell(
    depot: Depot, day: date, rows: Iterable[DailyFigure], journal: Writer
) -> None:
    for row in rows:
        usual = as_text(row.name, row.centre or 0.0)
        journal.record(
            "monitor.drifted",
            depot,
            depot_id=depot.pk,
            service_date=day.isoformat(),
            name=row.name,
            title=MONITORED[row.name].title,
            value=row.value,
            n=row.n,
            centre=row.centre,
            low=row.low,
            high=row.high,
            deviations=row.deviations,
            text=(
                f"{MONITORED[row.name].title} on {day:%d %B}:"
                f" {as_text(row.name, row.value)}, usually {usual}."
            ),
        )
