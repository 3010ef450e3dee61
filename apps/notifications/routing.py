"""Which way a message goes next: channels in the depot's order, providers in the house's.

Pure. A provider that refuses is left for the next one; one that cannot take it just now
is tried again, so many times, before the next one is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

CONSOLE: Final = "console"
TRIES: Final = 3
BACKOFF: Final = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
)
"""How long to wait after the first, second… time that nobody could take it."""

NEVER_AGAIN: Final = frozenset({"rejected", "undelivered"})
LATER: Final = frozenset({"unavailable", "absent"})


@dataclass(frozen=True, slots=True)
class Step:
    """One provider of one channel, and the person's address there."""

    channel: str
    address: str
    provider: str


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt went: an attempt's state."""

    channel: str
    provider: str
    state: str


def steps_of(
    ways: Sequence[Sequence[str]], providers: Mapping[str, Sequence[str]]
) -> list[Step]:
    """Return all steps in order; a channel without a provider is shown on the console."""
    return [
        Step(channel, address, provider)
        for channel, address in ways
        for provider in providers.get(channel) or (CONSOLE,)
    ]


def next_step(steps: Sequence[Step], tried: Sequence[Tried]) -> Step | None:
    """Return the step to take next, or None where all are used up.

    The first channel that is left; of its providers the one that failed least, so that
    a second one is asked as soon as the first fails, and the first one again after it.
    """
    left = [step for step in steps if not _is_used_up(step, tried)]
    if not left:
        return None
    of_channel = [step for step in left if step.channel == left[0].channel]
    return min(of_channel, key=lambda step: _failures(step, tried))


def wait_before(step: Step | None, tried: Sequence[Tried]) -> timedelta:
    """Return how long to wait before a step: not at all where it was not tried yet."""
    failures = _failures(step, tried) if step else 0
    return BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else timedelta(0)


def _is_used_up(step: Step, tried: Sequence[Tried]) -> bool:
    states = _own(step, tried)
    return bool(NEVER_AGAIN.intersection(states)) or _failures(step, tried) >= TRIES


def _failures(step: Step, tried: Sequence[Tried]) -> int:
    return sum(state in LATER for state in _own(step, tried))


def _own(step: Step, tried: Sequence[Tried]) -> list[str]:
    return [
        one.state
        for one in tried
        if (one.channel, one.provider) == (step.channel, step.provider)
    ]
