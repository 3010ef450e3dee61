"""What an order is to be, before it is stored: frozen, without Django."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from apps.core.units import Point

MAX_LENGTHS = {
    "reference": 80,
    "name": 160,
    "email": 254,
    "street": 160,
    "house_number": 20,
    "postcode": 16,
    "city": 80,
    "notes": 4000,
}
"""The longest text a field may hold, in characters."""

MAX_FILE_BYTES = 50 * 1024 * 1024
"""The largest file that one import takes."""

PROOFS = ("signature", "photo", "code", "barcode")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a row: its column, a stable code, what to do about it."""

    column: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the fault as JSON holds it."""
        return {"column": self.column, "code": self.code, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """Who receives, and how to reach them."""

    name: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class AddressDraft:
    """Where, in words."""

    street: str = ""
    house_number: str = ""
    postcode: str = ""
    city: str = ""

    def __str__(self) -> str:
        """Return the address line."""
        road = f"{self.street} {self.house_number}".strip()
        town = f"{self.postcode} {self.city}".strip()
        return ", ".join(part for part in (road, town) if part)


@dataclass(frozen=True, slots=True)
class Window:
    """When service may start: half-open, [opens_at, closes_at)."""

    opens_at: datetime
    closes_at: datetime


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the windows in order of time, with those that touch made one."""
    result: list[Window] = []
    for window in sorted(windows, key=lambda w: w.opens_at):
        if result and window.opens_at <= result[-1].closes_at:
            last = result.pop()
            closes_at = max(last.closes_at, window.closes_at)
            result.append(Window(last.opens_at, closes_at))
        else:
            result.append(window)
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Location:
    """Coordinates, where they come from, and how far to trust them (0 to 1)."""

    point: Point
    source: str
    confidence: float


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One row of the gazetteer; `match_key` is the folded street, blank, number."""

    match_key: str
    postcode: str
    city: str
    point: Point


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """One order as a file or a client asks for it; `point` None: by the gazetteer."""

    reference: str
    service_date: date
    point: Point | None = None
    kind: str = "delivery"
    customer: CustomerDraft | None = None
    address: AddressDraft = AddressDraft()
    windows: tuple[Window, ...] = ()
    preferred_windows: tuple[Window, ...] = ()
    priority: int = 3
    pieces: int = 1
    load_g: int = 0
    load_ml: int = 0
    service_s: int | None = None
    requires: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    notes: str = ""

    def content_hash(self) -> str:
        """Return the SHA-256 of all that was asked for.

        What the gazetteer adds is not in it: a better gazetteer is no changed order.
        """
        point = self.point and (self.point.lat, self.point.lon)
        customer, address = self.customer, self.address
        content = (
            self.reference,
            self.service_date.isoformat(),
            point,
            self.kind,
            customer
            and (customer.name, customer.phone, customer.email, customer.language),
            (address.street, address.house_number, address.postcode, address.city),
            [(w.opens_at.timestamp(), w.closes_at.timestamp()) for w in self.windows],
            (self.priority, self.pieces, self.load_g, self.load_ml, self.service_s),
            (self.requires, self.proof, self.notes),
            *_preferred(self.preferred_windows),
        )
        return hashlib.sha256(repr(content).encode()).hexdigest()


def _preferred(windows: Iterable[Window]) -> list[tuple[str, float, float]]:
    """Return what preferences add to a hash: nothing where there are none."""
    return [
        ("preferred", w.opens_at.timestamp(), w.closes_at.timestamp()) for w in windows
    ]


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """A partial change: the fields that are named take the draft's values."""

    fields: frozenset[str]
    draft: OrderDraft

    @classmethod
    def of(cls, **values: Any) -> "OrderChanges":
        """Make a change of the given fields of `OrderDraft`."""
        blank = OrderDraft(reference="", service_date=date.min)
        return cls(frozenset(values), replace(blank, **values))


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be read where its own words do not say it."""

    columns: tuple[tuple[str, str], ...] = ()
    """Field and header that were named outright; `A+B` joins two columns."""
    where: tuple[tuple[str, str], ...] = ()
    """Header and value: other rows of the file are passed over."""
    make_references: bool = False
    encoding: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the options as JSON holds them."""
        return {
            "columns": dict(self.columns),
            "where": [list(pair) for pair in self.where],
            "make_references": self.make_references,
            "encoding": self.encoding,
        }

    @classmethod
    def from_dict(cls, held: dict[str, object]) -> "ImportOptions":
        """Read the options back from JSON."""
        columns, where = held.get("columns"), held.get("where")
        return cls(
            columns=tuple(columns.items()) if isinstance(columns, dict) else (),
            where=tuple((str(a), str(b)) for a, b in where)
            if isinstance(where, list)
            else (),
            make_references=bool(held.get("make_references")),
            encoding=str(held.get("encoding") or ""),
        )
