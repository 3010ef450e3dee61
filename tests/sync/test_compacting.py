"""Feeds kept short: devices drop what is over, and who stayed away gets the full set."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.journal.models import Change, FeedHead
from apps.routes.models import Route
from apps.sync import schema, tasks
from apps.sync.models import DeviceEvent
from apps.sync.services.compacting import STILL, Compacted, compact_feed
from tests.queueing import drain
from tests.sync.builders import (
    Day,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
)

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=31)


def grow_old(day: Day, *, days: int = 40) -> None:
    """Let all that a feed has told be of long ago."""
    ago = timedelta(days=days)
    Change.objects.filter(scope=day.driver.pk).update(at=clock.now() - ago)


def compact(day: Day) -> Compacted:
    now = clock.now()
    return compact_feed(driver_id=day.driver.pk, before=now - MONTH, by=SYSTEM, now=now)


def test_compact_lets_devices_drop_what_is_over_and_forgets_it_later() -> None:
    day = publish_day()
    device = enrol(day.driver)
    make_plan_change(day, clock.now())
    device.push(device.event("stop.succeeded", day.stops[0]))
    device.pull()
    grow_old(day)
    Route.objects.update(service_date=clock.now().date() - timedelta(days=40))
    done = compact(day)
    assert done == Compacted(retired=9, forgotten=0)
    assert compact(day) == Compacted(0, 0)
    device.pull()
    assert {name for name, rows in device.tables.items() if rows} == set()
    assert device.tables == device.snapshot()
    grow_old(day)
    assert compact(day) == Compacted(retired=0, forgotten=9)
    assert FeedHead.objects.get(pk=day.driver.pk).horizon == device.pulled_at
    assert "reset" not in device.page(last_pulled_at=device.pulled_at)


def test_compact_keeps_what_is_not_over() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.event("stop.arrived", day.stops[0])
    device.push(device.event("stop.succeeded", day.stops[0]))
    assert DeviceEvent.objects.get().result == "held"
    grow_old(day)
    assert compact(day) == Compacted(0, 0)
    device.pull()
    assert len(device.tables["stops"]) == 3
    assert len(device.tables["event_results"]) == 1


def test_pull_from_before_the_horizon_is_a_reset_that_unsent_events_survive() -> None:
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    device = enrol(day.driver)
    device.pull()
    unsent = device.event("stop.succeeded", day.stops[0])
    give_stop(day.stops[0].pk, day, other, clock.now())
    grow_old(day)
    assert compact(day) == Compacted(retired=0, forgotten=2)
    page = device.page(last_pulled_at=device.pulled_at)
    assert page["reset"] is True
    assert page["experimentalStrategy"] == "replacement"
    device.pull()
    assert set(device.tables["stops"]) == {str(stop.pk) for stop in day.stops[1:]}
    assert device.tables == device.snapshot()
    assert device.verdicts(unsent) == [("applied", "applied_after_reassign")]


def test_compact_runs_by_the_clock() -> None:
    day, fresh = publish_day(), publish_day()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    grow_old(day)
    tasks.compact_feeds()
    drain()
    mine = Change.objects.filter(scope=day.driver.pk)
    assert not mine.filter(deleted=True).exists()
    assert FeedHead.objects.get(pk=fresh.driver.pk).horizon == 0


def test_every_table_of_the_wire_is_compacted() -> None:
    assert set(STILL) == {table.name for table in schema.TABLES}
