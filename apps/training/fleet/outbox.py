"""What a device has to tell: events in their order, kept until the server has answered.

Pure. An event leaves the outbox only by an answer that names it; a lost answer leaves it
there, and it is sent again under its first id.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 16
RETRY = "retry"


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One fact, as it was written down; it never changes afterwards."""

    id: str
    seq: int
    kind: str
    stop_id: str
    payload: str
    device_time: int
    mono_ms: int
    boot_id: str

    def row(self) -> dict[str, Any]:
        """Return the event as the wire has it."""
        return {
            "id": self.id,
            "seq": self.seq,
            "kind": self.kind,
            "stop_id": self.stop_id or None,
            "payload": self.payload,
            "device_time": self.device_time,
            "mono_ms": self.mono_ms,
            "boot_id": self.boot_id,
            "depends_on": None,
        }


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the device's clocks show: wall and monotonic milliseconds, and the boot."""

    wall_ms: int
    mono_ms: int
    boot_id: str


@dataclass(slots=True)
class Outbox:
    """Events that wait for their answer, oldest first; it survives a reboot."""

    owner: str
    waiting: dict[str, DeviceEvent] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    made: list[DeviceEvent] = field(default_factory=list)

    def add(
        self, kind: str, stop_id: str, payload: Mapping[str, Any], clocks: Clocks
    ) -> DeviceEvent:
        """Write a fact down."""
        seq = len(self.made) + 1
        event = DeviceEvent(
            id=event_id(self.owner, seq),
            seq=seq,
            kind=kind,
            stop_id=stop_id,
            payload=json.dumps(payload, sort_keys=True),
            device_time=clocks.wall_ms,
            mono_ms=clocks.mono_ms,
            boot_id=clocks.boot_id,
        )
        self.made.append(event)
        self.waiting[event.id] = event
        return event

    def batch(self, limit: int) -> list[DeviceEvent]:
        """Return the oldest events that wait."""
        return list(self.waiting.values())[:limit]

    def sent(self, events: Iterable[DeviceEvent]) -> int:
        """Note that events went out; return how many had gone out before."""
        again = 0
        for event in events:
            again += event.id in self.tries
            self.tries[event.id] = self.tries.get(event.id, 0) + 1
        return again

    def settle(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Take the answers: what is not to be tried again is done with."""
        for result in results:
            if result["table"] == "events" and result["result"] != RETRY:
                self.waiting.pop(result["id"], None)


def event_id(owner: str, seq: int) -> str:
    """Return 16 letters and digits, as client libraries make them, for an event."""
    digest = hashlib.blake2b(f"{owner}:{seq}".encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(ID_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)
