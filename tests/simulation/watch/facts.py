"""The journal and the feeds' heads: each effect once, in its order, and only forwards."""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.journal.models import Change, Entry, FeedHead
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import KEPT, Memory

ENTRY = ("pk", "at", "actor", "kind", "subject_id", "payload")
ONCE = "each takes effect once"
WORDS = {"override.requested", "feedback.given", "survey.answered"}
"""Kinds that the journal passes on to people; the event itself holds the words."""

PASSED_ON = {"asked", "kept", "older_plan"}


class Facts:
    """Reads what the journal has taken down since the last look."""

    reads = ("journal_entry", "sync_deviceevent")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.last = uuid.UUID(int=0)
        self.told: Counter[tuple[str, str]] = Counter()
        self.outcomes: dict[str, str] = {}
        self.effects: Counter[str] = Counter()

    def check(self) -> None:
        lasts: dict[tuple[datetime, uuid.UUID], int] = {}
        for entry in self.memory.tables.rows_after(Entry, self.last, *ENTRY):
            self.last = entry.pk
            event_id = str(entry.payload.get("event_id", ""))
            if entry.kind.startswith("stop.") and event_id:
                self._happens(entry.kind, event_id)
                self._is_in_order(lasts, entry, event_id)
            elif entry.kind in WORDS:
                self._happens(entry.kind, entry.subject_id)
            elif entry.kind == "events.forced":
                self._force(entry)
            elif entry.kind == "order.outcome_set":
                self._outcome(entry)
            elif entry.kind.startswith("shift.") and entry.actor.startswith("driver:"):
                self.effects["shift."] += 1
            elif entry.kind.startswith("condition.") and "driver" in entry.actor:
                self.effects["exception."] += 1
        self._have_events()

    def _happens(self, kind: str, event_id: str) -> None:
        self.told[kind, event_id] += 1
        must(self.told[kind, event_id] == 1, ONCE, (kind, event_id))

    def _is_in_order(
        self, lasts: dict[tuple[datetime, uuid.UUID], int], entry: Any, event_id: str
    ) -> None:
        """In one transaction the events of a device are judged as they were made."""
        made = self.memory.made[event_id]
        where, seq = (entry.at, made.device_id), int(made.row["seq"])
        must(
            seq >= lasts.get(where, 0),
            "events are judged in the order of seq",
            (event_id, seq, lasts.get(where)),
        )
        lasts[where] = seq

    def _force(self, entry: Any) -> None:
        """What is forced has waited long enough, or comes after what has."""
        ids = set(entry.payload["event_ids"])
        self.memory.forced |= ids
        since = [
            self.memory.events[pk].received_at for pk in ids & self.memory.events.keys()
        ]
        since += [
            self.memory.asked_again[pk] for pk in ids & self.memory.asked_again.keys()
        ]
        age = timedelta(minutes=settings.SYNC_HOLD_MINUTES)
        is_due = not since or min(since) <= entry.at - age
        must(is_due, "an event waits for the earlier ones", ("forced early", ids))

    def _outcome(self, entry: Any) -> None:
        must(
            self.outcomes.get(entry.subject_id) != entry.payload["status"],
            "a stop is delivered at most once",
            entry.payload,
        )
        self.outcomes[entry.subject_id] = entry.payload["status"]

    def _have_events(self) -> None:
        rows = self.memory.inbox().values()
        for kind, count in self.effects.items():
            done = sum(
                row.kind.startswith(kind) and row.result in {*KEPT, "held"}
                for row in rows
            )
            must(count <= done, ONCE, (kind, count, done))
        for row in rows:
            if row.kind in WORDS:
                is_told = bool(self.told[row.kind, row.pk])
                must(is_told == (row.code in PASSED_ON), ONCE, (row.pk, row.code))


class Heads:
    """Numbers of feeds go up, and no change is beyond its feed's head."""

    reads = ("journal_feedhead", "journal_change")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.heads: dict[uuid.UUID, tuple[int, int]] = {}

    def check(self) -> None:
        name, tops = "cursors are monotone", Counter[uuid.UUID]()
        for change in self.memory.tables.rows(Change, "scope", "number"):
            tops[change.scope] = max(tops[change.scope], change.number)
        for feed in self.memory.tables.rows(FeedHead, "pk", "epoch", "head", "horizon"):
            old = self.heads.get(feed.pk, (feed.epoch, 0))
            now = (feed.epoch, feed.head)
            must(now >= old, name, (old, now))
            must(tops[feed.pk] <= feed.head, name, ("beyond", tops[feed.pk], now))
            self.heads[feed.pk] = now
