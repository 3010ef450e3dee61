"""Identifiers: UUIDv7, so that rows made later sort later (RFC 9562, 5.7 and 6.2)."""

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0
_STEP_BITS = 32


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits.

    Within one millisecond of one process the random part only grows (RFC 9562, 6.2,
    method 2), so that rows made in a sequence sort in it.
    """
    global _last  # noqa: PLW0603  the generator's state
    milliseconds = time.time_ns() // 1_000_000
    fresh = (milliseconds & (1 << 48) - 1) << 74 | int.from_bytes(os.urandom(10)) >> 6
    with _lock:
        if fresh >> 74 <= _last >> 74:
            fresh = _last + 1 + (int.from_bytes(os.urandom(_STEP_BITS // 8)))
        _last = fresh
    rand_b = fresh & (1 << 62) - 1
    rand_a = fresh >> 62 & 0xFFF
    number = (fresh >> 74) << 80 | 0x7 << 76 | rand_a << 64 | 0x2 << 62 | rand_b
    return uuid.UUID(int=number)
