"""Which column of a file holds which field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from apps.core.problems import FieldError
from apps.orders.imports.folding import fold
from apps.orders.imports.synonyms import SYNONYMS, UNITS
from apps.orders.imports.tables import Table, UnreadableFile
from apps.orders.imports.times import is_moment
from apps.orders.imports.values import is_kind, is_number

FAULT_COLUMN, ADVICE_COLUMN = "fault", "what to do"
"""The columns that the quarantine's file adds; a mended file may still have them."""

NEAR_SCORE = 90
NEAR_LENGTH = 6
_EXACT_ONLY = {"lat", "lon", "coordinates", "depot", "kind"}
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_SAMPLE_ROWS = 200

_TIME_OR_ELSE = {"from", "to", "de", "a", "von", "bis", "open", "close", "data", "due"}
"""Headers that stand for times in one file, and for places or anything in another."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field is: the cells that make it, and the unit that the header names."""

    header: str
    indexes: tuple[int, ...]
    unit: str = ""
    near: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """The columns of a file by field."""

    columns: dict[str, Column] = field(default_factory=dict)

    def as_dict(self) -> dict[str, str]:
        """Return field → header, as the import run keeps it."""
        return {name: column.header for name, column in self.columns.items()}

    def near_misses(self) -> dict[str, str]:
        """Return what was found only by a similar spelling."""
        return {n: column.header for n, column in self.columns.items() if column.near}


def map_columns(
    table: Table,
    named: Sequence[tuple[str, str]] = (),
    fields: Sequence[str] = tuple(SYNONYMS),
) -> Mapping:
    """Find the column of each field: named outright, else known, else nearly known.

    Raises:
        UnreadableFile: a named field or header does not exist.
    """
    columns = {name: _named(table, name, header, fields) for name, header in named}
    taken = {index for column in columns.values() for index in column.indexes}
    ignored = {fold(FAULT_COLUMN), fold(ADVICE_COLUMN)}
    folded: dict[str, tuple[int, str]] = {}
    for index, header in enumerate(table.headers):
        for key, unit in _keys(header):
            if index not in taken and key not in ignored:
                folded.setdefault(key, (index, unit))
    # In a shop's export with its line items, "Name" is the order's number.
    line_items = "lineitemquantity" in folded and "name" in folded
    for name in fields:
        if name in columns:
            continue
        words = SYNONYMS[name]
        if line_items and name == "reference":
            words = ("name", *words)
        found = _first(table, name, words, folded, taken)
        if found is not None:
            columns[name] = found
            taken |= set(found.indexes)
    _add_near(table, columns, folded, taken, fields)
    return Mapping({name: columns[name] for name in fields if name in columns})


def _keys(header: str) -> list[tuple[str, str]]:
    """Return the spellings to look a header up by, with the unit each leaves over."""
    keys = [(fold(header), "")]
    bracketed = _BRACKETS.search(header)
    if bracketed:
        rest = fold(_BRACKETS.sub(" ", header))
        keys.append((rest, fold(bracketed[1])))
    words = re.split(r"[\s_\-./]+(?:in\s+)?", _BRACKETS.sub(" ", header).strip())
    if len(words) > 1 and any(fold(words[-1]) in units for units in UNITS.values()):
        rest = re.sub(r"(in|en|em)$", "", fold("".join(words[:-1])))
        keys.append((rest, fold(words[-1])))
    return keys


def _first(
    table: Table,
    name: str,
    words: Sequence[str],
    folded: dict[str, tuple[int, str]],
    taken: set[int],
) -> Column | None:
    for word in words:
        index, unit = folded.get(word, (-1, ""))
        if index < 0 or index in taken:
            continue
        if unit and name in UNITS and unit not in UNITS[name]:
            continue
        if not _plausible(table, name, index):
            continue
        if word in ("grams", "lineitemgrams"):
            unit = "g"
        return Column(table.headers[index], (index,), unit)
    return None


def _plausible(table: Table, name: str, index: int) -> bool:
    """Refuse a column whose name fits and whose cells do not.

    An address file's `kind` says "cafe"; a `Size` may say "XL"; a `to` may be a town.
    """
    cells = [row.cells[index] for row in table.rows[:_SAMPLE_ROWS] if row.cells[index]]
    if not cells:
        return True
    if name == "kind":
        return sum(map(is_kind, cells)) * 2 > len(cells)
    if fold(table.headers[index]) in _TIME_OR_ELSE:
        return any(map(is_moment, cells))
    if name in ("lat", "lon", "pieces"):
        return sum(map(is_number, cells)) * 2 >= len(cells)
    return True


def _named(table: Table, name: str, header: str, fields: Sequence[str]) -> Column:
    if name not in fields:
        raise UnreadableFile(
            f"There is no field {name!r}; the fields are {', '.join(sorted(fields))}.",
            errors=[FieldError("/map", "unknown_field", name)],
        )
    wanted = [header] if header in table.headers else header.split("+")
    indexes = tuple(header_index(table, part) for part in wanted)
    unit = next((unit for _, unit in _keys(header) if unit), "")
    return Column(header, indexes, unit)


def header_index(table: Table, header: str) -> int:
    """Return the column with this header, in any spelling.

    Raises:
        UnreadableFile: the file has no such column; the message lists those it has.
    """
    if header in table.headers:
        return table.headers.index(header)
    folded = [fold(known) for known in table.headers]
    if fold(header) in folded:
        return folded.index(fold(header))
    raise UnreadableFile(
        f"The file has no column {header.strip()!r}; "
        f"its columns are {', '.join(table.headers)}.",
        headers=table.headers,
    )


def _add_near(
    table: Table,
    columns: dict[str, Column],
    folded: dict[str, tuple[int, str]],
    taken: set[int],
    fields: Sequence[str],
) -> None:
    """Give fields that are still without a column one of nearly the same spelling.

    Only long words, only a close match, and only when no other field is as close.
    """
    words = {
        word: name
        for name in fields
        for word in SYNONYMS[name]
        if len(word) >= NEAR_LENGTH
    }
    for key, (index, unit) in folded.items():
        if index in taken or len(key) < NEAR_LENGTH:
            continue
        best = process.extractOne(
            key, words.keys(), scorer=fuzz.ratio, score_cutoff=NEAR_SCORE
        )
        name = words[best[0]] if best else ""
        if not name or name in columns or name in _EXACT_ONLY:
            continue
        columns[name] = Column(table.headers[index], (index,), unit, near=True)
        taken.add(index)
