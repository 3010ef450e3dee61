"""Matrices that were asked for before, in one file that a machine's processes share.

A row of the file is a place with all that is known of the ways from it: what it leads to
is a list of columns (kept once, since the places of a day share it), the values are a
blob. A thousand places are a thousand rows and 8 MB, read in some 20 ms; a row a pair
would be a million rows. The file is apart from the database, since it may be lost, is of
this machine, and must not hold up a writer; docs/adr/0005 has the figures.
"""

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from apps.routes.gateways.base import Entries, Provenance

log = structlog.get_logger(__name__)

Keys = NDArray[np.int64]

PAIR_BYTES = 8
MOST_COLUMNS = 8192
"""A row that outgrows this keeps only what was asked for last."""

LEFT_AFTER_CLEARING = 0.9
TOUCHED_EVERY_S = 3600
"""A row's last use is written down once an hour at the most: reading stays reading."""

UNVERSIONED_KEPT_S = 7 * 24 * 3600
"""How long the answers of a source are kept that does not tell its version."""

CHUNK = 10_000
"""Values in one statement; SQLite takes 32,766."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS columns (
    id INTEGER PRIMARY KEY, digest BLOB UNIQUE NOT NULL, keys BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    source TEXT NOT NULL, origin INTEGER NOT NULL, columns_id INTEGER NOT NULL,
    made_s INTEGER NOT NULL, used_s INTEGER NOT NULL, entries BLOB NOT NULL,
    PRIMARY KEY (source, origin)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_use ON rows (used_s);
"""


@dataclass(slots=True)
class Known:
    """What a cache knows of a square: `durations_s`, `distances_m`, and which pairs."""

    durations_s: Entries
    distances_m: Entries
    is_known: NDArray[np.bool_]


class MatrixCache:
    """A bounded file of rows of matrices; what was not used for longest goes first.

    A file that cannot be read or written is as good as none, and is begun anew.
    """

    def __init__(self, path: Path, *, most_bytes: int) -> None:
        """Take the file, and how large what it holds may grow."""
        self._path = path
        self._most_bytes = most_bytes

    def look_up(self, origin: Provenance, keys: Keys) -> Known:
        """Return what is known of the square between the places of `keys`."""
        count = len(keys)
        known = Known(
            np.zeros((count, count), dtype=np.int32),
            np.zeros((count, count), dtype=np.int32),
            np.eye(count, dtype=bool),
        )
        with self._file() as file:
            if file is not None:
                self._read(file, origin, keys, known)
        return known

    def store(self, origin: Provenance, keys: Keys, known: Known) -> None:
        """Keep a square that is known in full; what its rows knew besides stays known."""
        if known.durations_s.size * PAIR_BYTES > self._most_bytes:
            return
        with self._file() as file:
            if file is None:
                return
            now_s, source = int(time.time()), _source(origin)
            file.execute("BEGIN IMMEDIATE")
            _forget(file, origin, now_s)
            for columns_id, members in self._groups(file, source, keys).items():
                self._write(file, (source, columns_id, now_s), keys, members, known)
            self._evict(file)
            file.execute("COMMIT")

    def size_bytes(self) -> int:
        """Return how large what the file holds is."""
        with self._file() as file:
            return 0 if file is None else _size(file)

    @contextlib.contextmanager
    def _file(self) -> Iterator[sqlite3.Connection | None]:
        """Open the file; None where that fails, and a broken one is taken away."""
        file = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            file.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                " PRAGMA journal_size_limit=16777216; PRAGMA mmap_size=268435456;"
                + SCHEMA
            )
        except (sqlite3.Error, OSError) as error:
            self._give_up(file, error)
            yield None
            return
        try:
            yield file
        except (sqlite3.Error, ValueError) as error:
            self._give_up(file, error)
        finally:
            file.close()

    def _give_up(self, file: sqlite3.Connection | None, error: Exception) -> None:
        busy = isinstance(error, sqlite3.OperationalError)
        log.warning("matrix_cache_failed", error=str(error), kept=busy)
        if file is not None:
            file.close()
        if not busy:
            for end in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    Path(f"{self._path}{end}").unlink(missing_ok=True)

    def _read(
        self, file: sqlite3.Connection, origin: Provenance, keys: Keys, known: Known
    ) -> None:
        now_s, source = int(time.time()), _source(origin)
        oldest_s = 0 if origin.version else now_s - UNVERSIONED_KEPT_S
        place = {int(key): index for index, key in enumerate(keys)}
        rows: dict[int, list[tuple[int, bytes]]] = {}
        stale = False
        file.execute("BEGIN")
        for chunk in _chunks(list(place)):
            marks = ",".join("?" * len(chunk))
            found = file.execute(
                "SELECT origin, columns_id, used_s, entries FROM rows"  # noqa: S608
                f" WHERE source = ? AND made_s >= ? AND origin IN ({marks})",
                (source, oldest_s, *chunk),
            )
            for key, columns_id, used_s, entries in found:
                rows.setdefault(columns_id, []).append((place[key], entries))
                stale = stale or used_s < now_s - TOUCHED_EVERY_S
        for columns_id, members in rows.items():
            columns = _columns(file, columns_id)
            _fill(known, keys, columns, members)
        file.execute("COMMIT")
        if stale:
            _touch(file, source, list(place), now_s)

    def _groups(
        self, file: sqlite3.Connection, source: str, keys: Keys
    ) -> dict[int, list[int]]:
        """Return the places' indices by the columns that their rows have; 0: no row."""
        place = {int(key): index for index, key in enumerate(keys)}
        groups: dict[int, list[int]] = {}
        seen = set()
        for chunk in _chunks(list(place)):
            marks = ",".join("?" * len(chunk))
            for key, columns_id in file.execute(
                "SELECT origin, columns_id FROM rows"  # noqa: S608
                f" WHERE source = ? AND origin IN ({marks})",
                (source, *chunk),
            ):
                groups.setdefault(columns_id, []).append(place[key])
                seen.add(key)
        if fresh := [index for key, index in place.items() if key not in seen]:
            groups[0] = fresh
        return groups

    def _write(
        self,
        file: sqlite3.Connection,
        what: tuple[str, int, int],
        keys: Keys,
        members: list[int],
        known: Known,
    ) -> None:
        """Write the rows of one group: what they had, and the square's columns."""
        source, columns_id, now_s = what
        old = _columns(file, columns_id) if columns_id else np.empty(0, dtype=np.int64)
        columns = np.union1d(old, keys)
        if len(columns) > MOST_COLUMNS:
            old, columns = old[:0], np.unique(keys)
        both = np.zeros((len(members), 2, len(columns)), dtype="<i4")
        if len(old):
            entries = _entries(file, source, [int(keys[m]) for m in members])
            both[:, :, np.searchsorted(columns, old)] = entries
        at = np.searchsorted(columns, keys)
        both[:, 0, at] = known.durations_s[members]
        both[:, 1, at] = known.distances_m[members]
        new_id = _columns_id(file, columns)
        file.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " columns_id = excluded.columns_id, used_s = excluded.used_s,"
            " entries = excluded.entries",
            (
                (source, int(keys[m]), new_id, now_s, now_s, both[row].tobytes())
                for row, m in enumerate(members)
            ),
        )

    def _evict(self, file: sqlite3.Connection) -> None:
        """Let the rows go that were not used for longest, and columns without rows."""
        size = _size(file)
        if size > self._most_bytes:
            gone = 0
            aim = size - int(self._most_bytes * LEFT_AFTER_CLEARING)
            doomed = []
            for source, origin, length in file.execute(
                "SELECT source, origin, length(entries) FROM rows ORDER BY used_s"
            ):
                if gone >= aim:
                    break
                doomed.append((source, origin))
                gone += length
            file.executemany("DELETE FROM rows WHERE source = ? AND origin = ?", doomed)
            log.info("matrix_cache_cleared", rows=len(doomed), bytes=gone)
        file.execute(
            "DELETE FROM columns WHERE id NOT IN (SELECT DISTINCT columns_id FROM rows)"
        )


def _source(origin: Provenance) -> str:
    return f"{origin.source}|{origin.version}"


def _chunks(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _columns(file: sqlite3.Connection, columns_id: int) -> Keys:
    [keys] = file.execute(
        "SELECT keys FROM columns WHERE id = ?", (columns_id,)
    ).fetchone()
    return np.frombuffer(keys, dtype="<i8").astype(np.int64)


def _columns_id(file: sqlite3.Connection, columns: Keys) -> int:
    raw = columns.astype("<i8").tobytes()
    digest = hashlib.sha256(raw).digest()
    file.execute(
        "INSERT OR IGNORE INTO columns (digest, keys) VALUES (?, ?)", (digest, raw)
    )
    [found] = file.execute(
        "SELECT id FROM columns WHERE digest = ?", (digest,)
    ).fetchone()
    return int(found)


def _fill(
    known: Known, keys: Keys, columns: Keys, members: list[tuple[int, bytes]]
) -> None:
    """Put rows of one list of columns where they belong in the square."""
    both = np.frombuffer(b"".join(raw for _, raw in members), dtype="<i4")
    both = both.reshape(len(members), 2, len(columns))
    at = np.minimum(np.searchsorted(columns, keys), len(columns) - 1)
    there = np.flatnonzero(columns[at] == keys)
    rows = np.array([index for index, _ in members])
    if len(there) == len(keys):  # the rows know all: no need to pick single values
        is_same = len(columns) == len(keys)
        for value, square in enumerate((known.durations_s, known.distances_m)):
            whole = both[:, value]
            square[rows] = whole if is_same else whole.take(at, axis=1)
        known.is_known[rows] = True
        return
    part = np.ix_(rows, there)
    known.durations_s[part] = both[:, 0, at[there]]
    known.distances_m[part] = both[:, 1, at[there]]
    known.is_known[part] = True


def _entries(
    file: sqlite3.Connection, source: str, origins: list[int]
) -> NDArray[np.int32]:
    """Return the values of rows that share their columns: (rows, 2, columns)."""
    found: dict[int, bytes] = {}
    for chunk in _chunks(origins):
        marks = ",".join("?" * len(chunk))
        found.update(
            file.execute(
                "SELECT origin, entries FROM rows"  # noqa: S608
                f" WHERE source = ? AND origin IN ({marks})",
                (source, *chunk),
            )
        )
    raw = b"".join(found[origin] for origin in origins)
    return np.frombuffer(raw, dtype="<i4").reshape(len(origins), 2, -1)


def _forget(file: sqlite3.Connection, origin: Provenance, now_s: int) -> None:
    """Drop what a source said in other versions, or too long ago where it has none."""
    name = origin.source
    file.execute(
        "DELETE FROM rows WHERE source >= ? AND source < ? AND source <> ?",
        (f"{name}|", f"{name}}}", _source(origin)),
    )
    if not origin.version:
        file.execute(
            "DELETE FROM rows WHERE source = ? AND made_s < ?",
            (_source(origin), now_s - UNVERSIONED_KEPT_S),
        )


def _touch(
    file: sqlite3.Connection, source: str, origins: list[int], now_s: int
) -> None:
    for chunk in _chunks(origins):
        marks = ",".join("?" * len(chunk))
        file.execute(
            f"UPDATE rows SET used_s = ? WHERE source = ? AND origin IN ({marks})",  # noqa: S608
            (now_s, source, *chunk),
        )


def _size(file: sqlite3.Connection) -> int:
    [size] = file.execute(
        "SELECT coalesce(sum(length(entries)), 0) FROM rows"
    ).fetchone()
    return int(size)
