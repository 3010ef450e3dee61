"""Where a driver was: fixes as arrays, and which of them fall into a shift. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fixes:
    """`n` fixes of one boot of a device, as parallel arrays of `n` whole numbers.

    `occurred_ms` are epoch milliseconds, `lat_e6` and `lon_e6` millionths of a degree.
    """

    boot_id: str
    mono_ms: Integers
    occurred_ms: Integers
    lat_e6: Integers
    lon_e6: Integers
    accuracy_m: Integers | None = None
    speed_cm_s: Integers | None = None
    heading_deg: Integers | None = None

    def __len__(self) -> int:
        """Return how many fixes there are."""
        return len(self.mono_ms)

    @property
    def boot_key(self) -> int:
        """Name the boot by 64 bits: what, with `mono_ms`, tells a repeated fix."""
        digest = blake2b(self.boot_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


def within(occurred_ms: Integers, spans: Iterable[tuple[int, int]]) -> Flags:
    """Say which instants fall into one of the half-open spans of milliseconds."""
    inside = np.zeros(len(occurred_ms), dtype=bool)
    for from_ms, until_ms in spans:
        inside |= (occurred_ms >= from_ms) & (occurred_ms < until_ms)
    return inside
