"""The law of sync: old snapshot + pulled changes = new snapshot, whatever happens."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core import clock
from apps.journal.models import FeedHead
from apps.routes.models import Stop
from apps.routes.states import DONE, UNDER_WAY
from tests.factories import DepotFactory
from tests.sync.builders import (
    Day,
    Handheld,
    add_stop,
    cancel_order,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
)

STOP_KINDS: dict[str, dict[str, Any]] = {
    "stop.enroute": {},
    "stop.arrived": {},
    "stop.succeeded": {"received_by": "customer"},
    "stop.failed": {"reason": "not_home"},
    "stop.partial": {"pieces": 1},
    "stop.reopened": {},
    "stop.note": {"note": "Mind the dog"},
}
SHIFT_KINDS = ["shift.started", "shift.paused", "shift.ended"]

who = st.integers(0, 1)
which = st.integers(0, 5)
step = st.one_of(
    st.tuples(st.just("event"), who, which, st.sampled_from(sorted(STOP_KINDS))),
    st.tuples(st.just("stale"), who, which, st.sampled_from(sorted(STOP_KINDS))),
    st.tuples(st.just("shift"), who, st.sampled_from(SHIFT_KINDS)),
    st.tuples(st.just("give"), who, which),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("add"), who),
    st.tuples(st.just("change"), who),
    st.tuples(st.just("resend"), who),
    st.tuples(st.just("write"), who, which),
    st.tuples(st.just("pull"), who, st.integers(1, 9)),
)


class World:
    """Two drivers of one depot, their devices, and a clock that goes on."""

    def __init__(self, now: datetime) -> None:
        cache.clear()  # a device's throttle counts per history
        depot = DepotFactory()
        self.now = now
        self.days: list[Day] = [publish_day(depot=depot, stops=2) for _ in range(2)]
        self.devices: list[Handheld] = [enrol(day.driver) for day in self.days]
        self.sent: list[list[dict[str, Any]]] = [[], []]
        for device in self.devices:
            device.pull()

    def stop(self, index: int) -> Stop:
        stops = list(Stop.objects.order_by("pk"))
        return stops[index % len(stops)]

    def send(self, driver: int, event: dict[str, Any]) -> None:
        self.sent[driver].append(event)
        self.devices[driver].push(event)

    def event(self, driver: int, stop: int, kind: str) -> None:
        found = self.stop(stop)
        self.send(driver, self.devices[driver].event(kind, found, **STOP_KINDS[kind]))

    def stale(self, driver: int, stop: int, kind: str) -> None:
        """An event of an hour ago, that comes only now."""
        event = self.devices[driver].event(kind, self.stop(stop), **STOP_KINDS[kind])
        event["device_time"] -= 3_600_000
        self.send(driver, event)

    def shift(self, driver: int, kind: str) -> None:
        shift_id = str(self.days[driver].shift.pk)
        self.send(driver, self.devices[driver].event(kind, shift_id=shift_id))

    def give(self, to: int, stop: int) -> None:
        found = self.stop(stop)
        old, new = self.days[1 - to], self.days[to]
        is_there = found.route_id == old.route.pk
        if is_there and found.status not in {*DONE, *UNDER_WAY}:
            give_stop(found.pk, old, new, self.now)

    def cancel(self, stop: int) -> None:
        cancel_order(self.stop(stop), self.now)

    def add(self, driver: int) -> None:
        add_stop(self.days[driver], self.now)

    def change(self, driver: int) -> None:
        change = make_plan_change(self.days[driver], self.now)
        event = self.devices[driver].event(
            "plan.acknowledged", change_id=str(change.pk)
        )
        self.send(driver, event)

    def resend(self, driver: int) -> None:
        results = self.devices[driver].push(*self.sent[driver])
        assert {row["result"] for row in results} <= {"duplicate"}

    def write(self, driver: int, stop: int) -> None:
        """A faulty app writes into our table; the next pull mends it."""
        device = self.devices[driver]
        row = {"id": str(self.stop(stop).pk), "status": "succeeded"}
        if row["id"] in device.tables.get("stops", {}):
            device.tables["stops"][row["id"]] |= row
        body = {"changes": {"stops": {"updated": [row]}}}
        assert device.push_raw(body).status_code == 200

    def pull(self, driver: int, limit: int) -> None:
        self.devices[driver].pull(limit=limit)

    def check(self) -> None:
        for device in self.devices:
            head = FeedHead.objects.get(pk=device.driver.pk).head
            device.pull()
            assert device.pulled_at == head
            assert device.tables == device.snapshot()


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(st.lists(step, min_size=1, max_size=12))
def test_old_snapshot_and_changes_are_the_new_snapshot(steps: list[Any]) -> None:
    with transaction.atomic():
        world = World(clock.now() - timedelta(minutes=1))
        for name, *arguments in steps:
            getattr(world, name)(*arguments)
        world.check()
        transaction.set_rollback(True)
