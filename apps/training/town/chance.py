"""Seeded chance that is the same on every machine.

Streams come from `random.Random` seeded with text (hashed by SHA-512, so
`PYTHONHASHSEED` has no part in it); single draws come from BLAKE2b of their key,
so that they do not depend on the order in which they are asked for. Floats are added by
`math.fsum`: since Python 3.12 `sum` rounds them otherwise than before. No function of
the platform's maths library stands between the seed and a draw.
"""

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, name: str) -> random.Random:
    """Return the independent random stream of one part of the town."""
    return random.Random(f"roundsman:{seed}:{name}")  # noqa: S311 - no secret here


def draw(seed: int, *key: object) -> float:
    """Return the number in [0, 1) that belongs to this key."""
    text = "\x1f".join([str(seed), *map(str, key)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def bell(seed: int, *key: object) -> float:
    """Return a bell-shaped number of mean 0 and deviation 1 that belongs to the key.

    The sum of twelve uniform numbers less six (Irwin-Hall): within 6 deviations.
    """
    return math.fsum(draw(seed, *key, part) for part in range(12)) - 6.0


def weighted(rng: random.Random, choices: Sequence[tuple[T, float]]) -> T:
    """Pick one of the choices by its weight."""
    left = rng.random() * math.fsum(weight for _, weight in choices)
    for value, weight in choices:
        left -= weight
        if left < 0:
            return value
    return choices[-1][0]
