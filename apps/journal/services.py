"""The journal's verbs: write facts, tell the audiences, ride one transaction.

Every verb of the house opens `writing(...)`. The outermost one owns the transaction;
verbs inside it join. At its end the facts are stored, each audience's counter moves
once, and the tasks that `config/reactions.py` names are queued: all or nothing.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.module_loading import import_string

from apps.core import queue
from apps.core.actors import Actor
from apps.core.bulk import insert, is_mixed
from apps.core.statements import Statement, as_is, made, read_uuid
from apps.core.writes import Writes, writes
from apps.journal import pokes
from apps.journal.models import Change, Entry, FeedHead

Reaction = tuple[str, Callable[[Entry], dict[str, Any] | None]]
"""A task's dotted name, and what makes its arguments of an entry (None: no task).

Arguments that are lists are joined: one task hears of all that one transaction told.
"""

SEAL_BATCH = 1000

LOCKED_HEADS = Statement(
    "SELECT scope, head FROM journal_feedhead WHERE scope IN %s ORDER BY scope",
    read_uuid,
    as_is,
    lock="FOR UPDATE",
)
BUMP = Statement(
    "UPDATE journal_feedhead SET head = head + 1, moved_at = %s WHERE scope IN %s"
)
NEWEST = (
    '(scope, "table", row_id) DO UPDATE SET number = excluded.number,'
    " deleted = excluded.deleted, at = excluded.at"
)
"""What a row's change becomes where it is told again."""


@dataclass(slots=True)
class _Unit:
    """All that one transaction has to tell."""

    locked: dict[uuid.UUID, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    changes: dict[tuple[uuid.UUID, str, str], bool] = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)

    def lock(self, scopes: Iterable[uuid.UUID], now: datetime) -> None:
        """Take the row locks of `scopes` that are not held, in sorted order."""
        wanted = sorted(set(scopes) - self.locked.keys())
        if not wanted:
            return
        heads = self._select(wanted)
        if missing := set(wanted) - heads.keys():
            FeedHead.objects.bulk_create(
                [FeedHead(scope=scope, moved_at=now) for scope in sorted(missing)],
                ignore_conflicts=True,
            )
            heads = self._select(wanted)
        self.locked |= heads

    @staticmethod
    def _select(scopes: list[uuid.UUID]) -> dict[uuid.UUID, int]:
        return {scope: head for scope, head in LOCKED_HEADS.rows(scopes)}

    def flush(self, now: datetime) -> None:
        """Store facts and changes, move the counters, queue what follows: in one write."""
        touched = sorted({scope for scope, _, _ in self.changes})
        self.lock(touched, now)
        self.writes.hold_back()
        if self.entries:
            insert(Entry, _columns_of_facts(self.entries))
        if touched:
            self._tell(now)
            BUMP.run_later(now, touched)
            transaction.on_commit(lambda: pokes.ring(touched))
        _react(self.entries)
        self.writes.send()

    def _tell(self, now: datetime) -> None:
        keys = list(self.changes)
        columns = {
            "scope": [scope for scope, _, _ in keys],
            "table": [table for _, table, _ in keys],
            "row_id": [row_id for _, _, row_id in keys],
            "number": [self.locked[scope] + 1 for scope, _, _ in keys],
            "deleted": list(self.changes.values()),
            "at": now,
        }
        insert(Change, columns, conflict=NEWEST)


_current: ContextVar[_Unit | None] = ContextVar("journal_unit", default=None)


class HoldersMoved(Exception):
    """Rows of a driver are needed whose lock this transaction does not hold."""

    def __init__(self, scopes: Iterable[uuid.UUID]) -> None:
        """Name the drivers."""
        super().__init__()
        self.scopes = frozenset(scopes)


@dataclass(frozen=True, slots=True)
class Writer:
    """What a verb writes with while its transaction is open."""

    by: Actor
    now: datetime
    _unit: _Unit

    def record(
        self,
        kind: str,
        subject: models.Model,
        /,
        *,
        depot_id: uuid.UUID | None = None,
        **payload: Any,
    ) -> None:
        """Add a fact: `kind` is `room-noun.past-verb`; payload has JSON values only."""
        self._unit.entries.append(
            made(
                Entry,
                {
                    "at": self.now,
                    "actor": str(self.by),
                    "kind": kind,
                    "subject_type": str(subject._meta.model_name),
                    "subject_id": str(subject.pk),
                    "depot_id": depot_id,
                    "payload": payload,
                },
            )
        )

    def changed(self, scope: uuid.UUID, table: str, *row_ids: object) -> None:
        """Tell the audience `scope` that rows of a wire table have a new state."""
        for row_id in row_ids:
            self._unit.changes[scope, table, str(row_id)] = False

    def removed(self, scope: uuid.UUID, table: str, *row_ids: object) -> None:
        """Tell the audience `scope` that rows are no longer its own."""
        for row_id in row_ids:
            self._unit.changes[scope, table, str(row_id)] = True

    def lock(self, scopes: Iterable[uuid.UUID]) -> None:
        """Take more audiences' locks; call it before their rows are read."""
        self._unit.lock(scopes, self.now)

    def require(self, scopes: Iterable[uuid.UUID]) -> None:
        """Let a verb go on whose audiences are locked.

        Raises:
            HoldersMoved: some are not; whoever began may begin again with those.
        """
        if missing := set(scopes) - self._unit.locked.keys():
            raise HoldersMoved(missing)

    def hold_back(self) -> None:
        """From here on what is written by hand goes to the database at the end, in one.

        Nothing may read it before. A verb that joins and fails takes the whole
        transaction with it, for it has no savepoint.
        """
        self._unit.writes.hold_back()

    def write_through(self) -> None:
        """Write what is held back; from here on hold nothing back before the end."""
        self._unit.writes.send()

    @property
    def is_holding_back(self) -> bool:
        """Tell whether verbs that join have no savepoint of their own."""
        return self._unit.writes.is_holding

    @property
    def heads(self) -> Mapping[uuid.UUID, int]:
        """The last numbers of the audiences that are locked, with what is told here."""
        moved = {scope for scope, _, _ in self._unit.changes}
        locked = self._unit.locked
        return {scope: head + (scope in moved) for scope, head in locked.items()}


def _columns_of_facts(entries: Sequence[Entry]) -> dict[str, Any]:
    ats, actors = ([getattr(e, name) for e in entries] for name in ("at", "actor"))
    depots = [entry.depot_id for entry in entries]
    return {
        "id": [entry.id for entry in entries],
        "at": ats if is_mixed(ats) else ats[0],
        "actor": actors if is_mixed(actors) else actors[0],
        "kind": [entry.kind for entry in entries],
        "subject_type": [entry.subject_type for entry in entries],
        "subject_id": [entry.subject_id for entry in entries],
        "depot_id": depots if is_mixed(depots) else depots[0],
        "payload": [entry.payload for entry in entries],
        "sequence": None,
        "previous_hash": "",
        "hash": "",
    }


@contextmanager
def writing(
    *, by: Actor, now: datetime, scopes: Iterable[uuid.UUID] = ()
) -> Iterator[Writer]:
    """Open the transaction of a verb, or join the one that is open.

    `scopes` are the audiences (driver ids) whose rows the verb reads and changes:
    their locks are taken first and sorted. A joined verb that fails takes back what it
    told, and only that.
    """
    outer = _current.get()
    if outer is not None:
        with _joined(outer):
            outer.lock(scopes, now)
            yield Writer(by, now, outer)
        return
    with writes() as held:
        unit = _Unit(writes=held)
        token = _current.set(unit)
        try:
            with transaction.atomic():
                unit.lock(scopes, now)
                yield Writer(by, now, unit)
                unit.flush(now)
        finally:
            _current.reset(token)


@contextmanager
def _joined(unit: _Unit) -> Iterator[None]:
    if unit.writes.is_holding:
        yield  # nothing is written before the end: all of it counts, or nothing
        return
    entries, changes = len(unit.entries), dict(unit.changes)
    locked = dict(unit.locked)
    try:
        with transaction.atomic():
            yield
    except BaseException:
        del unit.entries[entries:]
        unit.changes = changes
        unit.locked = locked
        raise


def _react(entries: Sequence[Entry]) -> None:
    table: Mapping[str, Sequence[Reaction]] = import_string(settings.JOURNAL_REACTIONS)
    queued: dict[str, tuple[str, dict[str, Any]]] = {}
    depot_ids: dict[str, uuid.UUID | None] = {}
    for entry in entries:
        for task, arguments_of in table.get(entry.kind, ()):
            arguments = arguments_of(entry)
            if arguments is None:
                continue
            lists = {k: v for k, v in arguments.items() if isinstance(v, list)}
            apart = {**arguments, **dict.fromkeys(lists)}
            identity = json.dumps([task, apart], sort_keys=True)
            _, known = queued.setdefault(identity, (task, {**apart}))
            depot_ids.setdefault(identity, entry.depot_id)
            for name, values in lists.items():
                known[name] = list(dict.fromkeys([*(known[name] or ()), *values]))
    queue.enqueue_all(list(queued.values()), depot_ids=list(depot_ids.values()))


def forget_removed(scope: uuid.UUID, *, before: datetime, journal: Writer) -> int:
    """Forget what an audience was told to drop before an instant; return how many rows.

    Its horizon moves up to the last of them: who has not heard of it by then gets the
    full set.
    """
    journal.lock([scope])
    gone = Change.objects.filter(scope=scope, deleted=True, at__lt=before)
    last = gone.aggregate(last=models.Max("number"))["last"]
    if last is None:
        return 0
    count, _ = gone.delete()
    FeedHead.objects.filter(pk=scope, horizon__lt=last).update(horizon=last)
    return count


def seal_entries(*, now: datetime) -> int:
    """Chain the entries that have no hash yet; return how many were sealed.

    Runs as a scheduled task, away from the hot path. One sealer at a time: the last
    sealed row is locked, and the unique sequence refuses a second one.
    """
    with transaction.atomic():
        last = (
            Entry.objects.select_for_update()
            .filter(sequence__isnull=False)
            .order_by("-sequence")
            .first()
        )
        sequence = last.sequence if last and last.sequence else 0
        previous = last.hash if last else ""
        batch = list(Entry.objects.filter(sequence=None).order_by("id")[:SEAL_BATCH])
        for entry in batch:
            sequence += 1
            entry.sequence, entry.previous_hash = sequence, previous
            entry.hash = previous = entry_hash(entry)
        Entry.objects.bulk_update(batch, ["sequence", "previous_hash", "hash"])
    return len(batch)


def entry_hash(entry: Entry) -> str:
    """Return the SHA-256 over the entry's content, its number and its forerunner."""
    content = [
        entry.sequence,
        entry.previous_hash,
        str(entry.id),
        entry.at.isoformat(),
        entry.actor,
        entry.kind,
        entry.subject_type,
        entry.subject_id,
        str(entry.depot_id),
        entry.payload,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
