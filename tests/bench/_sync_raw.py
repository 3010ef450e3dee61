"""The peer: the same transactions by psycopg alone, as few statements as there can be.

No HTTP, no credentials, no rules, no estimates of arrival: rows that are ready are
written where the server writes them. The strict form reads hardly anything; the one
with reads also asks and locks what the protocol has a push ask: who holds the stops once
the locks are there, which events are known, the device's line, the stops and orders that
change, and who was ever given them.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from tests.bench._sync_load import FIXES, Measured, side_by_side

HEAD = "SELECT head FROM journal_feedhead WHERE scope = %s FOR UPDATE"
HOLDERS = """
SELECT DISTINCT r.driver_id FROM routes_stop s JOIN routes_route r ON r.id = s.route_id
 WHERE s.id = ANY(%s)
"""
INBOX = """
INSERT INTO sync_deviceevent (id, driver_id, device_id, seq, kind, stop_id, payload,
    depends_on, device_time, mono_ms, boot_id, body_hash, occurred_at, uncertainty_ms,
    time_quality, received_at, result, code, detail, rule, yours, ours, corrects)
SELECT e.id, %s, %s, e.seq, e.kind, e.stop_id, e.payload, '', %s, e.mono_ms, 'boot-1',
    md5(e.id) || md5(e.id), %s, 40, 'mono', %s, 'applied', 'ok', '', '', '', '', ''
  FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::jsonb[],
              %s::bigint[]) AS e (id, seq, kind, stop_id, payload, mono_ms)
ON CONFLICT DO NOTHING RETURNING id
"""
FACTS = "SELECT id, kind, occurred_at FROM routes_stopevent WHERE stop_id = ANY(%s)"
FACT = """
INSERT INTO routes_stopevent (id, stop_id, driver_id, kind, payload, occurred_at,
    received_at, device_seq, verdict, corrects, device_id, is_sure)
SELECT e.id, e.stop_id, %s, e.kind, e.payload, %s, %s, e.seq, 'applied/ok', '', %s, true
  FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::jsonb[], %s::bigint[])
       AS e (id, stop_id, kind, payload, seq)
"""
STOP = """
UPDATE routes_stop s SET status = e.status, enroute_at = %s, arrived_at = %s,
    completed_at = %s, completed_by_id = %s, version = version + 1
  FROM unnest(%s::uuid[], %s::text[]) AS e (id, status) WHERE s.id = e.id
"""
ORDER = """
UPDATE orders_order o SET status = e.status, changed_at = %s
  FROM unnest(%s::uuid[], %s::text[]) AS e (id, status) WHERE o.id = e.id
"""
ENTRY = """
INSERT INTO journal_entry (id, at, actor, kind, subject_type, subject_id, depot_id,
    payload, previous_hash, hash)
SELECT e.id, %s, %s, e.kind, 'stop', e.stop_id, %s, e.payload, '', ''
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::jsonb[])
       AS e (id, kind, stop_id, payload)
"""
PROOF = """
INSERT INTO sync_attachment (id, driver_id, device_id, event_id, stop_id, sha256,
    size_bytes, media_type, status, detail, received_bytes, stored_name, stored_type,
    named_at)
SELECT e.id, %s, %s, e.event_id, e.stop_id, md5(e.id) || md5(e.id), 480000,
    'image/jpeg', 'awaited', '', 0, '', '', %s
  FROM unnest(%s::text[], %s::text[], %s::text[]) AS e (id, event_id, stop_id)
ON CONFLICT DO NOTHING
"""
CHANGE = """
INSERT INTO journal_change (scope, "table", row_id, number, deleted, at)
SELECT %s, e.name, e.row_id, %s, false, %s FROM unnest(%s::text[], %s::text[])
    AS e (name, row_id)
ON CONFLICT (scope, "table", row_id) DO UPDATE SET number = excluded.number,
    at = excluded.at
"""
LINE = "UPDATE sync_inboxhead SET reached = %s WHERE device_id = %s"
ANCHOR = """
INSERT INTO sync_deviceanchor (device_id, boot_id, mono_ms, server_at, rtt_ms)
VALUES (%s, 'boot-1', %s, %s, 80) ON CONFLICT DO NOTHING
"""
DUE = """
UPDATE routes_route SET etas_due_at = %s WHERE id = %s
   AND (etas_due_at IS NULL OR etas_due_at < %s)
"""
TASK = """
INSERT INTO core_taskrun (id, task, arguments, state, attempts, max_attempts,
    enqueued_at, error)
VALUES (%s, 'apps.routes.tasks.reoptimize', %s, 'queued', 0, 5, %s, '')
"""
QUEUED = """
INSERT INTO django_q_ormq (key, payload, lock) VALUES ('roundsman', %s, %s)
"""
PACKAGE = "p" * 330
"""As long as what the queue keeps of a task, signed."""

BUMP = "UPDATE journal_feedhead SET head = head + 1, moved_at = %s WHERE scope = %s"
OUTCOMES = ("stop.succeeded", "stop.failed")
POSITIONS = """
INSERT INTO drivers_position (driver_id, device_id, boot_key, mono_ms, occurred_ms,
    lat_e6, lon_e6, accuracy_m) VALUES
"""
ROWS_AT_ONCE = 1000

LOCKED_LINE = """
SELECT reached, ahead, holds FROM sync_inboxhead WHERE device_id = %s FOR UPDATE
"""
KNOWN_ANCHORS = """
SELECT mono_ms, server_at, rtt_ms FROM sync_deviceanchor
 WHERE device_id = %s AND boot_id = 'boot-1' ORDER BY server_at DESC LIMIT 400
"""
KNOWN_EVENTS = """
SELECT id, driver_id, body_hash, result, code, detail FROM sync_deviceevent
 WHERE id = ANY(%s)
"""
LOCKED_STOPS = """
SELECT s.id, s.status, s.arrived_at, s.completed_at, s.version, r.driver_id, o.status
  FROM routes_stop s JOIN orders_order o ON o.id = s.order_id
  LEFT JOIN routes_route r ON r.id = s.route_id
 WHERE s.id = ANY(%s) ORDER BY s.id FOR UPDATE OF s, o
"""
GIVEN = "SELECT stop_id, driver_id FROM routes_stopassignment WHERE stop_id = ANY(%s)"

Batch = list[dict[str, Any]]


@contextmanager
def clients_of(url: str, count: int) -> Iterator[list[Any]]:
    """Open as many connections, which keep their prepared statements over rounds."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(psycopg.connect(url, autocommit=True))
            for _ in range(count)
        ]


def push_batches(
    connections: Sequence[Any],
    work: Sequence[tuple[dict[str, Any], list[Batch]]],
    *,
    reads: bool,
) -> Measured:
    """Write each client's batches, all clients side by side in this process.

    With `reads`, ask and lock in each transaction what the protocol has a push ask.
    """
    return side_by_side(
        [
            _client(connection, driver, batches, reads=reads)
            for connection, (driver, batches) in zip(connections, work, strict=True)
        ]
    )


def _client(
    connection: Any, driver: dict[str, Any], batches: list[Batch], *, reads: bool
) -> Callable[[], list[tuple[float, bytes]]]:
    def run() -> list[tuple[float, bytes]]:
        orders = dict(driver["stops"])
        done = []
        for batch in batches:
            began_s = time.perf_counter()
            with connection.transaction():
                _take_in(connection, driver, orders, batch, reads=reads)
            done.append((time.perf_counter() - began_s, b""))
        return done

    return run


def _take_in(
    connection: Any,
    driver: dict[str, Any],
    orders: dict[str, str],
    batch: Batch,
    *,
    reads: bool,
) -> None:
    me, device, now = driver["driver_id"], driver["device_id"], datetime.now(UTC)  # noqa: TID251
    stops = sorted({each["stop_id"] for each in batch})
    ends = [each for each in batch if each["kind"] in OUTCOMES]
    status = {e["stop_id"]: e["kind"].removeprefix("stop.") for e in ends}
    done = ["delivered" if status[s] == "succeeded" else "failed" for s in stops]
    ids = [each["id"] for each in batch]
    kinds = [each["kind"] for each in batch]
    at = [each["stop_id"] for each in batch]
    bodies = [each["payload"] for each in batch]
    seqs = [each["seq"] for each in batch]
    proofs = [
        (proof["attachment_id"], each["id"], each["stop_id"])
        for each in ends
        for proof in json.loads(each["payload"]).get("attachments", [])
    ]
    connection.execute(HOLDERS, [stops]).fetchall()
    [head] = connection.execute(HEAD, [me]).fetchone()
    if reads:
        for statement, about in (
            (HOLDERS, stops),
            (LOCKED_LINE, device),
            (KNOWN_ANCHORS, device),
            (KNOWN_EVENTS, ids),
            (LOCKED_STOPS, stops),
            (GIVEN, stops),
        ):
            connection.execute(statement, [about]).fetchall()
    monos = [each["mono_ms"] for each in batch]
    values = [me, device, now, now, now, ids, seqs, kinds, at, bodies, monos]
    connection.execute(INBOX, values).fetchall()
    connection.execute(FACTS, [stops]).fetchall()
    connection.execute(FACT, [me, now, now, device, ids, at, kinds, bodies, seqs])
    states = [status[stop] for stop in stops]
    connection.execute(STOP, [now, now, now, me, stops, states])
    connection.execute(ORDER, [now, [orders[stop] for stop in stops], done])
    entries = [str(uuid.uuid4()) for _ in range(len(batch) + len(stops))]
    told = [*kinds, *(["order.outcome_set"] * len(stops))]
    about = [*at, *(orders[stop] for stop in stops)]
    said = [_fact_of(driver, each, now) for each in batch]
    said += [_outcome_of(orders[stop], now) for stop in stops]
    values = [now, f"driver:{me}", driver["depot_id"], entries, told, about, said]
    connection.execute(ENTRY, values)
    columns = [list(column) for column in zip(*proofs, strict=True)]
    connection.execute(PROOF, [me, device, now, *columns])
    changes = [("stops", stop) for stop in stops]
    changes += [("orders", orders[stop]) for stop in stops]
    changes += [("event_results", each) for each in ids]
    changes += [("attachments", proof[0]) for proof in proofs]
    names, rows = ([each[n] for each in changes] for n in (0, 1))
    connection.execute(CHANGE, [me, head + 1, now, names, rows])
    connection.execute(BUMP, [now, me])
    connection.execute(LINE, [seqs[-1], device])
    connection.execute(ANCHOR, [device, monos[-1], now])
    connection.execute(DUE, [now, driver["route_id"], now - timedelta(minutes=2)])
    for _ in (each for each in ends if each["kind"] == "stop.failed"):
        asked = {"cause": "stop.failed", "route_id": driver["route_id"]}
        asked |= {"depot_id": driver["depot_id"], "service_date": str(now.date())}
        connection.execute(TASK, [uuid.uuid4(), json.dumps(asked), now])
        connection.execute(QUEUED, [PACKAGE, now])


def _fact_of(driver: dict[str, Any], event: dict[str, Any], now: datetime) -> str:
    """Return what the journal keeps of an event: as much as the server's rules say."""
    at = now.isoformat()
    return json.dumps(
        {
            "route_id": driver["route_id"],
            "service_date": at[:10],
            "driver_id": driver["driver_id"],
            "event_id": event["id"],
            "occurred_at": at,
            "late_s": 0,
            "expected": None,
            "status": "succeeded",
            "before": "arrived",
        }
    )


def _outcome_of(order_id: str, now: datetime) -> str:
    """Return what the journal keeps of an order's new state."""
    return json.dumps(
        {
            "status": "delivered",
            "order_id": order_id,
            "old_status": "open",
            "service_date": now.isoformat()[:10],
        }
    )


def insert_positions(url: str, drivers: Sequence[dict[str, Any]], tracks: int) -> float:
    """Return how many fixes a second go in by INSERTs of many rows, a client a driver."""
    row = sql.SQL("(%s, %s, %s, %s, %s, %s, %s, %s)")
    statement = sql.SQL(POSITIONS) + sql.SQL(", ").join([row] * ROWS_AT_ONCE)

    def client(driver: dict[str, Any]) -> Callable[[], list[tuple[float, bytes]]]:
        me, device = driver["driver_id"], driver["device_id"]

        def run() -> list[tuple[float, bytes]]:
            done = []
            with psycopg.connect(url) as connection:
                for boot in range(tracks):
                    began_s = time.perf_counter()
                    fixes = [
                        [me, device, -boot, n * 5000, n, 49_512_600 + n, 11_282_300, 6]
                        for n in range(FIXES // ROWS_AT_ONCE * ROWS_AT_ONCE)
                    ]
                    with connection.transaction():
                        for first in range(0, len(fixes), ROWS_AT_ONCE):
                            some = fixes[first : first + ROWS_AT_ONCE]
                            connection.execute(
                                statement, [v for fix in some for v in fix]
                            )
                    done.append((time.perf_counter() - began_s, b""))
            return done

        return run

    measured = side_by_side([client(driver) for driver in drivers])
    return measured.rate * (FIXES // ROWS_AT_ONCE * ROWS_AT_ONCE)
