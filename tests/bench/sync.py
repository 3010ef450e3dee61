"""`bench sync`: what one web process takes in and gives out, beside bare psycopg.

On a database of its own, made beside the one of `DATABASE_URL` (PostgreSQL) and dropped
at the end. Handhelds are threads with bare sockets; the server is one process, with all
of its doors' checks. `--stored` is how many events the database holds at the end, when
the same figures are taken again: what they lost is `history_growth_pct`.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
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
from tests.bench._sync_raw import clients_of, insert_positions, push_batches
from tests.bench._sync_raw_pull import pull_raw

STOPS = 70
BATCHES = STOPS // 7
STORED_FIRST = 10_000
POSITION_CLIENTS = 4
ROWS_PULLED = 25
TURNS = 3
"""Rounds with little and with much stored; one more goes before the latter, since what is
read is not in memory after so many rows were put in."""
ISSUE_RAW_EVENTS_S = 11_000
"""What bare psycopg did where the target was set: how fast this machine is beside it."""

PEERS = {"": False, "_with_reads": True}
"""The peer's two forms, by what their figures end with: whether it reads as well."""

Driver = dict[str, Any]


def main(argv: list[str]) -> dict[str, Any]:
    """Measure with few events stored, then with many; return the figures."""
    parser = argparse.ArgumentParser(prog="bench sync")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument(
        "--drivers", type=int, default=2, help="Days that each client drives, a round."
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="Rounds beside the peer, a day of each client; one more comes before.",
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
        beside = given.clients * (1 + len(PEERS)) * (given.rounds + 1)
        is_long = given.stored > STORED_FIRST
        count = given.clients + round_ * (1 + 2 * TURNS if is_long else 1) + beside
        drivers = iter(make_drivers(place, count))
        warm = _next(drivers, given.clients)
        place.run("-m", "tests.bench._sync_day", "history", str(STORED_FIRST))
        with place.serving() as web:
            port, clients = web.port, given.clients
            drive(port, [[push_of(d, next(batches_of(d, 1)))] for d in warm])
            some = _next(drivers, beside)
            push = beside_raw(place, port, some, clients, given.rounds)
            early = _next(drivers, round_)
            figures = push_and_pull(port, early, clients, given.pulls)
            if is_long:
                turns = [_next(drivers, round_) for _ in range(TURNS - 1)]
                before = [figures, *_turns(port, turns, clients, given.pulls)]
            figures = figures | {"push": push}
            near = early[:clients]
            for name, rows in (("pull", ROWS_PULLED), ("idle", 0)):
                figures[name] = pulls_beside_raw(
                    place, port, near, given.rounds, given.pulls, rows=rows
                )
            figures["positions"] = positions(place, port, warm, given.tracks)
            if is_long:
                more = str(given.stored - STORED_FIRST)
                place.run("-m", "tests.bench._sync_day", "history", more)
                turns = [_next(drivers, round_) for _ in range(TURNS + 1)]
                _, *after = _turns(port, turns, clients, given.pulls)
                figures |= growth(before, after)
                figures["stored"] = given.stored
    return figures


def _turns(
    port: int, turns: Sequence[list[Driver]], clients: int, pulls: int
) -> list[dict[str, Any]]:
    return [push_and_pull(port, some, clients, pulls) for some in turns]


def _next(drivers: Iterator[Driver], count: int) -> list[Driver]:
    return [next(drivers) for _ in range(count)]


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
    since = [_last(port, driver, rows) for driver in drivers]
    measured = _pull(port, drivers, since, pulls, rows=rows)
    return {"pulls_s": round(measured.rate), "p95_ms": measured.p95_ms}


def _last(port: int, driver: Driver, rows: int) -> int:
    """Return the number after which a driver has so many rows of results to hear."""
    [first] = drive(port, [[request(driver, "GET", "pull?limit=2000")]]).answers
    # A page never splits a number: the events of one push are told together.
    return int(json.loads(first)["head"]) - bool(rows)


def _pull(
    port: int, drivers: Sequence[Driver], since: Sequence[int], pulls: int, *, rows: int
) -> Measured:
    work = []
    for driver, number in zip(drivers, since, strict=True):
        query = f"cursor=e1.{number}&limit={max(rows, 1)}"
        if rows:
            query += "&tables=event_results"
        work.append([request(driver, "GET", f"pull?{query}")] * pulls)
    measured = drive(port, work)
    check_rows(measured.answers, rows)
    return measured


def check_rows(answers: Sequence[bytes], rows: int) -> None:
    """Pass answers that bring so many rows.

    Raises:
        RuntimeError: one brings more, or fewer.
    """
    for answer in answers:
        changes = json.loads(answer)["changes"].values()
        came = sum(len(table["updated"]) for table in changes)
        if came != rows:
            raise RuntimeError(f"{came} rows were pulled instead of {rows}.")


def pulls_beside_raw(
    place: Scratch,
    port: int,
    drivers: Sequence[Driver],
    rounds: int,
    pulls: int,
    *,
    rows: int,
) -> dict[str, Any]:
    """Return how a pull stands beside psycopg alone, in rounds by turns.

    Both have a client a driver, one Python process, and read the same rows; the answers
    are compared. The medians count, but for the first round: connections plan in it.
    """
    since = [_last(port, driver, rows) for driver in drivers]
    ours: list[Measured] = []
    theirs: list[Measured] = []
    with clients_of(place.url, len(drivers)) as connections:
        for _ in range(rounds + 1):
            ours.append(_pull(port, drivers, since, pulls, rows=rows))
            raw = pull_raw(connections, drivers, since, pulls=pulls, rows=rows)
            check_rows(raw.answers, rows)
            theirs.append(raw)
    check_same(ours[-1].answers, theirs[-1].answers)
    counted = list(zip(ours[1:], theirs[1:], strict=True))
    ratios = sorted(mine.rate / raw.rate for mine, raw in counted)
    return {
        "pulls_s": round(statistics.median(mine.rate for mine, _ in counted)),
        "p95_ms": statistics.median(mine.p95_ms for mine, _ in counted),
        "raw_psycopg_pulls_s": round(statistics.median(raw.rate for _, raw in counted)),
        "raw_psycopg_p95_ms": statistics.median(raw.p95_ms for _, raw in counted),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_spread": [round(ratios[0], 3), round(ratios[-1], 3)],
        "rounds": rounds,
    }


def check_same(ours: Sequence[bytes], theirs: Sequence[bytes]) -> None:
    """Pass the two sides where they say the same, but for the time of the answer.

    Raises:
        RuntimeError: the peer reads or writes something else than the server.
    """

    def said(answers: Sequence[bytes]) -> set[str]:
        bodies = [json.loads(each) | {"server_time": ""} for each in answers]
        return {json.dumps(body, sort_keys=True) for body in bodies}

    if said(ours) != said(theirs):
        raise RuntimeError(
            f"The peer says {theirs[0][:500]!r}, the server {ours[0][:500]!r}."
        )


def beside_raw(
    place: Scratch, port: int, drivers: Sequence[Driver], clients: int, rounds: int
) -> dict[str, Any]:
    """Return how a push stands beside psycopg alone, in short rounds by turns.

    Both have the same number of clients, one Python process, the same batches, and wait
    for the same commit. A round is a day of each client, with us and with each form of
    the peer; what else the machine does hits all of a round. The median of the rounds
    counts; the first one goes before and does not, since connections plan in it.
    """
    waiting = iter(drivers)
    ours: list[Measured] = []
    theirs: dict[str, list[float]] = {name: [] for name in PEERS}
    with clients_of(place.url, clients) as connections:
        for _ in range(rounds + 1):
            days = _next(waiting, clients)
            measured = drive(
                port, [[push_of(d, b) for b in batches_of(d, 1)] for d in days]
            )
            check(measured.answers, "applied")
            ours.append(measured)
            for name, reads in PEERS.items():
                days = _next(waiting, clients)
                work = [(driver, list(batches_of(driver, 1))) for driver in days]
                raw = push_batches(connections, work, reads=reads)
                theirs[name].append(raw.rate)
    counted = ours[1:]
    found: dict[str, Any] = {
        "events_s": round(statistics.median(each.rate for each in counted) * 25),
        "p95_ms": statistics.median(each.p95_ms for each in counted),
        "rounds": rounds,
    }
    for name, rates in theirs.items():
        ratios = sorted(
            each.rate / raw for each, raw in zip(counted, rates[1:], strict=True)
        )
        found[f"raw_psycopg{name}_events_s"] = round(statistics.median(rates[1:]) * 25)
        found[f"ratio{name}"] = round(statistics.median(ratios), 3)
        found[f"ratio{name}_spread"] = [round(ratios[0], 3), round(ratios[-1], 3)]
    raw_events_s = found["raw_psycopg_events_s"]
    found["machine_beside_issue"] = round(raw_events_s / ISSUE_RAW_EVENTS_S, 3)
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


def growth(
    early: Sequence[dict[str, Any]], late: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return by how much each thing takes longer with many events stored.

    Medians of the turns count; `growth_spread_pct` is the least and the greatest of any
    turn against any other, which is what the machine varies by.
    """
    pct, spread = {}, {}
    for name, unit in [
        ("push", "events_s"),
        ("replay", "events_s"),
        ("pull", "pulls_s"),
        ("idle", "pulls_s"),
    ]:
        before, after = ([turn[name][unit] for turn in side] for side in (early, late))
        pct[name] = _slower(statistics.median(before), statistics.median(after))
        spread[name] = [
            _slower(min(before), max(after)),
            _slower(max(before), min(after)),
        ]
    return {
        "history_growth_pct": max(pct.values()),
        "growth_pct": pct,
        "growth_spread_pct": spread,
    }


def _slower(before: float, after: float) -> float:
    return round((before / after - 1) * 100, 1)
