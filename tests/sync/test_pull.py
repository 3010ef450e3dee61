"""Pull: pages, cursors, schema versions, and nothing of another driver's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.journal.models import Change, FeedHead
from apps.journal.services import writing
from apps.orders.models import Customer, TimeWindow
from apps.recommendations.services import Draft, issue
from apps.routes.models import Route
from apps.sync import queries, schema, selectors
from apps.sync.feeds import RENDERERS
from apps.sync.schema import TABLES, Column, Table
from tests.factories import DriverFactory
from tests.sync.builders import (
    Handheld,
    add_stop,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
)

pytestmark = pytest.mark.django_db


def rich_day() -> tuple[Any, Handheld]:
    """Return a day with a row in every table, and its device."""
    now = clock.now()
    day = publish_day()
    order = day.stops[0].order
    order.customer = Customer.objects.create(
        depot=day.route.depot, name="A. Customer", phone="+4991230000"
    )
    order.save()
    TimeWindow.objects.create(
        order=order, opens_at=now, closes_at=now + timedelta(hours=2)
    )
    make_plan_change(day, now)
    draft = Draft(
        kind="plan",
        depot_id=day.route.depot_id,
        subject_type="plan",
        subject_id=str(day.route.plan_id),
        inputs=b"{}",
        answer=b"{}",
        engine="greedy",
        engine_version="1",
        seed=1,
        reasons=[{"code": "nearest", "text": "The nearest comes first."}],
        mode="rules",
    )
    advice = issue(draft, by=SYSTEM, now=now)
    with writing(by=SYSTEM, now=now) as journal:
        journal.changed(day.driver.pk, "recommendations", advice.pk)
    device = enrol(day.driver)
    device.push(device.event("stop.enroute", day.stops[1]))
    return day, device


def test_pull_holds_all_that_the_day_needs() -> None:
    day, device = rich_day()
    device.pull()
    assert {name: len(rows) for name, rows in device.tables.items()} == {
        "routes": 1,
        "stops": 3,
        "orders": 3,
        "plan_changes": 1,
        "recommendations": 1,
        "overrides": 0,
        "event_results": 1,
        "attachments": 0,
        "feedback_answers": 0,
        "surveys": 0,
        "verdicts": 0,
    }
    order = device.tables["orders"][str(day.stops[0].order_id)]
    assert order["customer_phone"] == "+4991230000"
    assert len(json.loads(order["windows"])) == 1


def test_pull_rows_are_scalars_of_the_schemas_types() -> None:
    _, device = rich_day()
    device.pull()
    types: dict[str, Any] = {
        "string": str,
        "number": (int, float),
        "boolean": bool,
    }
    assert RENDERERS.keys() == {table.name for table in TABLES}
    for table in TABLES:
        columns = {column.name: column for column in table.columns}
        for row in device.tables[table.name].values():
            assert row.keys() == {"id", *columns}
            for name, column in columns.items():
                value = row[name]
                if value is None:
                    assert column.optional, (table.name, name)
                    continue
                assert isinstance(value, types[column.type]), (table.name, name)
                if column.form == "json":
                    json.loads(value)


def test_pull_twice_brings_nothing_new() -> None:
    _, device = rich_day()
    device.pull()
    page = device.page(last_pulled_at=device.pulled_at)
    assert all(not any(change.values()) for change in page["changes"].values())
    assert page["timestamp"] == page["head"] == device.pulled_at


def test_pull_of_an_untold_driver_has_a_timestamp_all_the_same() -> None:
    device = enrol(DriverFactory())
    device.pull()
    assert device.pulled_at == 1
    assert all(rows == {} for rows in device.tables.values())
    assert device.page(last_pulled_at=1)["timestamp"] == 1


@pytest.mark.parametrize("query", [{}, {"last_pulled_at": ""}, {"cursor": "null"}])
def test_pull_from_nothing_is_the_full_set(query: dict[str, str]) -> None:
    _, device = rich_day()
    page = device.page(migration="null", **query)
    assert len(page["changes"]["stops"]["updated"]) == 3
    assert "reset" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"last_pulled_at": 999},
        {"cursor": "e1.999"},
        {"cursor": "e2.1"},
        {"cursor": "nonsense"},
    ],
)
def test_pull_from_astray_is_replaced_in_one_page(query: dict[str, Any]) -> None:
    _, device = rich_day()
    page = device.page(limit=1, **query)
    assert page["reset"] is True
    assert page["experimentalStrategy"] == "replacement"
    assert page["has_more"] is False
    assert len(page["changes"]["stops"]["updated"]) == 3


def test_pull_from_before_the_horizon_is_replaced() -> None:
    day, device = rich_day()
    FeedHead.objects.filter(pk=day.driver.pk).update(horizon=3)
    assert "reset" in device.page(last_pulled_at=2)
    assert "reset" not in device.page(last_pulled_at=3)
    assert "reset" not in device.page(last_pulled_at="null")


def test_pull_names_gone_rows_by_id_or_in_full() -> None:
    day, device = rich_day()
    other = publish_day(depot=day.route.depot)
    device.pull()
    gone = str(day.stops[0].pk)
    give_stop(day.stops[0].pk, day, other, clock.now())
    page = device.page(last_pulled_at=device.pulled_at)
    assert page["changes"]["stops"]["deleted"] == [gone]
    page = device.page(last_pulled_at=device.pulled_at, deleted_rows="full")
    (row,) = page["changes"]["stops"]["deleted"]
    assert (row["id"], row["_deleted"], row["status"]) == (gone, True, "")
    assert row["eta_at"] is None


def test_pull_of_some_tables_alone() -> None:
    _, device = rich_day()
    page = device.page(tables="stops,orders")
    assert set(page["changes"]) == {"stops", "orders"}


@pytest.mark.parametrize("name", ["last_pulled_at", "limit", "schema_version"])
def test_pull_with_a_number_that_is_none_is_a_400(name: str) -> None:
    _, device = rich_day()
    response = device.get(**{name: "-1.5"})
    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["pointer"] == f"/{name}"


def test_pull_with_a_migration_that_is_none_is_a_400() -> None:
    _, device = rich_day()
    assert device.get(migration="{").status_code == 400


def test_pull_of_a_schema_too_old_is_a_426(monkeypatch: pytest.MonkeyPatch) -> None:
    _, device = rich_day()
    assert device.get(schema_version=0).status_code == 426
    assert device.get(schema_version=99).status_code == 200


def test_pull_of_an_older_schema_gets_what_it_knows_then_the_rest_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, device = rich_day()
    newer = (
        Table("routes", (Column("status"), Column("version", "number", since=2))),
        Table("stops", (Column("status"),)),
        Table("orders", (Column("reference"),), since=2),
    )
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)

    def pull(**query: str) -> Any:
        asked = queries.pull_request(query)
        return selectors.pull(
            feed=selectors.feed_of(day.driver.pk),
            language="",
            request=asked,
            known_tables=newer,
        )

    old = pull(schema_version="1")
    assert set(old.changes) == {"routes", "stops"}
    assert old.changes["routes"]["updated"][0].keys() == {"id", "status"}
    moved = pull(
        schema_version="2",
        last_pulled_at=str(old.number),
        migration=(
            '{"from": 1, "tables": ["orders"],'
            ' "columns": [{"table": "routes", "columns": ["version"]}]}'
        ),
    )
    assert len(moved.changes["orders"]["updated"]) == 3
    assert moved.changes["routes"]["updated"][0]["version"] == 2
    assert moved.changes["stops"]["updated"] == []
    assert device.driver == day.driver


def test_pull_by_another_drivers_session_holds_nothing_of_ones_own() -> None:
    day, _ = rich_day()
    other = enrol(publish_day(depot=day.route.depot).driver)
    Change.objects.bulk_create(  # as if a verb had told the wrong driver
        Change(
            scope=other.driver.pk,
            table=row.table,
            row_id=row.row_id,
            number=1,
            at=row.at,
        )
        for row in Change.objects.filter(scope=day.driver.pk)
        if row.table != "recommendations"
    )
    other.pull()
    mine = set(Change.objects.filter(scope=day.driver.pk).values_list("row_id"))
    seen = {(row_id,) for rows in other.tables.values() for row_id in rows}
    assert not mine & seen
    assert len(other.tables["stops"]) == 3


def test_pull_hides_a_route_that_is_not_published() -> None:
    day, device = rich_day()
    Route.objects.filter(pk=day.route.pk).update(status="draft")
    device.pull()
    assert device.tables["routes"] == device.tables["stops"] == {}


def test_pull_with_the_devices_credential_alone_is_a_401() -> None:
    _, device = rich_day()
    assert device.get(token=device.device_token).status_code == 401


def test_pull_speaks_the_drivers_language() -> None:
    day, device = rich_day()
    day.driver.language = "de"
    day.driver.save()
    device.pull()
    rows = device.tables["event_results"].values()
    assert {row["detail"] for row in rows} == {"Erledigt."}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 6), max_size=8), st.integers(1, 9), st.booleans())
def test_pages_never_split_a_number_and_add_up(
    sizes: list[int], limit: int, by_cursor: bool
) -> None:
    now = clock.now()
    day = publish_day(stops=1)
    device = enrol(day.driver)
    for size in sizes:
        with writing(by=SYSTEM, now=now, scopes=[day.driver.pk]):
            for _ in range(size):
                add_stop(day, now)
    whole = device.snapshot()
    numbers = {
        (row.table, row.row_id): row.number
        for row in Change.objects.filter(scope=day.driver.pk)
    }
    seen: set[tuple[str, str]] = set()
    since: dict[str, Any] = {"last_pulled_at": "null"}
    reached = 0
    while True:
        page = device.page(limit=limit, **since)
        device.merge(page["changes"])
        rows = {
            (name, row["id"])
            for name, change in page["changes"].items()
            for row in change["updated"]
        }
        assert not rows & seen
        assert {numbers[row] for row in rows} <= set(
            range(reached + 1, page["timestamp"] + 1)
        )
        wanted = {row for row, n in numbers.items() if reached < n <= page["timestamp"]}
        assert rows == {row for row in wanted if row[0] in device.tables}
        assert len(rows) >= limit or not page["has_more"]
        seen |= rows
        reached = page["timestamp"]
        cursor = {"cursor": page["cursor"]}
        since = cursor if by_cursor else {"last_pulled_at": reached}
        if not page["has_more"]:
            break
    assert device.tables == whole
