"""What was told of a stop, as far as an interval learns from it. Pure.

Of each horizon one telling is kept a stop: of the nearest and the middle one the last, as
it stood when the driver came; of the far one the first, with which the day began. On
arrival they are scored, all at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from apps.routes.conformal import (
    BANDS_S,
    Calibration,
    Today,
    band_of,
    freed,
    learn_today,
    score,
)
from apps.routes.etaparts import Expected, TravelLaw
from apps.routes.sketches import Scored

FIRST_IS_KEPT: Final = len(BANDS_S)
"""The far horizon, of which the first telling stays."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What was told of a stop once; instants in seconds since 1970.

    `arrives_s` is without the wait for a window, `spread_s` the model's, `ahead_s` how
    far off it was. `shift` and `stretch` are what that day had made of the interval;
    where it `is_one_sided`, nothing could be early.
    """

    arrives_s: float
    spread_s: float
    ahead_s: float
    shift: float
    stretch: float
    low_s: float
    high_s: float
    hour: int
    is_one_sided: bool = False

    @property
    def band(self) -> int:
        """Its horizon."""
        return band_of(self.ahead_s)


def telling_of(expected: Expected, law: TravelLaw) -> Telling:
    """Return what is worth keeping of what is expected of a stop."""
    today = Today()
    if law.calibration is not None:
        today = law.calibration.now(expected.ahead_s)
    return Telling(
        arrives_s=round(expected.arrives_at.timestamp(), 3),
        spread_s=round(expected.spread_s, 1),
        ahead_s=round(expected.ahead_s, 1),
        shift=round(today.shift, 4),
        stretch=round(today.stretch, 4),
        low_s=round(expected.low_at.timestamp(), 3),
        high_s=round(expected.high_at.timestamp(), 3),
        hour=expected.arrives_at.astimezone(ZoneInfo(law.zone)).hour,
        is_one_sided=expected.is_one_sided,
    )


def kept(known: Mapping[str, Telling], told: Telling) -> dict[str, Telling]:
    """Return the tellings of a stop by horizon, with one more."""
    band = str(told.band)
    if told.band == FIRST_IS_KEPT and band in known:
        return dict(known)
    return {**known, band: told}


def scored(telling: Telling, arrived_at: datetime) -> float:
    """Return how many spreads an arrival came after what was told."""
    return score(arrived_at.timestamp(), telling.arrives_s, telling.spread_s)


def learn_arrival(
    calibration: Calibration,
    zone: str,
    tellings: Sequence[Telling],
    arrived_at: datetime,
) -> Calibration:
    """Return what is known of today after one more arrival; the margins stay."""
    today = list(calibration.today or (Today(),) * (len(BANDS_S) + 1))
    for told in tellings:
        today[told.band] = learn_today(
            today[told.band],
            calibration.of(told.ahead_s, zone, told.hour),
            scored(told, arrived_at),
            shift=told.shift,
            stretch=told.stretch,
            is_one_sided=told.is_one_sided,
        )
    return replace(calibration, today=tuple(today))


def scores_of(
    calibration: Calibration,
    zone: str,
    tellings: Sequence[Telling],
    arrived_at: datetime,
) -> list[Scored]:
    """Return the scores of an arrival, freed of their day, as the night learns them.

    Where no margins are known, nobody knows what is usual either: what the first day did
    to its intervals is what the night has to learn.
    """
    return [
        Scored(
            band=told.band,
            zone=zone,
            hour=told.hour,
            score=_freed(calibration, zone, told, scored(told, arrived_at)),
        )
        for told in tellings
    ]


def _freed(calibration: Calibration, zone: str, told: Telling, off: float) -> float:
    if not calibration.margins:
        return off
    usual = calibration.of(told.ahead_s, zone, told.hour)
    return freed(off, usual, shift=told.shift, stretch=told.stretch)
