"""SQL by hand for the hottest doors, the same on both databases.

To make a query by the ORM takes several times as long as to run it, and an object a row
is made to be thrown away. Where a door is asked thousands of times a second, or writes
dozens of rows at once, its statements stand ready. Values go in and come out as the ORM
would give them: UUIDs, aware instants, flags, JSON.
"""

import json
import threading
import time
import uuid
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.postgresql.base import ServerBindingCursor

Reader = Callable[[Any], Any]
Row = tuple[Any, ...]
Columns = Mapping[str, Any]
"""By attribute: a list with a value for each row, or one value for all of them."""

MOST_VALUES: Final = 30_000
"""Values that SQLite takes in one statement."""

FRESH_S: Final = 5.0
"""For how long a connection that answered is taken to live."""

_used = threading.local()


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
        with _cursor() as cursor:
            cursor.execute(*self._bound(values))
            rows: list[Row] = cursor.fetchall()
        if connection.vendor != "postgresql":
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
        with _cursor() as cursor:
            cursor.execute(*self._bound(values))
            return int(cursor.rowcount)

    def run_later(self, *values: Any) -> None:
        """Run it with the writes that are held back, or now where none are."""
        text, bound = self._bound(values)
        _write(_Part(text, bound))

    def _read_odd(self, row: Row) -> Row:
        read = list(row)
        for place, reader in self._odd:
            read[place] = reader(read[place])
        return tuple(read)

    def _bound(self, values: Sequence[Any]) -> tuple[str, list[Any]]:
        if connection.vendor == "postgresql":
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


@dataclass(frozen=True, slots=True)
class _Part:
    """One write; where it touches fewer rows than `least`, `fault` is raised."""

    sql: str
    values: Sequence[Any]
    least: int = 0
    fault: Exception | None = None


@dataclass(slots=True)
class Writes:
    """The writes of a transaction that may go to the database together, at its end.

    A statement by hand costs its process and the database hardly less than the work that
    it asks for, so that a dozen in one are done in half of the time.
    """

    parts: list[_Part] = field(default_factory=list)
    is_holding: bool = False

    def hold_back(self) -> None:
        """From here on hold writes back that nothing reads before the end."""
        self.is_holding = True

    def send(self) -> None:
        """Write what was held back, in one statement where the database takes that."""
        parts, self.parts, self.is_holding = self.parts, [], False
        if len(parts) > 1 and connection.vendor == "postgresql":
            _run_as_one(parts)
        else:
            for part in parts:
                _run_alone(part)


_writes: ContextVar[Writes | None] = ContextVar("writes", default=None)


@contextmanager
def writes() -> Iterator[Writes]:
    """Let the writes inside be held back; what is not sent at the end is forgotten."""
    own = Writes()
    token = _writes.set(own)
    try:
        yield own
    finally:
        _writes.reset(token)


def _write(part: _Part) -> None:
    present = _writes.get()
    if present is not None and present.is_holding:
        present.parts.append(part)
    else:
        _run_alone(part)


def _run_alone(part: _Part) -> None:
    with _cursor() as cursor:
        cursor.execute(part.sql, part.values)
        if part.fault is not None and cursor.rowcount < part.least:
            raise part.fault


def _run_as_one(parts: Sequence[_Part]) -> None:
    """Run writes that touch different rows as parts of one statement, which sees none.

    That is PostgreSQL's: all parts see the same state, that of before.
    """
    named, asked, watched = [], [], []
    for place, part in enumerate(parts):
        if part.fault is None:
            named.append(f"w{place} AS ({part.sql})")
        else:
            named.append(f"w{place} AS ({part.sql} RETURNING 1)")
            asked.append(f"(SELECT count(*) FROM w{place})")  # noqa: S608  a name of ours
            watched.append(part)
    text = f"WITH {', '.join(named)} SELECT {', '.join(asked) or '1'}"
    with _cursor() as cursor:
        cursor.execute(text, [value for part in parts for value in part.values])
        counts = cursor.fetchone()
    for part, count in zip(watched, counts, strict=False):
        if part.fault is not None and count < part.least:
            raise part.fault


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _cursor() -> Any:
    """Return a cursor; PostgreSQL's binds on the server, so that plans are kept."""
    own: Any = connections[DEFAULT_DB_ALIAS]  # looked up once: that is not cheap
    if own.vendor != "postgresql":
        return own.cursor()
    _check_health(own)
    own.ensure_connection()
    bound: Any = ServerBindingCursor
    return own._prepare_cursor(bound(own.connection))


def _check_health(own: Any) -> None:
    """Ask whether the connection still lives, unless this thread has just used it.

    A round trip a request is saved where requests follow each other; a connection that
    was lost meanwhile fails its statement, and is opened anew for the next request.
    """
    now_s = time.monotonic()
    if now_s - getattr(_used, "at_s", -FRESH_S) < FRESH_S:
        own.health_check_done = True
    else:
        own.close_if_health_check_failed()
    _used.at_s = now_s


def bare(value: Any) -> Any:
    """Return a value as the driver of the present database takes it."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if connection.vendor == "postgresql":
        return value
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def partly(model: Any, names: tuple[str, ...], values: Sequence[Any]) -> Any:
    """Return a row of which these columns alone are read; others are when asked for."""
    in_order = [values[place] for place in _places(model, names)]
    return model.from_db(connection.alias, names, in_order)


@cache
def _places(model: Any, names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the places of columns in the order in which the model has them."""
    fields = [field.attname for field in model._meta.concrete_fields]
    return tuple(
        sorted(range(len(names)), key=lambda place: fields.index(names[place]))
    )


def columns_of(
    rows: Sequence[models.Model],
    names: Collection[str] = (),
    *,
    apart: Collection[str] = (),
) -> dict[str, Any]:
    """Return the columns of rows of one model, all but a key that the database makes.

    With `names` the primary key, and these alone. Those in `apart` differ from row to row;
    what all others hold goes over once, where not one of them differs. So there are two
    forms of a statement to be planned, and not one for each mix of rows.
    """
    meta = type(rows[0])._meta
    found: dict[str, list[Any]] = {}
    for field_ in meta.concrete_fields:
        name = field_.attname
        if isinstance(field_, models.AutoField):
            continue
        if names and name not in names and not field_.primary_key:
            continue
        found[name] = [getattr(row, name) for row in rows]
    key = str(meta.pk.attname) if meta.pk else ""
    alike = found.keys() - {key, *apart}
    if not apart or any(is_mixed(found[name]) for name in alike):
        return dict(found)
    return {
        name: values[0] if name in alike else values for name, values in found.items()
    }


def is_mixed(values: Sequence[Any]) -> bool:
    """Tell whether the values of a column differ, or could be taken for a column."""
    return isinstance(values[0], list) or values.count(values[0]) < len(values)


def insert(
    model: type[models.Model],
    columns: Columns,
    *,
    conflict: str = "",
    fault: Exception | None = None,
) -> None:
    """Insert rows in one statement, with those that are held back where some are.

    `conflict` is what follows ON CONFLICT. There is a row for each value of the lists.

    Raises:
        Exception: `fault`, where fewer rows were inserted than given.
    """
    for text, values, count in _insertions(model, columns, conflict):
        _write(_Part(text, values, count, fault))


def insert_new(
    model: type[models.Model], columns: Columns, *, returning: str
) -> list[Any]:
    """Insert, now, the rows that are not there; return what each has in `returning`."""
    tail = f" RETURNING {_column(model, returning)}"
    found: list[Any] = []
    with _cursor() as cursor:
        for text, values, _ in _insertions(model, columns, "DO NOTHING"):
            cursor.execute(text + tail, values)
            found += [row[0] for row in cursor.fetchall()]
    return found


def _insertions(
    model: type[models.Model], columns: Columns, conflict: str
) -> Iterator[tuple[str, list[Any], int]]:
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(_column(model, name) for name in columns)
    tail = f" ON CONFLICT {conflict}" if conflict else ""
    for source, values, count in _sources(model, columns):
        yield f"INSERT INTO {table} ({names}) {source}{tail}", values, count


def update(
    model: type[models.Model], columns: Columns, *, added: Collection[str] = ()
) -> None:
    """Write columns of rows that are there, by their primary key, in one statement.

    To those named in `added` the values are added. It goes with the writes that are held
    back, where some are.
    """
    key = _column(model, "pk")
    table = connection.ops.quote_name(model._meta.db_table)
    names = [_column(model, name) for name in columns]
    more = {_column(model, name) for name in added}
    sets = [
        f"{name} = t.{name} + e.{name}" if name in more else f"{name} = e.{name}"
        for name in names
        if name != key
    ]
    for source, values, _ in _sources(model, columns):
        text = (
            f"WITH e ({', '.join(names)}) AS ({source})"  # noqa: S608  as below
            f" UPDATE {table} AS t SET {', '.join(sets)}"
            f" FROM e WHERE t.{key} = e.{key}"
        )
        _write(_Part(text, values))


def _sources(
    model: type[models.Model], columns: Columns
) -> Iterator[tuple[str, list[Any], int]]:
    """Give SQL that makes rows, its values, their number: for SQLite in several parts."""
    count = next(len(each) for each in columns.values() if isinstance(each, list))
    if not count:
        return
    if connection.vendor == "postgresql":
        source, values = _spread(model, columns)
        yield source, values, count
        return
    lists = [
        each if isinstance(each, list) else [each] * count for each in columns.values()
    ]
    rows = list(zip(*lists, strict=True))
    at_once = MOST_VALUES // len(lists)
    marks = f"({', '.join(['%s'] * len(lists))})"
    for first in range(0, count, at_once):
        some = rows[first : first + at_once]
        values = [bare(value) for row in some for value in row]
        yield f"VALUES {', '.join([marks] * len(some))}", values, len(some)


def _spread(model: type[models.Model], columns: Columns) -> tuple[str, list[Any]]:
    """Return a SELECT over one JSON text; what is the same in all rows goes over once.

    To write a text for each of hundreds of values takes longer than PostgreSQL takes to
    read them out of one.
    """
    shown, kinds, names = [], [], []
    fixed: list[Any] = []
    lists: list[Any] = []
    for place, (name, value) in enumerate(columns.items()):
        kind = _type(model, name)
        if isinstance(value, list):
            names.append(f"c{place}")
            kinds.append(f"c{place} {kind}")
            shown.append(f"c{place}")
            lists.append(value)
        else:
            shown.append(f"%s::{kind}")
            fixed.append(bare(value))
    rows = [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]
    source = (
        f"SELECT {', '.join(shown)}"  # noqa: S608  names of columns alone
        f" FROM json_to_recordset(%s::json) AS u ({', '.join(kinds)})"
    )
    return source, [*fixed, _text(rows)]


def _text(rows: list[dict[str, Any]]) -> str:
    try:
        return orjson.dumps(rows).decode()
    except TypeError:  # a number of more than 64 bits, in somebody's JSON
        return json.dumps(rows, default=str)


@cache
def _column(model: type[models.Model], name: str) -> str:
    return connection.ops.quote_name(_field(model, name).column)


@cache
def _type(model: type[models.Model], name: str) -> str:
    """Return a column's PostgreSQL type, without its length: the column checks that."""
    kind = str(_field(model, name).rel_db_type(connection))
    return "text" if kind.startswith("varchar") else kind


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)
