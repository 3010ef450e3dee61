"""A gap for a job where another stop leaves its route, and the sequence that this makes."""

from __future__ import annotations

from typing import NamedTuple


class Offer(NamedTuple):
    """A gap for a job that `out` (a leg) leaves for, by what the exchange costs there.

    The cost counts what the leaving saves. Legs are counted with the other still there.
    """

    cost_milli: int
    number: int
    out: int
    leg: int


def with_instead(
    sequence: tuple[int, ...], out: int, job: int, leg: int
) -> tuple[int, ...]:
    """Take the job at leg `out` away and put another in at `leg`, both counted before."""
    if leg <= out:
        return (*sequence[:leg], job, *sequence[leg:out], *sequence[out + 1 :])
    return (*sequence[:out], *sequence[out + 1 : leg], job, *sequence[leg:])
