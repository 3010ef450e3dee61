"""What a push costs the database: statements are counted, not time."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.sync.builders import Day, Handheld, enrol, publish_day
from tests.sync.test_uploads import proof_of

pytestmark = pytest.mark.django_db


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
    with CaptureQueriesContext(
        connection,
    ) as seen:
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
