"""What learned margins would have made of intervals that were told; reads only.

The margins are those that were known before the days on which they are tried, and without
what each day would have taught: what the office would have had at the least. It is the
evidence for or against `eta_interval`.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from apps.routes.calibrating import margins_before, tellings_in
from apps.routes.calibrationrows import StopTelling
from apps.routes.conformal import Calibration, Group
from apps.routes.tellings import Telling


@dataclass(frozen=True, slots=True)
class IntervalTrial:
    """Coverage and mean width of `count` tellings: as told, and by margins `version`."""

    count: int
    version: int
    told_percent: float
    told_width_s: float
    learned_percent: float
    learned_width_s: float


def interval_trial(
    depot_id: uuid.UUID, since: datetime, until: datetime
) -> IntervalTrial | None:
    """Try on what drivers reached between two instants the margins known before.

    None where no margins were known by then, or nobody arrived.
    """
    known = margins_before(depot_id, since)
    if not known.version:
        return None
    tried = list(_tried(depot_id, since, until, known))
    if not tried:
        return None
    told, learned, told_s, learned_s = zip(*tried, strict=True)
    count = len(tried)
    return IntervalTrial(
        count=count,
        version=known.version,
        told_percent=round(100 * sum(told) / count, 1),
        told_width_s=round(sum(told_s) / count),
        learned_percent=round(100 * sum(learned) / count, 1),
        learned_width_s=round(sum(learned_s) / count),
    )


def _tried(
    depot_id: uuid.UUID, since: datetime, until: datetime, known: Calibration
) -> Iterator[tuple[bool, bool, float, float]]:
    """Yield of each telling: was it held, would it have been, and both widths."""
    rows = StopTelling.objects.filter(
        depot_id=depot_id, arrived_at__gte=since, arrived_at__lt=until
    )
    for row in rows.iterator():
        if row.arrived_at is None or row.began_at is None:
            continue
        began_s = row.began_at.timestamp()
        for told in tellings_in(row.told):
            group = Group(row.zone, told.hour)
            reach = known.reach(told.ahead_s, told.spread_s, group, None)
            off_s = row.arrived_at.timestamp() - told.arrives_s
            is_early = off_s < reach.low_s and not reach.is_one_sided
            yield (
                holds(told, began_s),
                off_s <= reach.high_s and not is_early,
                told.high_s - told.low_s,
                reach.high_s - max(reach.low_s, -told.ahead_s),
            )


def holds(told: Telling, began_s: float) -> bool:
    """Tell whether service began within what was told, to half a second."""
    return told.low_s - 0.5 <= began_s <= told.high_s + 0.5
