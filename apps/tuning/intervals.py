"""A past day's told times anew: as the model spreads them, or as past errors have it; reads.

What each day would itself have taught is left out: it is what the office would have had at
the least. Judged is the interval score (Gneiting and Raftery 2007): the width, and for a
miss how far, times 2 by the share that may miss. It cannot be won by width alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

from apps.depots.models import Depot
from apps.routes.calibrating import margins_before, tellings_in
from apps.routes.calibrationrows import StopTelling
from apps.routes.conformal import Calibration, Group
from apps.routes.eta import Z90
from apps.routes.parameters import CONFORMAL, Parameters
from apps.routes.tellings import Telling
from apps.tuning.pastdays import CannotReplay
from apps.tuning.topics import INTERVAL_SCORE

MISSED: Final = 0.1
"""The share of arrivals that an interval may miss."""

LEAST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Told:
    """One time that was told, and by how many seconds the driver came later."""

    telling: Telling
    zone: str
    off_s: float


def replay_intervals(
    depot: Depot, day: date, old: Parameters, new: Parameters
) -> tuple[dict[str, float], dict[str, float]]:
    """Return a day's figures of told times under both values.

    Raises:
        CannotReplay: too few times were told, or nothing had been learned by then.
    """
    begins = datetime.combine(day, time(), ZoneInfo(depot.time_zone))
    told = list(_told(depot, begins, begins + timedelta(days=1)))
    if len(told) < LEAST_TOLD:
        raise CannotReplay(f"Only {len(told)} of its times were told and came true.")
    known = margins_before(depot.pk, begins)
    if CONFORMAL in (old.eta_interval, new.eta_interval) and not known.version:
        raise CannotReplay("No errors had been learned from before this day.")
    return _figures(told, old, known), _figures(told, new, known)


def _told(depot: Depot, since: datetime, until: datetime) -> Iterator[Told]:
    rows = StopTelling.objects.filter(
        depot=depot, arrived_at__gte=since, arrived_at__lt=until
    )
    for row in rows.order_by("pk").iterator():
        if row.arrived_at is not None and row.told:
            for each in tellings_in(row.told):
                off_s = row.arrived_at.timestamp() - each.arrives_s
                yield Told(each, row.zone, off_s)


def _figures(
    told: list[Told], values: Parameters, known: Calibration
) -> dict[str, float]:
    scores, widths, held = [], [], 0
    for each in told:
        low_s, high_s = bounds_s(each, values, known)
        miss_s = max(0.0, low_s - each.off_s, each.off_s - high_s)
        scores.append(high_s - low_s + 2 / MISSED * miss_s)
        widths.append(high_s - low_s)
        held += miss_s == 0
    return {
        INTERVAL_SCORE: round(fmean(scores), 1),
        "interval_width_s": round(fmean(widths), 1),
        "interval_held_pct": round(100 * held / len(told), 1),
    }


def bounds_s(told: Told, values: Parameters, known: Calibration) -> tuple[float, float]:
    """Return from how early to how late an interval reaches, as the values make it."""
    spread_s = told.telling.spread_s
    if values.eta_interval != CONFORMAL:
        return -Z90 * spread_s, Z90 * spread_s
    ahead_s, group = told.telling.ahead_s, Group(told.zone, told.telling.hour)
    reach = known.reach(ahead_s, spread_s, group, None)
    return max(reach.low_s, -ahead_s), reach.high_s
