"""Writes of one transaction that go to the database together, at its end.

PostgreSQL takes them as parts of one `WITH`. All of its parts see the state of before: of
two that change the same row it applies one, and says nothing. So each part names what it
touches, and one that touches what another has touched goes in a statement after it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from apps.core.cursors import cursor, is_postgresql


@dataclass(frozen=True, slots=True)
class Part:
    """One write; where it touches fewer rows than `least`, `fault` is raised.

    `keys` are the primary keys of the rows of `table` that it may touch: any of them
    where there are none.
    """

    sql: str
    values: Sequence[Any]
    table: str
    keys: Collection[Any] | None = None
    least: int = 0
    fault: Exception | None = None


@dataclass(slots=True)
class Writes:
    """The writes of a transaction that may go to the database together, at its end.

    A statement by hand costs its process and the database hardly less than the work that
    it asks for, so that a dozen in one are done in half of the time.
    """

    parts: list[Part] = field(default_factory=list)
    is_holding: bool = False

    def hold_back(self) -> None:
        """From here on hold writes back that nothing reads before the end."""
        self.is_holding = True

    def send(self) -> None:
        """Write what was held back, in one statement where the database takes that."""
        parts, self.parts, self.is_holding = self.parts, [], False
        if not is_postgresql():
            for part in parts:
                _run_alone(part)
            return
        for together in in_order(parts):
            if len(together) > 1:
                _run_as_one(together)
            else:
                _run_alone(together[0])


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


def write(part: Part) -> None:
    """Write, with what is held back where something is; else now.

    Raises:
        Exception: the part's `fault`, where it touches fewer rows than it must.
    """
    present = _writes.get()
    if present is not None and present.is_holding:
        present.parts.append(part)
    else:
        _run_alone(part)


def in_order(parts: Sequence[Part]) -> list[list[Part]]:
    """Return parts as statements, one after the other: no row is touched twice in one."""
    found: list[list[Part]] = []
    touched: dict[str, list[Collection[Any] | None]] = {}
    for part in parts:
        others = touched.get(part.table)
        if not found or (others and any(_meet(part.keys, each) for each in others)):
            found.append([])
            touched, others = {}, None
        found[-1].append(part)
        touched.setdefault(part.table, []).append(part.keys)
    return found


def _meet(some: Collection[Any] | None, others: Collection[Any] | None) -> bool:
    if some is None or others is None:
        return True
    return not {str(key) for key in some}.isdisjoint(str(key) for key in others)


def _run_alone(part: Part) -> None:
    with cursor() as own:
        own.execute(part.sql, part.values)
        if part.fault is not None and own.rowcount < part.least:
            raise part.fault


def _run_as_one(parts: Sequence[Part]) -> None:
    """Run writes that touch different rows as parts of one statement, which sees none."""
    named, asked, watched = [], [], []
    for place, part in enumerate(parts):
        if part.fault is None:
            named.append(f"w{place} AS ({part.sql})")
        else:
            named.append(f"w{place} AS ({part.sql} RETURNING 1)")
            asked.append(f"(SELECT count(*) FROM w{place})")  # noqa: S608  a name of ours
            watched.append(part)
    text = f"WITH {', '.join(named)} SELECT {', '.join(asked) or '1'}"
    with cursor() as own:
        own.execute(text, [value for part in parts for value in part.values])
        counts = own.fetchone()
    for part, count in zip(watched, counts, strict=False):
        if part.fault is not None and count < part.least:
            raise part.fault
