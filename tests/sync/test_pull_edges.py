"""Pull at its edges: limits, literals, whole tables, and what a page may lack."""

import json
import uuid
from typing import Any

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.problems import Invalid
from apps.feedback.models import Feedback, Survey, SurveyAsk
from apps.journal.models import FeedHead
from apps.journal.services import writing
from apps.overrides.models import Override
from apps.sync.feeds import RENDERERS
from apps.sync.models import Attachment, DeviceEvent
from apps.sync.queries import pull_request
from apps.sync.schema import SCHEMA_VERSION, TABLES, Column, Table
from apps.sync.selectors import DEFAULT_LIMIT, MAX_LIMIT
from apps.verdicts.models import Verdict
from tests.office import make_office
from tests.sync.builders import enrol, publish_day

pytestmark = pytest.mark.django_db

PARAMETERS = (
    *("last_pulled_at", "cursor", "schema_version", "migration", "tables", "limit"),
    "deleted_rows",
)
TYPES: dict[str, Any] = {"string": str, "number": (int, float), "boolean": bool}


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 500), ("null", 500), ("0", 1), ("1", 1), ("2000", 2000), ("2001", 2000)],
)
def test_limit_has_a_default_and_a_cap(asked: str | None, given: int) -> None:
    query = {} if asked is None else {"limit": asked}
    assert pull_request(query).limit == given
    assert (DEFAULT_LIMIT, MAX_LIMIT) == (500, 2000)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("literal", ["null", ""])
def test_null_stands_for_nothing_in_every_parameter(name: str, literal: str) -> None:
    assert pull_request({name: literal}) == pull_request({})


@pytest.mark.parametrize("number", ["1.5", "4.0", "1e3", "0x1", "９", "-1", "1 "])
def test_number_that_is_not_whole_is_refused(number: str) -> None:
    with pytest.raises(Invalid):
        pull_request({"last_pulled_at": number})


def test_timestamp_is_a_whole_number_from_the_first_page_on() -> None:
    day = publish_day()
    device = enrol(day.driver)
    for query in ({}, {"limit": 1}, {"cursor": "e9.9"}):
        page = device.page(**query)
        for name in ("timestamp", "head"):
            assert type(page[name]) is int
            assert page[name] >= 1
        assert page["cursor"] == f"e1.{page['timestamp']}"


@pytest.mark.parametrize("query", [{"cursor": "e7.1"}, {"last_pulled_at": 999}])
def test_reset_of_some_tables_is_the_full_set_of_these(query: dict[str, Any]) -> None:
    device = enrol(publish_day().driver)
    page = device.page(tables="stops,routes", limit=1, **query)
    assert (page["reset"], page["experimentalStrategy"]) == (True, "replacement")
    assert page["has_more"] is False
    sizes = {name: len(change["updated"]) for name, change in page["changes"].items()}
    assert sizes == {"stops": 3, "routes": 1}
    assert page["timestamp"] == page["head"]


def test_cursor_at_the_head_and_at_the_horizon_goes_on() -> None:
    device = enrol(publish_day().driver)
    head = device.page()["head"]
    FeedHead.objects.update(horizon=2)
    for since in (2, head):
        assert "reset" not in device.page(last_pulled_at=since)
        assert "reset" not in device.page(cursor=f"e1.{since}")
    for since in (1, head + 1):
        assert device.page(last_pulled_at=since)["reset"] is True
        assert device.page(cursor=f"e1.{since}")["reset"] is True


def test_deleted_rows_are_full_in_every_table() -> None:
    device = enrol(publish_day().driver)
    head, row_id = device.page()["head"], str(uuid.UUID(int=9))
    with writing(by=SYSTEM, now=clock.now()) as journal:
        for table in TABLES:
            journal.removed(device.driver.pk, table.name, row_id)
    page = device.page(last_pulled_at=head, deleted_rows="full")
    for table in TABLES:
        [row] = page["changes"][table.name]["deleted"]
        assert (row.pop("id"), row.pop("_deleted")) == (row_id, True)
        check_row(row, table)
    page = device.page(last_pulled_at=head)
    assert all(change["deleted"] == [row_id] for change in page["changes"].values())


def check_row(row: dict[str, Any], table: Table) -> None:
    """See that a row has its table's columns, each a scalar of its type."""
    assert row.keys() == {column.name for column in table.columns}
    for column in table.columns:
        check_value(row[column.name], column, table.name)


def check_value(value: Any, column: Column, table: str) -> None:
    if value is None:
        assert column.optional, (table, column.name)
        return
    assert isinstance(value, TYPES[column.type]), (table, column.name, value)
    assert isinstance(value, bool) == (column.type == "boolean"), (table, column.name)
    if column.form == "json":
        json.loads(value)


def test_rows_of_every_table_are_scalars() -> None:
    """Those of the day are seen in `test_pull`; these come about in other ways."""
    office = make_office()
    driver_id = office.driver.pk
    asked = SurveyAsk.objects.create(
        survey=Survey.objects.get(key="plan-change"),
        depot=office.depot,
        driver=office.driver,
        because="plan_change.acknowledged",
        asked_at=clock.now(),
        expires_at=clock.now(),
    )
    models = (Feedback, Override, Verdict, Attachment, DeviceEvent)
    ids = [str(asked.pk)]
    ids += [
        str(pk) for model in models for pk in model.objects.values_list("pk", flat=True)
    ]
    for name in (
        *("surveys", "feedback_answers", "overrides", "verdicts", "attachments"),
        "event_results",
    ):
        rows = RENDERERS[name](driver_id, ids)
        table = next(each for each in TABLES if each.name == name)
        assert rows, name
        for row_id, row in rows.items():
            assert row.pop("id") == row_id
            check_row(row, table)


def test_page_is_not_short_while_more_remain() -> None:
    """A client may end at a page that is shorter than its limit: rows that are not (or no
    longer) the driver's are named, so that they count."""
    day = publish_day(stops=0)
    foreign = publish_day(stops=4)
    now = clock.now()
    for stop in foreign.stops:
        with writing(by=SYSTEM, now=now) as journal:
            journal.changed(day.driver.pk, "stops", stop.pk)
    for change in range(3):
        with writing(by=SYSTEM, now=now) as journal:
            journal.changed(day.driver.pk, "event_results", f"e{change}")
    device = enrol(day.driver)
    since: dict[str, Any] = {}
    pages = 0
    while True:
        page = device.page(limit=3, **since)
        rows = [row for each in page["changes"].values() for row in each["updated"]]
        gone = [row for each in page["changes"].values() for row in each["deleted"]]
        pages += 1
        if not page["has_more"]:
            break
        assert len(rows) + len(gone) >= 3
        since = {"cursor": page["cursor"]}
    assert pages == 3
    device.pull(limit=3)
    assert device.tables["stops"] == {}


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_device_of_each_schema_gets_the_tables_and_columns_of_its_own(
    version: int,
) -> None:
    device = enrol(publish_day().driver)
    device.pull(schema_version=version)
    known = {table.name: table for table in TABLES if table.since <= version}
    assert device.tables.keys() == known.keys()
    for name in ("stops", "routes", "orders"):
        columns = {column.name for column in known[name].columns_at(version)}
        for row in device.tables[name].values():
            assert row.keys() == {"id", *columns}


def test_device_that_migrates_gets_what_is_new_in_full_and_the_rest_as_ever() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.push(device.event("stop.arrived", day.stops[0]))
    device.pull(schema_version=1)
    file = {"attachment_id": "a", "sha256": "0" * 64, "bytes": 1}
    proof = [{**file, "media_type": "image/png"}]
    device.push(device.event("stop.succeeded", day.stops[0], attachments=proof))
    device.pull(schema_version=1)
    since = device.pulled_at
    columns = [{"table": "stops", "columns": ["eta_low_at", "pins"]}]
    steps = {"from": 1, "tables": ["attachments"], "columns": columns}
    page = device.page(
        last_pulled_at=since, schema_version=8, migration=json.dumps(steps)
    )
    found = {name: len(each["updated"]) for name, each in page["changes"].items()}
    assert found["stops"] == 3
    assert found["attachments"] == 1
    assert found["routes"] == found["orders"] == found["event_results"] == 0
    assert all("pins" in row for row in page["changes"]["stops"]["updated"])
