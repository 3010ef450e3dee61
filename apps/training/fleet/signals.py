"""When a telephone has no signal wherever it is: outages by chance, from a seed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.training.town.chance import stream

GAP_MINUTES = (45, 170)
LENGTH_MINUTES = (3, 16)
BOOT = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Outage:
    """A half-open interval without signal."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Tell whether the instant lies in it."""
        return self.begins_at <= at < self.ends_at


def outages(
    seed: int, driver: str, begins_at: datetime, ends_at: datetime
) -> tuple[Outage, ...]:
    """Return a driver's outages of a day."""
    rng = stream(seed, f"outages {driver} {begins_at.date()}")
    found: list[Outage] = []
    at = begins_at
    while True:
        at += timedelta(minutes=rng.uniform(*GAP_MINUTES))
        if at >= ends_at:
            return tuple(found)
        length = timedelta(minutes=rng.uniform(*LENGTH_MINUTES))
        found.append(Outage(at, at + length))
        at += length


def is_out(known: Iterable[Outage], at: datetime) -> bool:
    """Tell whether one of the outages holds the instant."""
    return any(outage.holds(at) for outage in known)
