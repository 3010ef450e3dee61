"""Sums that events are added to and taken out of, in any order. Pure.

A sketch keeps its events in bins of their value, with the count, the weight, and the
weighted sum of each bin: additive, yet enough for a median and for a mean without
outliers, whichever events came first.

Old events weigh less by forward decay: an event's weight grows with its date from a
fixed landmark, and is divided by one factor when it is read. So nothing has to be
decayed that was added before (Cormode, Shkapenyuk, Srivastava, Xu: Forward decay,
ICDE 2009).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BIN = 0.1
"""Width of a bin; of a logarithm it is a step of ten per cent."""

LANDMARK = datetime(2026, 1, 1, tzinfo=UTC)
HALF_LIFE = timedelta(days=60)
"""After so long an event weighs half: our guess between a season and a move of house."""


@dataclass(frozen=True, slots=True)
class Added:
    """What one thing adds to one key: `n` events of a value, with their decayed weight.

    `mix` says among what the events were (driver's class, parcels), so that a place's
    figure can be freed of them.
    """

    kind: str
    key: str
    value: float
    weight: float
    mix: str = ""
    n: int = 1


@dataclass(slots=True)
class Sketch:
    """Events of one key: by bin (count, weight, weighted sum), and weight by mix."""

    bins: dict[int, list[float]] = field(default_factory=dict)
    mix: dict[str, list[float]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many events there are."""
        return round(sum(row[0] for row in self.bins.values()))

    @property
    def weight(self) -> float:
        """Their weight, as of the landmark."""
        return sum(row[1] for row in self.bins.values())

    def add(self, added: Added, sign: int = 1) -> None:
        """Add events, or take them out with `sign` -1: exactly what was added."""
        number, n, weight = round(added.value / BIN), sign * added.n, added.weight
        _raise(self.bins, number, (n, sign * weight, sign * weight * added.value))
        if added.mix:
            _raise(self.mix, added.mix, (n, sign * weight))

    def join(self, other: "Sketch") -> None:
        """Add all of another sketch."""
        for number, row in other.bins.items():
            _raise(self.bins, number, row)
        for name, row in other.mix.items():
            _raise(self.mix, name, row)

    def packed(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"b": {str(k): v for k, v in self.bins.items()}, "m": self.mix}


def unpacked(sums: Mapping[str, Any]) -> Sketch:
    """Return the sketch that `packed` made JSON of."""
    bins = {int(number): list(row) for number, row in sums.get("b", {}).items()}
    return Sketch(bins, {name: list(row) for name, row in sums.get("m", {}).items()})


def joined(sketches: Iterable[Sketch]) -> Sketch:
    """Return all events of some sketches together."""
    whole = Sketch()
    for sketch in sketches:
        whole.join(sketch)
    return whole


def grown(at: datetime) -> float:
    """Return the weight of an event at an instant, as of the landmark."""
    return float(2.0 ** ((at - LANDMARK) / HALF_LIFE))


def _raise(rows: dict[Any, list[float]], key: Any, more: Iterable[float]) -> None:
    """Raise a row's sums; a row without events is none, whatever rounding left of it."""
    row = rows.get(key)
    row = list(more) if row is None else [a + b for a, b in zip(row, more, strict=True)]
    if row[0]:
        rows[key] = row
    else:
        rows.pop(key, None)
