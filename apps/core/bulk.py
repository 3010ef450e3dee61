"""Many rows written by one statement: inserted, or changed by their primary key."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import orjson
from django.db import connection, models

from apps.core.cursors import bare, cursor, is_postgresql
from apps.core.writes import Part, write

Columns = Mapping[str, Any]
"""By attribute: a list with a value for each row, or one value for all of them."""

MOST_VALUES: Final = 30_000
"""Values that SQLite takes in one statement."""


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
    keys = None if "UPDATE" in conflict else _keys(model, columns)
    for text, values, count in _insertions(model, columns, conflict):
        write(Part(text, values, model._meta.db_table, keys, count, fault))


def insert_new(
    model: type[models.Model], columns: Columns, *, returning: str
) -> list[Any]:
    """Insert, now, the rows that are not there; return what each has in `returning`."""
    tail = f" RETURNING {_column(model, returning)}"
    found: list[Any] = []
    with cursor() as own:
        for text, values, _ in _insertions(model, columns, "DO NOTHING"):
            own.execute(text + tail, values)
            found += [row[0] for row in own.fetchall()]
    return found


def _insertions(
    model: type[models.Model], columns: Columns, conflict: str
) -> Iterator[tuple[str, list[Any], int]]:
    table = _table(model)
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
    table = _table(model)
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
        write(Part(text, values, model._meta.db_table, _keys(model, columns)))


def _keys(model: type[models.Model], columns: Columns) -> Collection[Any]:
    """Return the primary keys of rows: none where the database is to make new ones."""
    found = columns.get(_field(model, "pk").attname, columns.get("pk"))
    if found is None:
        return ()
    return found if isinstance(found, list) else [found]


def _sources(
    model: type[models.Model], columns: Columns
) -> Iterator[tuple[str, list[Any], int]]:
    """Give SQL that makes rows, its values, their number: for SQLite in several parts."""
    count = next(len(each) for each in columns.values() if isinstance(each, list))
    if not count:
        return
    if is_postgresql():
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
def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


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
