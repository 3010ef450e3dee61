"""The tests' twin: keeps what it was sent, and fails as it is told to."""

from typing import ClassVar

from apps.notifications import kinds
from apps.notifications.letters import Letter, SendFailed, Taken

OUTBOX: list[Letter] = []
"""All that was taken in this process, in order."""

FAILURES: list[SendFailed] = []
"""What the next sends raise instead, in order; `LOSES_ANSWERS` ones are taken first."""

LOSES_ANSWERS = "answer_lost"


class MemoryTransport:
    """Takes messages into `OUTBOX`."""

    name: ClassVar[str] = "memory"
    channels: ClassVar[frozenset[str]] = frozenset(kinds.CHANNELS)
    is_idempotent: ClassVar[bool] = False

    def send(self, letter: Letter) -> Taken:
        """Keep it, or fail as told."""
        failure = FAILURES.pop(0) if FAILURES else None
        if failure is None or failure.code == LOSES_ANSWERS:
            OUTBOX.append(letter)
        if failure is not None:
            raise failure
        return Taken(str(letter.attempt_id))

    def find(self, letter: Letter) -> Taken | None:
        """Look it up."""
        there = next((one for one in OUTBOX if one.key == letter.key), None)
        return Taken(str(there.attempt_id)) if there else None


def forget() -> None:
    """Begin anew."""
    OUTBOX.clear()
    FAILURES.clear()


class SecondTransport(MemoryTransport):
    """A second provider, for what happens when the first one fails."""

    name: ClassVar[str] = "second"
