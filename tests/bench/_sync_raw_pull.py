"""The peer of a pull: the same rows read by psycopg alone, the same JSON made of them.

No HTTP, no routing, no throttling, no rules: three statements stand ready on a connection
for each client, one where nothing is new, and `orjson` writes what a device would get.
The benchmark compares the two answers, all but their time.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from knox.crypto import hash_token

from tests.bench._sync_load import Measured, side_by_side

WHO = """
SELECT t.purpose, t.expiry, d.id, d.status, d.last_seen_at, d.shown_session,
       r.id, r.language, r.is_active, u.is_active, f.head, f.horizon, f.epoch
  FROM drivers_token t
  JOIN drivers_device d ON d.id = t.device_id
  JOIN auth_user u ON u.id = t.user_id
  JOIN drivers_driver r ON r.user_id = u.id
  JOIN journal_feedhead f ON f.scope = r.id
 WHERE t.digest = %s
"""
PAGE = """
SELECT number, row_id, deleted FROM journal_change
 WHERE scope = %s AND number > %s AND number <= %s AND "table" = 'event_results'
 ORDER BY number LIMIT %s
"""
RESULTS = """
SELECT id, kind, stop_id, result, code, detail, received_at, occurred_at, rule, yours,
       ours, ours_at, corrects
  FROM sync_deviceevent WHERE id = ANY(%s) AND driver_id = %s ORDER BY id
"""
TABLES = (
    *("routes", "stops", "orders", "plan_changes", "recommendations", "event_results"),
    *("attachments", "feedback_answers", "surveys", "overrides", "verdicts"),
)
WORDS = {"ok": "Done."}
"""What is said of an event without words of its own."""

Work = Callable[[], list[tuple[float, bytes]]]


def pull_raw(
    connections: Sequence[Any],
    drivers: Sequence[dict[str, Any]],
    since: Sequence[int],
    *,
    pulls: int,
    rows: int,
) -> Measured:
    """Pull so often on each connection what a driver's feed holds since a number.

    `rows` is how many rows of `event_results` there are: nothing is new where it is 0.
    """

    def client(connection: Any, driver: dict[str, Any], number: int) -> Work:
        digest = hash_token(driver["token"])

        def run() -> list[tuple[float, bytes]]:
            done = []
            for _ in range(pulls):
                began_s = time.perf_counter()
                body = _answer(connection, digest, number, rows)
                done.append((time.perf_counter() - began_s, body))
            return done

        return run

    return side_by_side(
        [client(*one) for one in zip(connections, drivers, since, strict=True)]
    )


def _answer(connection: Any, digest: str, number: int, rows: int) -> bytes:
    [who] = connection.execute(WHO, [digest]).fetchall()
    driver_id, head, epoch = who[6], who[10], who[12]
    updated: list[dict[str, Any]] = []
    if head > number:
        values = [driver_id, number, head, rows + 1]
        changed = connection.execute(PAGE, values).fetchall()
        ids = [row_id for _, row_id, _ in changed]
        found = connection.execute(RESULTS, [ids, driver_id]).fetchall()
        updated = [_row(each) for each in found]
    names = ("event_results",) if rows else TABLES
    changes: dict[str, Any] = {
        name: {"created": [], "updated": [], "deleted": []} for name in names
    }
    changes["event_results"]["updated"] = updated
    page = {
        "changes": changes,
        "timestamp": head,
        "cursor": f"e{epoch}.{head}",
        "head": head,
        "has_more": False,
        "server_time": datetime.now(UTC),  # noqa: TID251  as the door gives it
    }
    return orjson.dumps(page, option=orjson.OPT_UTC_Z)


def _row(found: Sequence[Any]) -> dict[str, Any]:
    event_id, kind, stop_id, result, code, detail, received_at, occurred_at = found[:8]
    rule, yours, ours, ours_at, corrects = found[8:]
    return {
        "id": event_id,
        "kind": kind,
        "stop_id": stop_id,
        "result": result,
        "code": code,
        "detail": detail or WORDS[code],
        "received_at": round(received_at.timestamp() * 1000),
        "occurred_at": round(occurred_at.timestamp() * 1000),
        "rule": rule,
        "yours": yours,
        "ours": ours,
        "ours_at": ours_at and round(ours_at.timestamp() * 1000),
        "winner": "",
        "advice": "",
        "corrects": corrects,
    }
