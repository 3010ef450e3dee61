"""What the doors cost the database: statements are counted, not time."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.models import TaskRun
from apps.routes.models import Route
from tests.queueing import drain_only
from tests.sync.builders import Day, Handheld, enrol, publish_day
from tests.sync.test_uploads import proof_of

pytestmark = pytest.mark.django_db


PUSH_AT_MOST = 16 if connection.vendor == "postgresql" else 30
"""Begin and commit counted in. PostgreSQL takes what is written at the end as one."""

REFRESH = "apps.routes.tasks.refresh_etas"


def statements(day: Day, device: Handheld, first: int, count: int) -> int:
    """Return how many statements it takes to deliver at so many stops, in one push."""
    events = []
    for stop in day.stops[first : first + count]:
        proof = proof_of(str(stop.pk).encode(), f"proof-{stop.pk}")
        events += [
            device.event("stop.enroute", stop),
            device.event("stop.arrived", stop),
            device.event("stop.note", stop, note="Second bell."),
            device.event("stop.succeeded", stop, attachments=[proof]),
        ]
    with CaptureQueriesContext(connection) as seen:
        verdicts = device.verdicts(*events)
    assert verdicts == [("applied", "ok")] * len(events)
    return len(seen)


def test_push_of_many_events_takes_hardly_more_statements_than_one_of_few() -> None:
    day = publish_day(stops=12)
    device = enrol(day.driver)
    statements(day, device, 0, 1)
    few = statements(day, device, 1, 1)
    many = statements(day, device, 2, 6)
    assert many - few <= 5, (
        "24 events: a few statements more than 4 events, at the most"
    )


def test_push_of_many_events_keeps_to_its_statements() -> None:
    day = publish_day(stops=12)
    device = enrol(day.driver)
    statements(day, device, 0, 1)
    assert statements(day, device, 1, 6) <= PUSH_AT_MOST


def test_replay_takes_fewer_statements_than_the_first_push() -> None:
    day = publish_day(stops=6)
    device = enrol(day.driver)
    events = [device.event("stop.arrived", stop) for stop in day.stops]
    with CaptureQueriesContext(connection) as first:
        device.push(*events)
    with CaptureQueriesContext(connection) as again:
        assert {result for result, _ in device.verdicts(*events)} == {"duplicate"}
    assert len(again) < len(first)
    assert len(again) <= 12


def test_idle_pull_asks_who_it_is_and_where_the_feed_is_in_one() -> None:
    device = enrol(publish_day().driver)
    device.pull()
    with CaptureQueriesContext(connection) as seen:
        page = device.page(last_pulled_at=device.pulled_at)
    assert not any(table["updated"] for table in page["changes"].values())
    assert len(seen) == 1, [query["sql"] for query in seen]


def test_pull_of_results_takes_two_statements_more() -> None:
    day = publish_day(stops=5)
    device = enrol(day.driver)
    device.pull()
    device.push(*(device.event("stop.arrived", stop) for stop in day.stops))
    with CaptureQueriesContext(connection) as seen:
        page = device.page(last_pulled_at=device.pulled_at, tables="event_results")
    assert len(page["changes"]["event_results"]["updated"]) == 5
    assert len(seen) == 3, [query["sql"] for query in seen]


def test_many_pushes_queue_one_making_of_their_etas() -> None:
    day = publish_day(stops=3)
    device = enrol(day.driver)
    for stop in day.stops:
        device.push(device.event("stop.arrived", stop))
    assert TaskRun.objects.filter(task=REFRESH).count() == 1
    assert Route.objects.get(pk=day.route.pk).etas_due_at is not None

    assert drain_only(REFRESH) == 1

    assert Route.objects.get(pk=day.route.pk).etas_due_at is None
    device.push(device.event("stop.note", day.stops[0], note="Second bell."))
    assert TaskRun.objects.filter(task=REFRESH).count() == 2
