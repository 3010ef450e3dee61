"""SQL by hand gives and takes what the ORM does, on both databases."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.core.models import TaskRun
from apps.core.statements import (
    Statement,
    as_is,
    columns_of,
    insert,
    partly,
    read_instant,
    read_json,
    read_uuid,
    update,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)
RUNS = Statement(
    """
    SELECT id, task, arguments, attempts, started_at FROM core_taskrun
     WHERE id IN %s ORDER BY task
    """,
    *(read_uuid, as_is, read_json, as_is, read_instant),
)


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
    new = insert(TaskRun, columns_of(made), conflict="DO NOTHING", returning="task")
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
