"""SQL by hand for the hottest doors, the same on both databases.

To make a query by the ORM takes several times as long as to run it, and an object a row
is made to be thrown away. Where a door is asked thousands of times a second, or writes
dozens of rows at once, its statements stand ready. Values go in and come out as the ORM
would give them: UUIDs, aware instants, flags, JSON.
"""

import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

import orjson
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState

from apps.core.cursors import bare, cursor, is_postgresql
from apps.core.writes import Part, write

Reader = Callable[[Any], Any]
Row = tuple[Any, ...]

LATER: Final = re.compile(
    r"UPDATE (\w+) SET (?:(?! FROM )[^()])+ WHERE (\w+) (?:IN|=) %s"
)
"""What may be held back: a change of one table's rows, which reads no other table."""


def read_uuid(value: Any) -> uuid.UUID | None:
    """Return a UUID as either database gives it."""
    return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


def read_instant(value: Any) -> datetime | None:
    """Return an aware instant as either database gives it."""
    if value is None:
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_date(value: Any) -> date | None:
    """Return a day as either database gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def read_json(value: Any) -> Any:
    """Return what a JSON column holds."""
    return orjson.loads(value) if isinstance(value, str) else value


def as_is(value: Any) -> Any:
    """Return a value that needs no reading."""
    return value


class Statement:
    """A statement with `%s` for its values (a collection: `IN %s`), and its readers.

    `lock` follows it on PostgreSQL; on SQLite one transaction writes at a time.
    """

    def __init__(self, sql: str, *readers: Reader, lock: str = "") -> None:
        """Keep the text, and how each column of the answer is read."""
        text = " ".join(sql.split())
        self._parts = text.split("%s")
        self._prepared = f"{text.replace('IN %s', '= ANY(%s)')} {lock}".rstrip()
        self._readers = readers
        self._odd = [
            (place, reader)
            for place, reader in enumerate(readers)
            if reader is read_json
        ]

    def rows(self, *values: Any) -> list[Row]:
        """Run it; return the rows of its answer."""
        with cursor() as own:
            own.execute(*self._bound(values))
            rows: list[Row] = own.fetchall()
        if not is_postgresql():
            return [
                tuple(
                    read(value) for read, value in zip(self._readers, row, strict=True)
                )
                for row in rows
            ]
        if not self._odd:
            return rows
        return [self._read_odd(row) for row in rows]

    def run(self, *values: Any) -> int:
        """Run it; return how many rows it touched."""
        with cursor() as own:
            own.execute(*self._bound(values))
            return int(own.rowcount)

    def run_later(self, *values: Any) -> None:
        """Run it with the writes that are held back, or now where none are.

        Raises:
            ValueError: it is not of the form of `LATER`, so that nobody can tell which
                rows it touches.
        """
        told = LATER.fullmatch("%s".join(self._parts))
        if told is None:
            raise ValueError(f"This cannot be held back: {self._prepared}")
        table, column = told.groups()
        keys = _together(values[-1]) if column == _key_of(table) else None
        text, bound = self._bound(values)
        write(Part(text, bound, table, keys))

    def _read_odd(self, row: Row) -> Row:
        read = list(row)
        for place, reader in self._odd:
            read[place] = reader(read[place])
        return tuple(read)

    def _bound(self, values: Sequence[Any]) -> tuple[str, list[Any]]:
        if is_postgresql():
            return self._prepared, [list(v) if _is_many(v) else v for v in values]
        text, bound = self._parts[0], []
        for part, value in zip(self._parts[1:], values, strict=True):
            if _is_many(value):
                bound += [bare(each) for each in value]
                marks = ", ".join(["%s"] * len(value)) or "NULL"
                text += f"({marks}){part}"
            else:
                bound.append(bare(value))
                text += f"%s{part}"
        return text, bound


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _together(value: Any) -> Collection[Any]:
    return value if _is_many(value) else [value]


@cache
def _key_of(table: str) -> str | None:
    """Return the column by which the rows of a table are known."""
    known = [each for each in apps.get_models() if each._meta.db_table == table]
    return str(known[0]._meta.pk.column) if known and known[0]._meta.pk else None


def partly(model: Any, names: tuple[str, ...], values: Sequence[Any]) -> Any:
    """Return a row of which these columns alone are read; others are when asked for.

    It is what `from_db` makes, without asking who wants to hear of each new object.

    Raises:
        TypeError: the model has a `from_db` of its own.
    """
    if not _is_read_plainly(model):
        raise TypeError(f"{model} reads its rows in a way of its own.")
    row = model.__new__(model)
    row.__dict__.update(zip(names, values, strict=True))
    row._state = state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    return row


def made(model: Any, values: Mapping[str, Any]) -> Any:
    """Return a new row with these columns, by attribute; the others have their defaults.

    It is what the model's class makes, in half of the time: nothing is checked.
    """
    row = model.__new__(model)
    blank, by_call = _defaults(model)
    row.__dict__.update(blank)
    for field in by_call:
        if field.attname not in values:
            row.__dict__[field.attname] = field.get_default()
    row.__dict__.update(values)
    row._state = ModelState()
    return row


@cache
def _defaults(model: Any) -> tuple[dict[str, Any], list[Any]]:
    fields = model._meta.concrete_fields
    by_call = [each for each in fields if each.has_default() and callable(each.default)]
    others = [each for each in fields if each not in by_call]
    return {each.attname: each.get_default() for each in others}, by_call


@cache
def _is_read_plainly(model: Any) -> bool:
    return bool(model.from_db.__func__ is models.Model.from_db.__func__)  # type: ignore[attr-defined]
