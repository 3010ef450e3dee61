"""The inbox: what was acknowledged is there, dated, in its turn, and judged justly."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.simulation.device import OUTCOMES, Made
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import OPEN, REVOKED, Memory

ROUNDING_MS = 2


class Inbox:
    """Asks of every event that came or was judged since the last look."""

    reads = ("sync_deviceevent", "sync_quarantinedevent")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def check(self) -> None:
        old, rows = self.memory.events, self.memory.inbox()
        self._is_stored(rows)
        for event_id, row in rows.items():
            must(row.result != "retry", "what is to be sent again is not kept", row.pk)
            before = old.get(event_id)
            if before is None:
                self._is_as_made(row)
            if row.result != "held" and (before is None or before.result == "held"):
                self._is_judged_well(row, rows)
        gone = old.keys() - rows.keys()
        must(not gone, "every acknowledged event is stored", gone)
        self.memory.events = rows

    def _is_stored(self, rows: Mapping[str, Any]) -> None:
        for event_id, (result, code) in self.memory.first.items():
            row = rows.get(event_id)
            must(row is not None, "every acknowledged event is stored", event_id)
            if row is not None and row.result not in OPEN and result not in OPEN:
                must(
                    (row.result, row.code) == (result, code),
                    "every acknowledged event is stored",
                    (event_id, result, row.result),
                )

    def _is_as_made(self, row: Any) -> None:
        made = self.memory.made[row.pk]
        off_ms = abs((row.occurred_at - made.true_at) / timedelta(milliseconds=1))
        must(row.occurred_at <= row.received_at, "nothing is of the future", row.pk)
        must(
            row.time_quality != "mono" or off_ms <= row.uncertainty_ms + ROUNDING_MS,
            "an instant is as sure as it says",
            (row.pk, off_ms, row.uncertainty_ms),
        )
        if row.pk in self.memory.expects_mono:
            must(
                row.time_quality == "mono",
                "an anchored clock is believed before the wall's",
                (row.pk, row.time_quality),
            )
        must(
            row.driver_id == made.driver_id and row.device_id == made.device_id,
            "an event is its driver's",
            row.pk,
        )

    def _is_judged_well(self, row: Any, rows: Mapping[str, Any]) -> None:
        """An event is judged in its turn, after what it depends on, and justly."""
        made = self.memory.made[row.pk]
        self._is_just(made, row.result, row.code)
        if row.result == "rejected":
            is_kept = self.memory.is_quarantined(row.pk, row.code)
            must(is_kept, "what is rejected is kept", (row.pk, row.code))
            return
        self._is_of_its_time(made, row)
        if row.pk in self.memory.forced:
            return
        if row.depends_on:
            must(row.depends_on in rows, "what an event depends on is there", row.pk)
        unheard = [
            other.id
            for other in self.memory.made.values()
            if other.device_id == made.device_id
            and other.row["seq"] < made.row["seq"]
            and not other.pushes
        ]
        must(not unheard, "an event waits for the earlier ones", (row.pk, unheard))

    def _is_just(self, made: Made, result: str, code: str) -> None:
        """No evidence is rejected that its driver could give."""
        stop_id, kind = str(made.row["stop_id"]), str(made.row["kind"])
        if not kind.startswith("stop."):
            return
        was_given = made.driver_id in self.memory.ever[stop_id]
        # A stop may go to a driver in the same step, after this was judged.
        surely = made.driver_id in self.memory.ever_before.get(stop_id, set())
        name = "no evidence is rejected after a reassignment"
        if code == "never_assigned":
            must(not surely, name, made.row)
        if result == "rejected" and surely:
            is_evidence = kind.removeprefix("stop.") in OUTCOMES
            # What was forced may lack a step that its device has still to say.
            is_forced = made.id in self.memory.forced
            is_legal = made.is_legal and not is_forced and self._is_alone(made)
            must(not (is_evidence and is_legal), name, (made.row, code))
        if not was_given:
            is_refused = code in {"never_assigned", REVOKED}
            must(is_refused, "only who was given a stop reports it", made.row)

    def _is_alone(self, made: Made) -> bool:
        """Tell whether no other device of the driver has spoken of the stop."""
        return all(
            other.row["stop_id"] != made.row["stop_id"]
            for other in self.memory.made.values()
            if other.device_id != made.device_id and other.driver_id == made.driver_id
        )

    def _is_of_its_time(self, made: Made, row: Any) -> None:
        """What happened after a device was revoked waits for a person, and nothing else."""
        name = "a revoked device is trusted up to then"
        if made.device_id not in self.memory.revoked:
            must(row.code != REVOKED, name, ("in service", row.pk))
            return
        since, _ = self.memory.revoked[made.device_id]
        if row.time_quality != "mono" or row.kind == "device.status":
            return
        doubt = timedelta(milliseconds=2 * row.uncertainty_ms + ROUNDING_MS)
        if made.true_at > since + doubt:
            must(row.code == REVOKED, name, ("after", row.pk, row.code))
        if made.true_at <= since:
            must(row.code != REVOKED, name, ("before", row.pk))
