"""`bench sync`: what one web process takes in and gives out, beside bare psycopg.

On a database of its own, made beside the one of `DATABASE_URL` (PostgreSQL) and dropped
at the end. Handhelds are threads with bare sockets; the server is one process, with all
of its doors' checks. `--stored` is how many events the database holds at the end, when
the same figures are taken again: what they lost is `history_growth_pct`.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from tests.bench._scratch import Scratch, scratch
from tests.bench._sync_load import (
    FIXES,
    Measured,
    batches_of,
    drive,
    push_of,
    request,
    track_of,
)
from tests.bench._sync_raw import insert_positions, push_batches

STOPS = 70
BATCHES = STOPS // 7
STORED_FIRST = 10_000
POSITION_CLIENTS = 4
ROWS_PULLED = 25

Driver = dict[str, Any]


def main(argv: list[str]) -> dict[str, Any]:
    """Measure with few events stored, then with many; return the figures."""
    parser = argparse.ArgumentParser(prog="bench sync")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument(
        "--drivers", type=int, default=2, help="Days that each client drives, a round."
    )
    parser.add_argument("--pulls", type=int, default=200, help="Pulls of each client.")
    parser.add_argument("--tracks", type=int, default=4, help="Tracks of each client.")
    parser.add_argument(
        "--stored",
        type=int,
        default=200_000,
        help="Events stored in the second round (the target is set for 5000000).",
    )
    given = parser.parse_args(argv)
    with scratch() as place:
        round_ = given.clients * given.drivers
        rounds = 4 if given.stored > STORED_FIRST else 3
        drivers = make_drivers(place, rounds * round_ + given.clients)
        warm, drivers = drivers[: given.clients], drivers[given.clients :]
        place.run("-m", "tests.bench._sync_day", "history", str(STORED_FIRST))
        with place.serving() as web:
            port, clients = web.port, given.clients
            drive(port, [[push_of(d, next(batches_of(d, 1)))] for d in warm])
            figures = push_and_pull(port, drivers[:round_], clients, given.pulls)
            figures["push"] |= beside_raw(
                place, drivers[round_ : 3 * round_], clients, figures
            )
            figures["positions"] = positions(place, port, warm, given.tracks)
            if rounds > 3:
                more = str(given.stored - STORED_FIRST)
                place.run("-m", "tests.bench._sync_day", "history", more)
                late = push_and_pull(port, drivers[3 * round_ :], clients, given.pulls)
                figures |= growth(figures, late)
                figures["stored"] = given.stored
    return figures


def make_drivers(place: Scratch, count: int) -> list[Driver]:
    """Return drivers on the road, who push their first event with the next number."""
    told = place.run("-m", "tests.bench._sync_day", str(count), str(STOPS))
    drivers: list[Driver] = json.loads(told.splitlines()[-1])
    return drivers


def push_and_pull(
    port: int, drivers: Sequence[Driver], clients: int, pulls: int
) -> dict[str, Any]:
    """Drive days to their end: fresh pushes, the same again, and pulls in between."""
    fresh = [
        [push_of(d, batch) for d in drivers[n::clients] for batch in day(port, d)]
        for n in range(clients)
    ]
    push = drive(port, fresh)
    check(push.answers, "applied")
    replay = drive(port, fresh)
    check(replay.answers, "duplicate")
    return {
        "push": {"events_s": round(push.rate * 25), "p95_ms": push.p95_ms},
        "replay": {"events_s": round(replay.rate * 25), "p95_ms": replay.p95_ms},
        "pull": pulled(port, drivers[:clients], pulls, rows=ROWS_PULLED),
        "idle": pulled(port, drivers[:clients], pulls, rows=0),
    }


def day(port: int, driver: Driver) -> list[list[dict[str, Any]]]:
    """Return a driver's batches, counted on from what the device has sent before."""
    return list(batches_of(driver, driver.get("next_seq", 1)))


def check(answers: Sequence[bytes], expected: str) -> None:
    """Pass answers in which every event has this result.

    Raises:
        RuntimeError: one has another; its answer is shown.
    """
    for answer in answers:
        for result in json.loads(answer)["results"]:
            if result["result"] != expected:
                raise RuntimeError(f"{expected} was expected: {result}")


def pulled(
    port: int, drivers: Sequence[Driver], pulls: int, *, rows: int
) -> dict[str, Any]:
    """Pull what was told last: `rows` rows, or nothing since the head."""
    work = []
    for driver in drivers:
        [first] = drive(port, [[request(driver, "GET", "pull?limit=2000")]]).answers
        head = json.loads(first)["head"]
        # A page never splits a number: the events of one push are told together.
        query = f"cursor=e1.{head - bool(rows)}&limit={max(rows, 1)}"
        if rows:
            query += "&tables=event_results"
        work.append([request(driver, "GET", f"pull?{query}")] * pulls)
    measured = drive(port, work)
    for answer in measured.answers:
        changes = json.loads(answer)["changes"].values()
        came = sum(len(table["updated"]) for table in changes)
        if came != rows:
            raise RuntimeError(f"{came} rows were pulled instead of {rows}.")
    return {"pulls_s": round(measured.rate), "p95_ms": measured.p95_ms}


def beside_raw(
    place: Scratch, drivers: Sequence[Driver], clients: int, figures: dict[str, Any]
) -> dict[str, Any]:
    """Return what psycopg alone does: the writes alone, and with the protocol's reads."""
    found: dict[str, Any] = {}
    half = len(drivers) // 2
    for name, some, reads in (
        ("", drivers[:half], False),
        ("_with_reads", drivers[half:], True),
    ):
        work = [(driver, list(batches_of(driver, 1))) for driver in some[:clients]]
        raw: Measured = push_batches(place.url, work, reads=reads)
        events_s = raw.rate * 25
        found[f"raw_psycopg{name}_events_s"] = round(events_s)
        found[f"ratio{name}"] = round(figures["push"]["events_s"] / events_s, 3)
    return found


def positions(
    place: Scratch, port: int, drivers: Sequence[Driver], tracks: int
) -> dict[str, Any]:
    """Return how many fixes a second are kept, beside INSERTs of a thousand rows."""
    some = drivers[:POSITION_CLIENTS]
    sent = [[track_of(d, f"boot-{n}") for n in range(tracks)] for d in some]
    measured = drive(port, [[content for content, _ in client] for client in sent])
    for answer in measured.answers:
        if json.loads(answer)["stored"] != FIXES:
            raise RuntimeError(answer.decode())
    limit = insert_positions(place.url, some, tracks)
    fixes_s = measured.rate * FIXES
    return {
        "fixes_s": round(fixes_s),
        "p95_ms": measured.p95_ms,
        "multi_row_insert_fixes_s": round(limit),
        "ratio": round(fixes_s / limit, 3),
        "bytes_8h": sent[0][0][1],
    }


def growth(early: dict[str, Any], late: dict[str, Any]) -> dict[str, Any]:
    """Return by how much each thing takes longer with many events stored."""
    pct = {
        name: round((early[name][unit] / late[name][unit] - 1) * 100, 1)
        for name, unit in [
            ("push", "events_s"),
            ("replay", "events_s"),
            ("pull", "pulls_s"),
            ("idle", "pulls_s"),
        ]
    }
    return {"history_growth_pct": max(pct.values()), "growth_pct": pct}
