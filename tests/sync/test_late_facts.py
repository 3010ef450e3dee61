"""Late facts: who hears of them, and what is kept of both sides."""

import hashlib
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from apps.core import clock
from apps.drivers.models import Device
from apps.incidents.models import Incident
from apps.metrics.figures import figures_of_day
from apps.routes.models import StopEvent
from apps.sync.models import Attachment, DeviceEvent
from apps.sync.rules import BY_ID
from tests.factories import TimeWindowFactory
from tests.queueing import drain
from tests.sync.builders import Day, Handheld, enrol, give_stop, publish_day
from tests.sync.test_rules import made

pytestmark = pytest.mark.django_db


def given_away() -> tuple[Day, Handheld, Handheld]:
    """A stop that went from one driver to another while the first was offline."""
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    return day, enrol(day.driver), enrol(other.driver)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("stop.succeeded", {}),
        ("stop.failed", {"reason": "not_home"}),
        ("stop.partial", {"pieces": 1}),
    ],
)
def test_outcome_after_reassignment_is_told_to_the_supervisor(
    kind: str, payload: dict[str, Any]
) -> None:
    day, device, _ = given_away()
    event = device.event(kind, day.stops[0], **payload)
    for _ in range(2):
        device.push(event)
    drain()
    [incident] = Incident.objects.filter(kind="after_reassign")
    assert incident.role == "Supervisor"
    assert incident.subject_id == str(day.stops[0].pk)
    assert incident.details == {
        "said": kind.removeprefix("stop."),
        "driver_id": str(day.driver.pk),
    }


def test_step_after_reassignment_raises_no_alarm() -> None:
    day, device, _ = given_away()
    events = [
        device.event("stop.arrived", day.stops[0]),
        device.event("stop.note", day.stops[0], note="Bell is broken"),
    ]
    assert device.verdicts(*events) == [("applied", "applied_after_reassign")] * 2
    drain()
    assert not Incident.objects.filter(kind="after_reassign").exists()


def proof(name: str) -> dict[str, Any]:
    digest = hashlib.sha256(name.encode()).hexdigest()
    file = {"attachment_id": name, "sha256": digest, "bytes": 9}
    return {"attachments": [{**file, "media_type": "image/jpeg"}]}


def test_second_delivery_is_superseded_and_both_proofs_are_kept() -> None:
    day, first, second = given_away()
    stop = day.stops[0]
    assert second.verdicts(second.event("stop.succeeded", stop, **proof("b"))) == [
        ("applied", "ok")
    ]
    late = first.event("stop.succeeded", stop, **proof("a"))
    assert first.verdicts(late) == [("superseded", "already_delivered")]
    assert StopEvent.objects.filter(stop=stop, kind="stop.succeeded").count() == 2
    files = Attachment.objects.order_by("pk").values_list("pk", "stop_id", "driver_id")
    assert list(files) == [
        ("a", str(stop.pk), day.driver.pk),
        ("b", str(stop.pk), second.driver.pk),
    ]


def test_visit_in_its_window_is_on_time_however_late_it_is_reported() -> None:
    """Measures go by the device's instant, not by that of the receipt."""
    now = clock.now()
    day = publish_day(now=now - timedelta(hours=3))
    device = enrol(day.driver)
    Device.objects.update(enrolled_at=now - timedelta(hours=3))
    stop, visited_at = day.stops[0], now - timedelta(hours=2)
    TimeWindowFactory(
        order=stop.order,
        opens_at=visited_at - timedelta(minutes=30),
        closes_at=visited_at + timedelta(minutes=30),
    )
    event = device.event("stop.arrived", stop)
    event["device_time"] = round(visited_at.timestamp() * 1000)
    assert device.verdicts(event) == [("applied", "ok")]
    kept = DeviceEvent.objects.get()
    assert kept.received_at > visited_at + timedelta(minutes=30)
    zone = ZoneInfo(day.route.depot.time_zone)
    figures = figures_of_day(day.route.depot, visited_at.astimezone(zone).date())
    [found] = [row for row in figures if row.name == "on_time_rate"]
    assert (found.value, found.n) == (1.0, 1)


@pytest.mark.parametrize("first", ["file", "event"])
def test_rule_file_of_rejected_report(first: str) -> None:
    day, device = made()
    foreign = publish_day().stops[0]
    digest = hashlib.sha256(b"x").hexdigest()
    name = uuid.uuid4().hex
    event = device.event(
        "stop.succeeded",
        foreign,
        attachments=[
            {
                "attachment_id": name,
                "sha256": digest,
                "bytes": 1,
                "media_type": "image/jpeg",
            }
        ],
    )
    if first == "file":
        Attachment.objects.create(
            pk=name,
            driver=day.driver,
            device_id=device.device_id,
            event_id=event["id"],
            sha256=digest,
            size_bytes=1,
            media_type="image/jpeg",
        )
        event["payload"] = "broken"
        device.pull()
    assert device.push(event)[0]["result"] == "rejected"
    device.pull()
    shown = device.tables["attachments"][name]
    rule = BY_ID["file_of_rejected_report"]
    with translation.override("de"):
        words = [translation.gettext(rule.says), translation.gettext(rule.do)]
    assert shown["detail"] == " ".join(words)
    assert shown["status"] == "awaited"
