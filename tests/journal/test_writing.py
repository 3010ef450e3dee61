"""The journal's one transaction: numbers, joining, rolling back, reacting."""

import uuid
from datetime import UTC, datetime

import pytest

from apps.core import queue
from apps.core.actors import SYSTEM
from apps.core.models import TaskRun
from apps.journal.models import Change, Entry, FeedHead
from apps.journal.services import entry_hash, seal_entries, writing
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 17, 8, tzinfo=UTC)
ANNA, BORIS = uuid.UUID(int=1), uuid.UUID(int=2)


def refuse() -> None:
    raise ValueError("refused")


def test_writing_one_transaction_takes_one_number_a_scope() -> None:
    with writing(by=SYSTEM, now=NOW, scopes=[BORIS, ANNA]) as journal:
        journal.changed(ANNA, "stops", "a", "b")
        with writing(by=SYSTEM, now=NOW) as inner:
            inner.changed(ANNA, "routes", "r")
    assert FeedHead.objects.get(pk=ANNA).head == 1
    assert set(Change.objects.values_list("number", flat=True)) == {1}
    assert FeedHead.objects.get(pk=BORIS).head == 0


def test_writing_a_row_keeps_its_newest_number_alone() -> None:
    for row in ("a", "b", "a"):
        with writing(by=SYSTEM, now=NOW) as journal:
            journal.changed(ANNA, "stops", row)
    numbers = dict(Change.objects.values_list("row_id", "number"))
    assert numbers == {"a": 3, "b": 2}


def test_writing_removed_after_changed_is_a_tombstone() -> None:
    with writing(by=SYSTEM, now=NOW) as journal:
        journal.changed(ANNA, "stops", "a")
        journal.removed(ANNA, "stops", "a")
        journal.changed(BORIS, "stops", "a")
    assert Change.objects.get(scope=ANNA).deleted
    assert not Change.objects.get(scope=BORIS).deleted


def test_writing_failed_outermost_leaves_nothing() -> None:
    depot = DepotFactory()

    def fail() -> None:
        with writing(by=SYSTEM, now=NOW) as journal:
            journal.record("plan.requested", depot)
            journal.changed(ANNA, "stops", "a")
            refuse()

    with pytest.raises(ValueError, match="refused"):
        fail()
    assert not Entry.objects.exists()
    assert not Change.objects.exists()
    assert not TaskRun.objects.exists()


def test_writing_joined_verb_that_fails_takes_back_only_its_own() -> None:
    depot = DepotFactory()

    def fail() -> None:
        with writing(by=SYSTEM, now=NOW) as inner:
            inner.record("test.inner", depot)
            inner.changed(ANNA, "stops", "inner")
            refuse()

    with writing(by=SYSTEM, now=NOW) as journal:
        journal.record("test.outer", depot)
        journal.changed(ANNA, "stops", "outer")
        with pytest.raises(ValueError, match="refused"):
            fail()
    assert [entry.kind for entry in Entry.objects.all()] == ["test.outer"]
    assert [change.row_id for change in Change.objects.all()] == ["outer"]


def test_writing_many_entries_queues_one_task_that_hears_of_all() -> None:
    depots = DepotFactory.create_batch(3)

    with writing(by=SYSTEM, now=NOW) as journal:
        for depot in (*depots, depots[0]):
            journal.record("stop.enroute", depot)

    [run] = TaskRun.objects.all()
    assert run.arguments == {"stop_ids": [str(depot.pk) for depot in depots]}


def test_writing_entry_queues_the_task_that_reacts() -> None:
    depot = DepotFactory()
    with writing(by=SYSTEM, now=NOW) as journal:
        journal.record("plan.requested", depot, depot_id=depot.pk)
        journal.record("plan.requested", depot, depot_id=depot.pk)
    run = TaskRun.objects.get()
    assert run.task == "apps.routes.tasks.plan_day"
    assert run.arguments == {"plan_id": str(depot.pk)}
    assert queue.due_run_ids() == [str(run.pk)]


def test_seal_entries_chain_shows_a_changed_row() -> None:
    depot = DepotFactory()
    for number in range(3):
        with writing(by=SYSTEM, now=NOW) as journal:
            journal.record("test.kind", depot, number=number)
    assert seal_entries(now=NOW) == 3
    assert seal_entries(now=NOW) == 0
    rows = list(Entry.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert [row.previous_hash for row in rows] == ["", rows[0].hash, rows[1].hash]
    assert all(row.hash == entry_hash(row) for row in rows)
    rows[1].payload = {"number": 7}
    assert entry_hash(rows[1]) != rows[1].hash
