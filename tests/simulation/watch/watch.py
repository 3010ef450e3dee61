"""The watch over one history: all invariants, each asked when it could have been broken."""

from collections.abc import Sequence
from typing import Protocol

from tests.simulation.device import Device
from tests.simulation.watch.answers import Answers
from tests.simulation.watch.facts import Facts, Heads
from tests.simulation.watch.files import Files, Positions
from tests.simulation.watch.inbox import Inbox
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import Memory
from tests.simulation.watch.stops import Stops
from tests.simulation.watch.tables import Stamp, Tables
from tests.simulation.watch.views import Views


class Family(Protocol):
    """Invariants that are about the same tables."""

    @property
    def reads(self) -> tuple[str, ...]: ...

    def check(self) -> None: ...


class Watch:
    """Remembers what was seen, and holds the server to it."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.memory = Memory(self.tables)
        self.answers = Answers(self.memory)
        self.views = Views(self.memory)
        self.positions = Positions(self.memory)
        # What was forced is known before the inbox is asked, and that before the stops.
        self.families: Sequence[Family] = (
            Facts(self.memory),
            Inbox(self.memory),
            Stops(self.memory),
            Heads(self.memory),
            Files(self.memory),
            self.positions,
        )
        self.asked: dict[int, tuple[Stamp, int]] = {}

    def check(self) -> None:
        """Ask all that can be asked of the server's tables.

        An invariant holds as it did where nobody has written to what it is about since,
        and no answer has come that it has to agree with.
        """
        self.memory.note_holders()
        for number, family in enumerate(self.families):
            since = (self.tables.stamp(family.reads), self._answered())
            if self.asked.get(number) != since:
                family.check()
                self.asked[number] = since
        self.memory.step_is_over()

    def _answered(self) -> int:
        return self.memory.answers + len(self.positions.acknowledged)

    def has_drained(self, devices: Sequence[Device]) -> None:
        """Everything that was written down has come, and everyone knows."""
        name = "everything drains"
        for device in devices:
            for profile in device.profiles.values():
                must(not profile.outbox, name, ("unsent", device.name, profile.outbox))
                must(not profile.fixes, name, ("fixes", device.name))
                if not device.is_draining:
                    self.views.is_complete(profile)
            for file in device.files.values():
                is_safe = file.is_deleted or device.is_draining
                must(is_safe, name, ("file", file.id))
            for made in device.made:
                is_answered = made.id in self.memory.first
                must(is_answered, name, ("unanswered", made.row))
        rows = self.memory.events.values()
        held = [row.pk for row in rows if row.result == "held"]
        must(not held, name, ("held", held))
