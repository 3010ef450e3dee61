"""What a push is answered: every row once, the same for ever, and nothing refused unjustly."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from apps.sync.models import DeviceEvent
from tests.simulation.device import Answer, Device, Row
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import OPEN, Memory

RESULTS = {
    *("applied", "duplicate", "superseded", "needs_review", "held"),
    *("rejected", "retry"),
}


@dataclass(frozen=True)
class Sent:
    """A push as it went out: from which device, and with whose credential."""

    device: Device
    driver_id: uuid.UUID
    body: Row

    def maker_of(self, row: Row) -> str:
        """Return the driver whom a row names, if that one ever signed in on the device."""
        named = str(row.get("driver_id", ""))
        return named if named in {str(each) for each in self.device.asked} else ""

    def rows(self) -> list[tuple[str, str, Row | None]]:
        """Return table, id and row of all that was sent; a deleted one has no row."""
        found: list[tuple[str, str, Row | None]] = []
        for table, changes in self.body["changes"].items():
            written = [*changes.get("created", []), *changes.get("updated", [])]
            found += [(table, row["id"], row) for row in written]
            found += [(table, row_id, None) for row_id in changes.get("deleted", [])]
        return found


class Answers:
    """Holds the answer to a push against what was pushed and answered before."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.anew: set[str] = set()
        self.coming: dict[str, int] = {}

    def hear(self, sent: Sent, answer: Answer, hit: str) -> None:
        """Take in what a push was answered; `hit` is the fault that befell it."""
        status = answer.status
        if status == 403:
            self._refused(sent)
            return
        must(status != 401, "evidence is never blocked", status)
        if status != 200:
            is_due = status == 503 and hit == "busy"
            must(is_due, "a push is answered", (status, answer))
            return
        rows, results = sent.rows(), answer.body["results"]
        must(len(results) == len(rows), "every row is answered once")
        again: list[str] = []
        self.coming = _coming(results, {row_id: row for _, row_id, row in rows})
        for (table, row_id, row), result in zip(rows, results, strict=True):
            must(
                (result["table"], result["id"]) == (table, row_id)
                and result["result"] in RESULTS,
                "every row is answered once",
                result,
            )
            if table != "events":
                code = (result["result"], result["code"])
                must(code == ("rejected", "read_only_table"), "tables of ours", result)
                continue
            if result["result"] == "retry":
                again.append(row_id)
            self._event(sent, row, result, hit)
        told = answer.body["experimentalRejectedIds"].get("events", [])
        must(told == again, "no endless re-push", (told, again))

    def _refused(self, sent: Sent) -> None:
        """A push is refused for one reason alone; what it brought is kept all the same."""
        action = self.memory.acts(sent.device.id)
        must(action == "wipe", "evidence is never blocked", ("403", action))
        for table, row_id, row in sent.rows():
            if table == "events" and row is not None:
                is_kept = self.memory.is_quarantined(row_id)
                must(is_kept, "what is rejected is kept", (row_id, "device_revoked"))

    def _event(self, sent: Sent, row: Row | None, result: Row, hit: str) -> None:
        said = (result["result"], result["code"])
        made = self.memory.made[result["id"]]
        if row is None:
            must(said == ("rejected", "delete_not_allowed"), "facts stay", result)
            return
        if not self.memory.is_same(row, sent.driver_id, sent.maker_of(row)):
            must(said == ("rejected", "id_reused"), "an id has one body", result)
            self._is_kept(made.id, "id_reused")
            return
        if said[0] == "retry":
            self.memory.asked_again.setdefault(made.id, sent.device.now())
            is_due = said[1] == "internal" and hit == "bug"
            is_waiting = not self._has_base(row) or self._follows_another(row)
            # What it waits for may have come between the verdict and this answer.
            is_waiting |= hit == "between"
            is_due |= said[1] == "dependency_missing" and is_waiting
            must(is_due, "no endless re-push", (result, hit))
            return
        if said[0] == "duplicate":
            self._repeat(made.id, result["original"])
        else:
            self._fresh(made.id, said)
        first = self.memory.first[made.id]
        if first[0] == "rejected":
            self._is_kept(made.id, first[1])

    def _repeat(self, event_id: str, original: Row) -> None:
        first = (original["result"], original["code"])
        known = self.memory.first.get(event_id)
        must(
            known in {None, first} or (known and known[0] in OPEN),
            "a repeat gets the first answer",
            (known, first),
        )
        self.memory.answered(event_id, first)

    def _fresh(self, event_id: str, said: tuple[str, str]) -> None:
        known = self.memory.first.get(event_id)
        # Another's push of it may come between the effect and this answer.
        is_first = known in {None, said} and event_id not in self.anew
        must(
            is_first or (known and known[0] == "held"),
            "each takes effect once",
            ("answered anew", known, said),
        )
        self.anew.add(event_id)
        self.memory.answered(event_id, said)

    def _has_base(self, row: Row) -> bool:
        base = row["depends_on"] or json.loads(row["payload"]).get("corrects", "")
        rows: Any = self.memory.tables.rows(DeviceEvent, "pk", "result")
        return any(each.pk == base and each.result != "held" for each in rows)

    def _follows_another(self, row: Row) -> bool:
        """Tell whether an earlier report of the same stop is to be sent again as well."""
        first = self.coming.get(row["stop_id"])
        return first is not None and first < int(row["seq"])

    def _is_kept(self, event_id: str, code: str) -> None:
        is_kept = self.memory.is_quarantined(event_id, code)
        must(is_kept, "what is rejected is kept", (event_id, code))


def _coming(results: list[Row], rows: dict[str, Row | None]) -> dict[str, int]:
    """Return the first number of each stop that is to be sent again, by stop."""
    first: dict[str, int] = {}
    for result in results:
        row = rows[result["id"]]
        if result["result"] == "retry" and row is not None and row["stop_id"]:
            stop_id, seq = row["stop_id"], int(row["seq"])
            first[stop_id] = min(seq, first.get(stop_id, seq))
    return first
