"""A push, read: from rows as they came to events that can be judged. Pure.

Only what the device owns is read and hashed: columns of ours that come along, as client
libraries send them, are passed over. What cannot be read is refused row by row.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import orjson
from msgspec import Meta

from apps.core.verdicts import REJECTED, Verdict
from apps.sync.kinds import PAYLOADS
from apps.sync.moments import Anchor, Reading
from apps.sync.schema import EVENTS

MAX_ID: Final = 64
BIGGEST: Final = 2**63 - 1


class TableChanges(msgspec.Struct, frozen=True):
    """The rows of one table in a push, of whatever shape."""

    created: list[Any] = []
    updated: list[Any] = []
    deleted: list[Any] = []

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.created) + len(self.updated) + len(self.deleted)


class SentAnchor(msgspec.Struct, frozen=True):
    """An anchor as the device keeps it (see `moments`)."""

    boot_id: Annotated[str, Meta(min_length=1, max_length=64)]
    mono_ms: Annotated[float, Meta(ge=0, le=2**53)]
    server_time: datetime
    rtt_ms: Annotated[float, Meta(ge=0, le=2**31 - 1)]

    def anchor(self) -> Anchor | None:
        """Return the anchor; None when its time has no zone."""
        if self.server_time.tzinfo is None:
            return None
        return Anchor(
            self.boot_id,
            round(self.mono_ms),
            self.server_time.astimezone(UTC),
            round(self.rtt_ms),
        )


class DeviceClocks(msgspec.Struct, frozen=True):
    """What the device says of itself and its clocks."""

    id: Annotated[str, Meta(max_length=64)] = ""
    boot_id: Annotated[str, Meta(max_length=64)] = ""
    sent_mono_ms: float | None = None
    anchors: Annotated[list[SentAnchor], Meta(max_length=200)] = []


class PushBody(msgspec.Struct, frozen=True):
    """The envelope of a push."""

    changes: dict[str, TableChanges]
    device: DeviceClocks | None = None

    def rows(self) -> int:
        """Return how many rows there are in all tables."""
        return sum(len(table) for table in self.changes.values())


@dataclass(frozen=True, slots=True)
class Event:
    """An event whose envelope could be read; `fault` says what its payload lacks."""

    id: str
    seq: int
    kind: str
    stop_id: str
    payload: dict[str, Any]
    checked: msgspec.Struct | None
    reading: Reading
    depends_on: str
    body_hash: str
    fault: str = ""
    driver_id: str = ""
    """Who made it, where the device says so."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a push: an event, or why it is none."""

    table: str
    id: str
    body: Any = field(repr=False)
    event: Event | None = None
    refusal: Verdict | None = None

    @property
    def is_event(self) -> bool:
        """Tell whether the row was meant as a new event, readable or not."""
        code = self.refusal.code if self.refusal else ""
        return self.table == EVENTS and code != "delete_not_allowed"


class Unreadable(ValueError):
    """The row has no envelope that could be kept."""


def items_of(body: PushBody) -> list[Item]:
    """Return the rows of a push in their order, each read as far as it can be."""
    return list(_items(body))


def _items(body: PushBody) -> Iterator[Item]:
    for name, table in body.changes.items():
        table_name = clean(name)[:MAX_ID]
        if name != EVENTS:
            yield from _foreign(table_name, table)
            continue
        for row in (*table.created, *table.updated):
            yield _event_item(row)
        for row in table.deleted:
            detail = "An event is never taken back; correct it by event.corrected."
            refusal = Verdict(REJECTED, "delete_not_allowed", detail)
            yield Item(EVENTS, _id_of(row), row, refusal=refusal)


def _foreign(name: str, table: TableChanges) -> Iterator[Item]:
    refusal = Verdict(REJECTED, "read_only_table", f"A device does not write {name}.")
    for row in (*table.created, *table.updated, *table.deleted):
        yield Item(name, _id_of(row), row, refusal=refusal)


def _event_item(row: Any) -> Item:
    try:
        event = read_event(row)
    except Unreadable as fault:
        refusal = Verdict(REJECTED, "invalid", str(fault)[:300])
        return Item(EVENTS, _id_of(row), row, refusal=refusal)
    return Item(EVENTS, event.id, row, event)


def read_event(row: Any) -> Event:
    """Return the event that a row is.

    Raises:
        Unreadable: id, seq or kind are missing or cannot be kept.
    """
    if not isinstance(row, dict):
        raise Unreadable("An event is an object.")
    event_id = _word(row, "id", required=True)
    seq = _seq(row.get("seq"))
    if seq is None:
        raise Unreadable("seq must be a whole number, 0 or more.")
    kind = _word(row, "kind", required=True, longest=30)
    payload, checked, fault = _payload(kind, row.get("payload"))
    reading = _reading(row)
    stop_id, depends_on = _word(row, "stop_id"), _word(row, "depends_on")
    driver_id = _word(row, "driver_id")
    if kind.startswith("stop.") and not stop_id:
        fault = fault or "stop_id is missing."
    owned = [
        seq,
        kind,
        stop_id,
        # An empty one is the same in whatever way it is written.
        payload or ("{}" if checked is not None else row.get("payload")),
        reading.mono_ms,
        reading.boot_id,
        reading.wall_at.isoformat() if reading.wall_at else None,
        depends_on,
    ]
    return Event(
        event_id,
        seq,
        kind,
        stop_id,
        payload,
        checked,
        reading,
        depends_on,
        hash_of(owned),
        fault,
        driver_id,
    )


def number_in(item: Item) -> int | None:
    """Return the `seq` of an event, of one that could not be read as well."""
    if item.event is not None:
        return item.event.seq
    return number_of(item.body)


def number_of(body: Any) -> int | None:
    """Return the `seq` of a body of whatever shape."""
    return _seq(body.get("seq")) if isinstance(body, dict) else None


def _seq(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= BIGGEST else None


def reading_of(body: Any) -> Reading:
    """Return what the clocks said in a body, as far as it has any."""
    return _reading(body) if isinstance(body, dict) else Reading("", None, None)


def check_payload(
    kind: str, text: Any
) -> tuple[dict[str, Any], msgspec.Struct | None, str]:
    """Return a payload, the same in its kind's shape, and what is wrong with it."""
    return _payload(kind, text)


def _payload(kind: str, text: Any) -> tuple[dict[str, Any], msgspec.Struct | None, str]:
    """Return the payload, the same checked, and what is wrong with it."""
    shape = PAYLOADS.get(kind)
    if shape is None:
        return {}, None, f"This server takes no {kind} events."
    try:
        if isinstance(text, str):
            text = msgspec.json.decode(text) if text else {}
        if not isinstance(text, dict):
            return {}, None, "payload must be a string with a JSON object."
        if keepable(text) is not text:
            return {}, None, "payload has characters or numbers that are none."
        return text, msgspec.convert(text, shape), ""
    except msgspec.ValidationError as fault:
        return {}, None, f"payload: {fault}"[:300]
    except (msgspec.MsgspecError, RecursionError):
        return {}, None, "payload must be a string of JSON."


def _reading(row: dict[str, Any]) -> Reading:
    """Read the clocks; a clock that makes no sense is no reason to lose a fact."""
    boot_id = row.get("boot_id")
    is_word = isinstance(boot_id, str) and len(boot_id) <= MAX_ID
    mono = _number(row.get("mono_ms"))
    mono_ms = round(mono) if mono is not None and 0 <= mono <= 2**53 else None
    return Reading(
        clean(boot_id) if is_word and isinstance(boot_id, str) else "",
        mono_ms,
        _wall(row.get("device_time")),
    )


def _wall(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read.astimezone(UTC) if read.tzinfo else None
        number = _number(value)
        if number is not None:
            return datetime.fromtimestamp(round(number) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def _word(
    row: dict[str, Any], name: str, *, required: bool = False, longest: int = MAX_ID
) -> str:
    value = row.get(name)
    if value is None or value == "":
        if required:
            raise Unreadable(f"{name} is missing.")
        return ""
    if not isinstance(value, str) or len(value) > longest or value != clean(value):
        raise Unreadable(f"{name} must be text of {longest} characters at the most.")
    return value


def _id_of(row: Any) -> str:
    value = row.get("id") if isinstance(row, dict) else row
    return clean(value)[:MAX_ID] if isinstance(value, str) else ""


def clean(text: str) -> str:
    """Return text that every database keeps: without NUL, without half characters."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def keepable(body: Any) -> Any:
    """Return a body of whatever shape in a form that every database keeps."""
    if _is_plainly_keepable(body):
        return body
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    odd = body is None or "\\u0000" in text or "NaN" in text or "Infinity" in text
    return {"raw": clean(text)} if odd or text != clean(text) else body


def _is_plainly_keepable(body: Any) -> bool:
    """Tell what nearly all bodies are in a fraction of the time; no is no answer."""
    try:
        text = orjson.dumps(body)
    except TypeError:  # half a character, or a number of more than 64 bits
        return False
    # What is no number is written as null, and so is nothing at all.
    return b"null" not in text and b"\\u0000" not in text


def hash_of(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a character, or a number of more than 64 bits
        written = json.dumps(value, sort_keys=True, separators=(",", ":"))
        text = written.encode(errors="replace")
    return hashlib.sha256(text).hexdigest()
