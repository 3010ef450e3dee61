"""Real transactions side by side: the same answers, and every effect once."""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.journal.models import Change, Entry, FeedHead
from apps.journal.services import writing
from apps.routes.models import Stop, StopEvent
from apps.sync.inbox import PushBody, items_of
from apps.sync.models import DeviceEvent
from apps.sync.services import Answer, Sender, accept_events
from apps.sync.wire import decoded
from tests.factories import DepotFactory
from tests.sync.builders import Day, Handheld, enrol, give_stop, publish_day

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run works side by side, each on its own connection; return their results."""
    found: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(index: int) -> None:
        try:
            start.wait(timeout=60)
            found[index] = works[index]()
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            found[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    failures = [each for each in found if isinstance(each, BaseException)]
    assert failures == []
    return found


def push(device: Handheld, events: Sequence[dict[str, Any]]) -> list[Answer]:
    driver_id = device.driver.pk
    raw = json.dumps({"changes": {"events": {"created": list(events)}}}).encode()
    accepted = accept_events(
        sender=Sender(device.device_id, driver_id),
        items=items_of(decoded(raw, PushBody)),
        anchors=[],
        by=Actor("driver", str(driver_id)),
        now=clock.now(),
        patience=timedelta(minutes=15),
    )
    return accepted.answers


def outcomes(answers: Sequence[Answer]) -> list[tuple[str, str, str]]:
    """Return what each event came to, whether told first or again."""
    return [
        (each.id, first.result, first.code)
        for each in answers
        for first in [each.original or each.verdict]
    ]


def batch_of(day: Day, device: Handheld) -> list[dict[str, Any]]:
    events = [device.event("stop.enroute", stop) for stop in day.stops]
    events += [device.event("stop.succeeded", stop) for stop in day.stops]
    return [*events, device.event("stop.failed", "nobody", reason="other")]


def test_same_push_on_two_connections_gives_one_effect_and_the_same_answers() -> None:
    day = publish_day()
    device = enrol(day.driver)
    batch = batch_of(day, device)
    first, second = at_once(lambda: push(device, batch), lambda: push(device, batch))
    assert outcomes(first) == outcomes(second)
    results = (
        {each.verdict.result for each in first},
        {each.verdict.result for each in second},
    )
    assert sorted(results, key=len) == [{"duplicate"}, {"applied", "rejected"}]
    assert DeviceEvent.objects.count() == len(batch)
    assert StopEvent.objects.count() == 6
    assert Entry.objects.filter(kind="stop.succeeded").count() == 3


def test_same_id_of_two_drivers_at_once_belongs_to_one() -> None:
    depot = DepotFactory()
    days = [publish_day(depot=depot) for _ in range(2)]
    devices = [enrol(day.driver) for day in days]
    events = [
        device.event("stop.succeeded", day.stops[0]) | {"id": "the-same"}
        for device, day in zip(devices, days, strict=True)
    ]
    answers = at_once(
        lambda: push(devices[0], events[:1]), lambda: push(devices[1], events[1:])
    )
    codes = sorted(answer[0].verdict.code for answer in answers)
    assert codes == ["id_reused", "ok"]
    assert Stop.objects.filter(status="succeeded").count() == 1


def test_push_and_reassignment_at_once_lose_nothing() -> None:
    depot = DepotFactory()
    for _ in range(5):
        old, new = publish_day(depot=depot), publish_day(depot=depot)
        first, second = enrol(old.driver), enrol(new.driver)
        stop = old.stops[0]
        event = first.event("stop.succeeded", stop)
        answers, _ = at_once(
            lambda event=event, device=first: push(device, [event]),  # type: ignore[misc]
            lambda old=old, new=new, pk=stop.pk: give_stop(  # type: ignore[misc]
                pk, old, new, clock.now()
            ),
        )
        assert answers[0].verdict.result == "applied"
        for device in (first, second):
            device.pull()
            assert device.tables == device.snapshot()


def test_numbers_are_without_gap_and_in_order_of_commit() -> None:
    day = publish_day(stops=1)
    scope = day.driver.pk
    before = FeedHead.objects.get(pk=scope).head

    def write(name: str) -> None:
        for n in range(10):
            with writing(by=SYSTEM, now=clock.now(), scopes=[scope]) as journal:
                journal.changed(scope, "stops", f"{name}{n}")

    at_once(lambda: write("a"), lambda: write("b"), lambda: write("c"))
    told = Change.objects.filter(scope=scope, number__gt=before)
    numbers = sorted(told.values_list("number", flat=True))
    assert numbers == list(range(before + 1, before + 31))
    assert FeedHead.objects.get(pk=scope).head == before + 30
