"""The server's tables as they stand: read whole, and again only when written to.

A history has few rows and many steps. Which tables a step wrote to is heard from its
statements, and a question to the database is put into SQL once a process.
"""

import re
import uuid
from collections import Counter, namedtuple
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

NAMED = re.compile(r'\b(?:FROM|JOIN|INTO|UPDATE)\s+"?(\w+)"?')
READS = ("SELECT", "SAVEPOINT", "RELEASE")
ALL = "*"
"""Stands for every table: a rollback takes back whatever was written."""

T = TypeVar("T")
Stamp = tuple[int, ...]


class Question:
    """Some columns of all rows of a model, in the order of their keys."""

    def __init__(self, model: type[Model], columns: tuple[str, ...], *, after: bool):
        rows = model._base_manager.order_by("pk")
        self.key = model._meta.pk
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(int=0))
        compiler = rows.values_list(*columns).query.get_compiler(connection=connection)
        self.sql, _ = compiler.as_sql()
        chosen: Any = [column for column, _, _ in compiler.select]
        self.converters = compiler.get_converters(chosen)
        self.compiler = compiler
        self.tables = frozenset(NAMED.findall(self.sql))
        make: Any = namedtuple
        self.shape = make(model.__name__, columns)

    def rows(self, *after: object) -> list[Any]:
        prepared = [self.key.get_db_prep_value(each, connection) for each in after]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, prepared)
            found: Any = cursor.fetchall()
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        return [self.shape(*row) for row in found]


@cache
def question(
    model: type[Model], columns: tuple[str, ...], *, after: bool = False
) -> Question:
    return Question(model, columns, after=after)


class Tables:
    """What the tables of the server hold, as of the last statement."""

    def __init__(self) -> None:
        self._stamps: Counter[str] = Counter()
        self._kept: dict[object, tuple[Stamp, Any]] = {}
        self._read: set[str] | None = None

    def heard(self, sql: str) -> None:
        """Note which tables a statement writes to; what is no plain question writes."""
        if sql.startswith(READS):
            if self._read is not None:
                self._read.update(NAMED.findall(sql))
            return
        if sql.startswith("ROLLBACK"):
            self._stamps[ALL] += 1
            return
        self._stamps.update(NAMED.findall(sql))

    def stamp(self, tables: Iterable[str]) -> Stamp:
        """Return what changes when one of the tables is written to."""
        return (self._stamps[ALL], *(self._stamps[name] for name in sorted(tables)))

    def rows(self, model: type[Model], *columns: str) -> list[Any]:
        """Return all rows of a model, as tuples with the columns' names."""
        asked = question(model, columns)
        return self._keep((model, columns), asked.tables, asked.rows)

    def rows_after(self, model: type[Model], key: object, *columns: str) -> list[Any]:
        """Return the rows with keys above one."""
        return question(model, columns, after=True).rows(key)

    def kept(self, about: object, ask: Callable[[], T]) -> T:
        """Return an answer of the server's code; ask again when what it read was written."""
        known = self._kept.get(about)
        if known is not None:
            tables, answer = known[1]
            if known[0] == self.stamp(tables):
                return answer  # type: ignore[no-any-return]
        self._read = set()
        try:
            answer = ask()
            tables = frozenset(self._read)
        finally:
            self._read = None
        self._kept[about] = (self.stamp(tables), (tables, answer))
        return answer

    def _keep(
        self, about: object, tables: Iterable[str], ask: Callable[[], list[Any]]
    ) -> list[Any]:
        stamp = self.stamp(tables)
        known = self._kept.get(about)
        if known is None or known[0] != stamp:
            known = self._kept[about] = (stamp, ask())
        found: list[Any] = known[1]
        return found
