"""What is held back touches no row twice in one statement: PostgreSQL would drop one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from apps.core import writes as held_writes
from apps.core.bulk import columns_of, insert, update
from apps.core.models import TaskRun
from apps.core.statements import Statement
from apps.core.writes import Part, in_order, writes

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
COUNTED = Statement("UPDATE core_taskrun SET attempts = attempts + 1 WHERE id IN %s")
BY_TASK = Statement("UPDATE core_taskrun SET error = error WHERE task IN %s")
is_postgresql = connection.vendor == "postgresql"


def runs(count: int) -> list[TaskRun]:
    return [TaskRun(task=f"apps.task_{n}", enqueued_at=AT) for n in range(count)]


def part(table: str, *keys: str, any_row: bool = False) -> Part:
    return Part(f"{table} {keys}", (), table, None if any_row else keys)


def count_twice(run: TaskRun) -> int:
    """Hold two changes of one row back, send them, and return what came of them."""
    with writes() as held:
        held.hold_back()
        update(TaskRun, {"id": [run.pk], "attempts": [1]}, added=["attempts"])
        COUNTED.run_later([run.pk])
        held.send()
    run.refresh_from_db()
    return run.attempts


def test_two_changes_of_one_row_both_count() -> None:
    [run] = TaskRun.objects.bulk_create(runs(1))
    assert count_twice(run) == 2


@pytest.mark.skipif(not is_postgresql, reason="SQLite gets one write after the other")
def test_two_changes_of_one_row_in_one_statement_would_lose_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def all_in_one(parts: Sequence[Part]) -> list[Sequence[Part]]:
        return [parts]

    monkeypatch.setattr(held_writes, "in_order", all_in_one)
    [run] = TaskRun.objects.bulk_create(runs(1))
    assert count_twice(run) == 1, "PostgreSQL applies one, and says nothing"


def test_row_that_is_put_in_and_changed_has_the_change() -> None:
    made = runs(2)
    with writes() as held:
        held.hold_back()
        insert(TaskRun, columns_of(made), conflict="DO NOTHING")
        update(TaskRun, {"id": [made[1].pk], "error": "late"})
        held.send()
    assert [TaskRun.objects.get(pk=one.pk).error for one in made] == ["", "late"]


def test_other_rows_of_one_table_go_over_in_one_statement(
    django_assert_num_queries: Any,
) -> None:
    known, fresh = TaskRun.objects.bulk_create(runs(3)), runs(2)
    with writes() as held:
        held.hold_back()
        insert(TaskRun, columns_of(fresh), conflict="DO NOTHING")
        update(TaskRun, {"id": [known[0].pk], "error": "late"})
        COUNTED.run_later([one.pk for one in known[1:]])
        with django_assert_num_queries(1 if is_postgresql else 3):
            held.send()


def test_rows_whose_key_the_database_makes_go_over_in_one_statement(
    django_assert_num_queries: Any,
) -> None:
    with writes() as held:
        held.hold_back()
        for key in ("one", "two"):
            insert(OrmQ, {"key": key, "payload": ["p"], "lock": AT})
        with django_assert_num_queries(1 if is_postgresql else 2):
            held.send()
    assert OrmQ.objects.count() == 2


def test_parts_keep_their_order_and_part_where_they_meet() -> None:
    one, two = part("a", "1", "2"), part("b", "1")
    three, four = part("a", "3"), part("a", "2")
    assert in_order([one, two, three, four]) == [[one, two, three], [four]]
    assert in_order([]) == []


def test_part_that_may_touch_any_row_meets_all_of_its_table() -> None:
    some, others, every = part("a", "1"), part("b", "1"), part("a", any_row=True)
    assert in_order([some, others, every]) == [[some, others], [every]]
    assert in_order([every, others, some]) == [[every, others], [some]]


def test_statement_by_another_column_may_touch_any_row() -> None:
    with writes() as held:
        held.hold_back()
        BY_TASK.run_later(["apps.task_1"])
        COUNTED.run_later([])
    assert [(each.table, each.keys) for each in held.parts] == [
        ("core_taskrun", None),
        ("core_taskrun", []),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE core_taskrun SET attempts = 0",
        "DELETE FROM core_taskrun WHERE id = %s",
        "UPDATE core_taskrun SET error = (SELECT max(error) FROM a) WHERE id = %s",
        "UPDATE core_taskrun SET error = a.error FROM a WHERE id = %s",
        "UPDATE core_taskrun AS t SET error = a.error FROM a WHERE t.id = %s",
    ],
)
def test_statement_whose_rows_nobody_can_tell_is_not_held_back(sql: str) -> None:
    with writes() as held:
        held.hold_back()
        with pytest.raises(ValueError, match="cannot be held back"):
            Statement(sql).run_later("019a0000-0000-7000-8000-000000000000")
    assert held.parts == []
