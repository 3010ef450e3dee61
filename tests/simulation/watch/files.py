"""Files of proof and fixes of places: each where it belongs, whole, and once."""

import io
from typing import Any

from django.core.files.storage import storages
from PIL import Image

from apps.core.units import epoch_ms
from apps.drivers.models import Position, Shift
from apps.sync.models import Attachment, Upload, UploadPart
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import Claim, Memory

FILE = ("pk", "driver_id", "stop_id", "sha256", "status", "stored_name")
PLACE = ("driver_id", "device_id", "mono_ms", "occurred_ms", "lat_e6", "lon_e6")
SHIFT = ("pk", "driver_id", "starts_at", "started_at", "ended_at", "status")


class Files:
    """A file proves the stop that its event named, and is what was sent."""

    reads = ("sync_attachment", "sync_upload", "sync_uploadpart")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.bound: dict[str, str] = {}
        self.looked_at: set[str] = set()

    def check(self) -> None:
        for row in self.memory.tables.rows(Attachment, *FILE):
            if row.stop_id:
                claim = Claim(row.pk, row.sha256, row.stop_id, row.driver_id)
                is_claimed = claim in self.memory.claims
                must(is_claimed, "a file is bound by id and hash", row.pk)
                first = self.bound.setdefault(row.pk, row.stop_id)
                must(first == row.stop_id, "one file belongs to one stop", row.pk)
            if row.status == "stored" and row.pk not in self.looked_at:
                self.looked_at.add(row.pk)
                file = self.memory.files[row.pk]
                must(
                    row.sha256 == file.sha256
                    and _colour(row.stored_name) == file.colour,
                    "a stored file is the one that was sent",
                    row.pk,
                )
        self._offsets()

    def _offsets(self) -> None:
        """What an upload says that it has is what its parts amount to, while it has any."""
        came: dict[object, int] = {}
        for part in self.memory.tables.rows(UploadPart, "upload_id", "length"):
            came[part.upload_id] = came.get(part.upload_id, 0) + part.length
        for upload in self.memory.tables.rows(Upload, "pk", "offset"):
            due = came.get(upload.pk, upload.offset)
            must(upload.offset == due, "no byte is forgotten", (upload.offset, due))


class Positions:
    """A fix is kept once, as it was taken, and only of a shift."""

    reads = ("drivers_position", "drivers_shift")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.seen: set[int] = set()
        self.begun: set[object] = set()
        self.acknowledged: set[int] = set()

    def check(self) -> None:
        rows: list[Any] = self.memory.tables.rows(Position, *PLACE)
        places = [row.lat_e6 for row in rows]
        must(len(places) == len(set(places)), "a repeated fix is one row")
        shifts = self.memory.tables.rows(Shift, *SHIFT)
        for row in rows:
            if row.lat_e6 not in self.seen:
                self._is_as_taken(row, shifts)
        self.seen = set(places)
        self.begun = {shift.pk for shift in shifts if shift.started_at}
        lost = self.acknowledged - self.seen
        must(not lost, "every acknowledged fix is stored", lost)

    def _is_as_taken(self, row: Any, shifts: list[Any]) -> None:
        fix = self.memory.fixes[row.lat_e6]
        must(
            (row.driver_id, row.device_id, row.mono_ms, row.lon_e6)
            == (fix.driver_id, fix.device_id, fix.mono_ms, fix.lon_e6),
            "a fix is its driver's",
            row,
        )
        is_work = any(
            shift.driver_id == row.driver_id
            and shift.status != "cancelled"
            and self._begins_ms(shift) <= row.occurred_ms
            and (shift.ended_at is None or row.occurred_ms <= epoch_ms(shift.ended_at))
            for shift in shifts
        )
        must(is_work, "a fix is of a shift", row)

    def _begins_ms(self, shift: Any) -> int:
        """Return from when on a fix that is new in this step is of a shift.

        A begin that is told in the same step may come behind the fix: until it came, the
        plan said when the shift begins.
        """
        begins_ms = epoch_ms(shift.started_at or shift.starts_at)
        if shift.pk in self.begun:
            return begins_ms
        return min(begins_ms, epoch_ms(shift.starts_at))


def _colour(stored_name: str) -> tuple[int, ...]:
    with storages["proofs"].open(stored_name) as file:
        picture = Image.open(io.BytesIO(file.read())).convert("RGB")
    pixel = picture.getpixel((0, 0))
    return pixel if isinstance(pixel, tuple) else ()
