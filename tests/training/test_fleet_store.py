"""The device's store and outbox, under histories that nobody would write by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.training.fleet.outbox import ID_LENGTH, Clocks, Outbox, event_id
from apps.training.fleet.store import Row, Store, Tables, differences

CLOCKS = Clocks(wall_ms=1_000, mono_ms=10, boot_id="boot-1")


@dataclass
class Feed:
    """A server's feed as small as it can be: a number a change, the newest state a row."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    head: int = 0

    def write(self, table: str, row_id: str, value: int | None) -> None:
        self.head += 1
        self.numbers[table, row_id] = self.head
        if value is None:
            self.rows.pop((table, row_id), None)
        else:
            self.rows[table, row_id] = {"id": row_id, "value": value}

    def page(self, since: int | None, limit: int, *, reset: bool) -> dict[str, Any]:
        fresh = sorted(
            (number, key)
            for key, number in self.numbers.items()
            if number > (since or 0)
        )
        held, rest = (fresh, []) if reset else (fresh[:limit], fresh[limit:])
        changes: dict[str, Any] = {
            name: {"created": [], "updated": [], "deleted": []} for name in ("a", "b")
        }
        for _, key in held:
            if key in self.rows:
                changes[key[0]]["updated"].append(self.rows[key])
            elif since is not None and not reset:
                changes[key[0]]["deleted"].append(key[1])
        number = held[-1][0] if rest else self.head
        return {
            "changes": changes,
            "timestamp": number,
            "cursor": f"e1.{number}",
            "has_more": bool(rest),
            "reset": reset,
        }


def pull(feed: Feed, store: Store, limit: int, *, reset: bool = False) -> None:
    while True:
        since = None if reset else store.number
        page = feed.page(since, limit, reset=reset)
        store.apply(page)
        if not page["has_more"]:
            return


ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from("123"),
            st.one_of(st.none(), st.integers(0, 9)),
        ),
        st.integers(1, 4),  # pull with this limit
        st.just("reset"),
    ),
    max_size=40,
)


@given(acts=ACTS)
def test_store_equals_a_full_pull_after_any_history(acts: Sequence[Any]) -> None:
    feed, store = Feed(), Store()
    feed.write("a", "1", 0)
    for act in acts:
        if act == "reset":
            pull(feed, store, 1, reset=True)
        elif isinstance(act, int):
            pull(feed, store, act)
        else:
            feed.write(*act)
    pull(feed, store, 2)
    fresh = Store()
    pull(feed, fresh, 100)
    assert differences(store.tables, fresh.tables) == []
    assert not store.is_behind(feed.head)


def test_differences_name_what_is_missing_and_what_is_unlike() -> None:
    mine: Tables = {"stops": {"1": {"id": "1", "sequence": 1}, "2": {"id": "2"}}}
    theirs: Tables = {"stops": {"1": {"id": "1", "sequence": 2}, "3": {"id": "3"}}}
    assert differences(mine, theirs) == [
        "stops 1: sequence",
        "stops 2: missing on the server",
        "stops 3: missing on the device",
    ]


class Inbox:
    """A server that takes each event once, and whose answers may get lost."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def push(self, rows: Sequence[Row], *, retry: bool) -> list[dict[str, Any]]:
        results = []
        for row in rows:
            if retry:
                result = "retry"
            elif row["id"] in self.taken:
                result = "duplicate"
            else:
                self.taken.append(row["id"])
                result = "applied"
            results.append({"table": "events", "id": row["id"], "result": result})
        return results


@given(
    steps=st.lists(
        st.sampled_from(["add", "answered", "lost", "retry", "small"]), max_size=60
    )
)
def test_outbox_loses_nothing_and_keeps_the_order(steps: Sequence[str]) -> None:
    outbox, server = Outbox("device-1"), Inbox()
    for step in steps:
        if step == "add":
            outbox.add("stop.note", "stop", {"note": "x"}, CLOCKS)
            continue
        batch = outbox.batch(1 if step == "small" else 100)
        again = sum(event.id in outbox.tries for event in batch)
        assert outbox.sent(batch) == again
        results = server.push([e.row() for e in batch], retry=step == "retry")
        if step != "lost":
            outbox.settle(results)
        waiting = [event.seq for event in outbox.batch(1_000)]
        assert waiting == sorted(waiting)
    outbox.settle(server.push([e.row() for e in outbox.batch(1_000)], retry=False))
    assert not outbox.waiting
    assert server.taken == [event.id for event in outbox.made]


def test_event_ids_are_those_of_client_libraries() -> None:
    ids = {event_id("device", seq) for seq in range(1_000)}
    assert len(ids) == 1_000
    assert all(len(each) == ID_LENGTH and each.isalnum() for each in ids)
    assert event_id("device", 7) == event_id("device", 7) != event_id("other", 7)
