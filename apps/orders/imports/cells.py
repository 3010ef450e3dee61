"""One row's cells, read field by field; every fault is kept, not only the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from apps.orders.drafts import MAX_LENGTHS, Fault
from apps.orders.imports import values
from apps.orders.imports.headers import Mapping

Value = TypeVar("Value")

_JOINTS = {"reference": "-", "coordinates": ",", "address": ", "}


@dataclass(slots=True)
class Cells:
    """The cells of one row by field, and what was found wrong with them."""

    mapping: Mapping
    cells: list[str]
    decimal: str
    faults: list[Fault]

    def has(self, *fields: str) -> bool:
        """Tell whether any of these fields has text in this row."""
        return any(self.raw(field) for field in fields)

    def raw(self, field: str) -> str:
        """Return the field's text; a field of several columns is joined."""
        column = self.mapping.columns.get(field)
        if column is None:
            return ""
        if len(column.indexes) == 1:
            return self.cells[column.indexes[0]]
        parts = [self.cells[index] for index in column.indexes]
        return _JOINTS.get(field, " ").join(part for part in parts if part)

    def header(self, field: str) -> str:
        """Return the header that the file gives the field, else the field's name."""
        column = self.mapping.columns.get(field)
        return column.header if column else field

    def fault(self, field: str, code: str, detail: str) -> None:
        """Add a fault in the field's column."""
        self.faults.append(Fault(self.header(field), code, detail))

    def text(self, field: str) -> str:
        """Return a text of one line that fits its field."""
        text = self.raw(field)
        longest = MAX_LENGTHS.get(field, 255)
        if len(text) > longest:
            self.fault(
                field,
                "too_long",
                f"Shorten this to {longest} characters; it has {len(text)}.",
            )
            return text[:longest]
        return text

    def read(
        self,
        field: str,
        parse: Callable[[str], Value],
        default: Value,
        code: str,
        detail: str,
    ) -> Value:
        """Return the parsed text; `default` when empty, or wrong (and then a fault)."""
        text = self.raw(field)
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, OverflowError):
            self.fault(field, code, detail)
            return default

    def amount(self, field: str, negative_code: str) -> int | None:
        """Return grams, millilitres or seconds, None when the cell is empty."""
        column = self.mapping.columns.get(field)
        if column is None or not self.raw(field):
            return None
        unit, decimal = column.unit, self.decimal
        found = self.read(
            field,
            lambda text: values.quantity(field, text, unit, decimal),
            0,
            "bad_number",
            "Write a number, with a unit behind it if you like, for example 2.5.",
        )
        if found < 0:
            self.fault(field, negative_code, "Write zero or more: it is negative.")
            return 0
        if found > MAX_AMOUNT:
            self.fault(field, "bad_number", "This is too large: look at its unit.")
            return 0
        return found

    def pieces(self) -> int:
        """Return the number of pieces, 1 when nothing is said."""
        found = self.read(
            "pieces",
            lambda text: values.number(text, self.decimal),
            1.0,
            "bad_number",
            "Write a whole number of pieces, 1 or more.",
        )
        if found < 1 or found != int(found) or found > MAX_PIECES:
            self.fault(
                "pieces", "bad_number", "Write a whole number of pieces, 1 or more."
            )
            return 1
        return int(found)


MAX_AMOUNT = 10**9
"""A thousand tonnes, a million litres, thirty years: beyond it, a unit is wrong."""

MAX_PIECES = 100_000
