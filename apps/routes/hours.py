"""How travel differs by the hour of the day. Pure."""

from collections.abc import Sequence

import numpy as np

CROW_KMH_BY_HOUR = {
    0: 25.3,
    3: 27.2,
    5: 30.9,
    6: 26.7,
    7: 20.3,
    8: 16.1,
    9: 15.0,
    10: 15.9,
    12: 15.4,
    15: 15.7,
    17: 16.2,
    19: 18.5,
    20: 20.9,
    22: 22.5,
}
"""Speed over the great circle by hour; our fit on New York's taxi trips of July 2013.

Hours between are interpolated. Only the ratios are used here.
"""

WORKING_HOURS = range(7, 20)
HOUR_EFFECT = 0.5
"""How much of New York's swing over the day applies: 0 none, 1 all of it."""


def hour_factor(
    hour: int | None,
    *,
    effect: float = HOUR_EFFECT,
    by_hour: Sequence[float] = (),
) -> float:
    """Return how much longer travel takes at `hour` (local) than in the day's mean.

    `by_hour` are 24 learned factors, which stand in for the built-in ones where given.
    """
    if hour is None:
        return 1.0
    if by_hour:
        return by_hour[hour % 24]
    slower = _MEAN_KMH / _KMH[hour % 24]
    return 1 + (slower - 1) * effect


def _crow_kmh(hour: int) -> float:
    known = sorted(CROW_KMH_BY_HOUR)
    speeds = [CROW_KMH_BY_HOUR[each] for each in known]
    return float(np.interp(hour, [*known, 24], [*speeds, speeds[0]]))


_KMH = tuple(_crow_kmh(hour) for hour in range(24))
_MEAN_KMH = sum(_KMH[hour] for hour in WORKING_HOURS) / len(WORKING_HOURS)
