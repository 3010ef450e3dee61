"""SQL by hand gives and takes what the ORM does, on both databases."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from apps.core.bulk import columns_of, insert, insert_new, update
from apps.core.models import TaskRun
from apps.core.statements import (
    Statement,
    as_is,
    partly,
    read_instant,
    read_json,
    read_uuid,
)
from apps.core.writes import writes

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)
RUNS = Statement(
    """
    SELECT id, task, arguments, attempts, started_at FROM core_taskrun
     WHERE id IN %s ORDER BY task
    """,
    *(read_uuid, as_is, read_json, as_is, read_instant),
)


COUNTED = Statement("UPDATE core_taskrun SET attempts = attempts + 1 WHERE id = %s")
IS_POSTGRESQL = connection.vendor == "postgresql"


class Fewer(Exception):
    """Not all rows were new."""


def runs(count: int = 3) -> list[TaskRun]:
    return [
        TaskRun(
            task=f"apps.task_{number}",
            arguments={"number": number, "words": 'é "quoted" \\ {},\n', "big": 2**70},
            enqueued_at=AT,
            started_at=AT if number else None,
        )
        for number in range(count)
    ]


def test_inserted_rows_are_those_of_the_orm() -> None:
    made = runs()
    insert(TaskRun, columns_of(made))
    for one in made:
        kept = TaskRun.objects.get(pk=one.pk)
        for field in TaskRun._meta.concrete_fields:
            assert getattr(kept, field.attname) == getattr(one, field.attname)


def test_statement_reads_what_the_orm_wrote() -> None:
    made = TaskRun.objects.bulk_create(runs(2))
    found = RUNS.rows({one.pk for one in made})
    assert found == [
        (one.pk, one.task, one.arguments, 0, one.started_at) for one in made
    ]
    assert RUNS.rows([]) == []


def test_insert_passes_over_what_is_there_and_says_what_is_new() -> None:
    made = runs()
    insert(TaskRun, columns_of(made[:1]))
    new = insert_new(TaskRun, columns_of(made), returning="task")
    assert sorted(new) == ["apps.task_1", "apps.task_2"]


def test_update_writes_each_row_its_own_values_and_adds_where_it_is_told() -> None:
    made = TaskRun.objects.bulk_create(runs())
    values: dict[str, Any] = {
        "id": [one.pk for one in made],
        "error": [f"no {one.task}" for one in made],
        "attempts": [1, 2, 3],
        "finished_at": AT,
    }
    update(TaskRun, values, added=["attempts"])
    update(TaskRun, values, added=["attempts"])
    for number, one in enumerate(made, 1):
        one.refresh_from_db()
        assert (one.error, one.attempts) == (f"no {one.task}", 2 * number)
        assert one.finished_at == AT


def test_what_is_held_back_is_written_at_the_end_in_one_statement(
    django_assert_num_queries: Any,
) -> None:
    known, fresh = runs(2), runs(2)
    TaskRun.objects.bulk_create(known)
    with writes() as held:
        held.hold_back()
        with django_assert_num_queries(0):
            insert(TaskRun, columns_of(fresh), conflict="DO NOTHING", fault=Fewer())
            update(TaskRun, {"id": [known[0].pk], "error": "late"})
            COUNTED.run_later(known[1].pk)
        assert not TaskRun.objects.filter(pk__in=[one.pk for one in fresh]).exists()
        with django_assert_num_queries(1 if IS_POSTGRESQL else 3):
            held.send()
        insert(TaskRun, columns_of(runs(1)))
    assert TaskRun.objects.count() == 5, "after the end nothing is held back"
    for one in known:
        one.refresh_from_db()
    assert [(one.error, one.attempts) for one in known] == [("late", 0), ("", 1)]


def test_held_rows_of_which_one_is_there_raise_what_was_said() -> None:
    made = runs()
    insert(TaskRun, columns_of(made[:1]))
    with writes() as held:
        held.hold_back()
        update(TaskRun, {"id": [made[0].pk], "error": "late"})
        insert(TaskRun, columns_of(made), conflict="DO NOTHING", fault=Fewer())
        with pytest.raises(Fewer):
            held.send()


def test_what_is_held_back_and_not_sent_is_forgotten() -> None:
    with writes() as held:
        held.hold_back()
        insert(TaskRun, columns_of(runs()))
    assert not TaskRun.objects.exists()


def test_columns_apart_stay_lists_and_the_others_go_over_once_where_all_are_alike() -> (
    None
):
    made = runs(2)
    found = columns_of(made, apart=("task", "arguments", "started_at"))
    assert found["task"] == ["apps.task_0", "apps.task_1"]
    assert (found["enqueued_at"], found["attempts"]) == (AT, 0)
    made[1].attempts = 1
    found = columns_of(made, apart=("task", "arguments", "started_at"))
    assert (found["enqueued_at"], found["attempts"]) == ([AT, AT], [0, 1])


def test_insert_of_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        insert(TaskRun, {"id": [], "task": []})


def test_partly_read_row_reads_the_rest_when_asked(
    django_assert_num_queries: Any,
) -> None:
    [one] = TaskRun.objects.bulk_create(runs(1))
    row = partly(TaskRun, ("task", "id"), ("apps.told", one.pk))
    with django_assert_num_queries(0):
        assert (row.pk, row.task) == (one.pk, "apps.told")
    with django_assert_num_queries(1):
        assert row.enqueued_at == AT


def test_readers_take_both_forms() -> None:
    key = uuid.uuid4()
    assert read_uuid(key.hex) == read_uuid(key) == key
    assert read_uuid(None) is None
    assert read_instant("2026-11-20 08:00:00.123456") == AT
    assert read_json('{"a": 1}') == read_json({"a": 1}) == {"a": 1}
