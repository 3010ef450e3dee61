"""Trouble that drivers report: each kind becomes its incident, and is answered in words."""

from typing import Any

import pytest

from apps.core import clock
from apps.incidents.models import Incident
from apps.journal.models import Entry
from apps.sync.troubles import TROUBLE_WORDS
from tests.queueing import drain
from tests.sync.builders import Day, Handheld, enrol, give_stop, publish_day

pytestmark = pytest.mark.django_db

KINDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("vehicle", {"can_drive": True}, "high", "Supervisor"),
    ("hours", {"minutes_left": 40}, "high", "Supervisor"),
    ("unsafe", {}, "critical", "Supervisor"),
    ("no_access", {}, "medium", "Coordinator"),
    ("no_parking", {}, "low", "Coordinator"),
    ("wrong_address", {}, "medium", "Data steward"),
]


def made() -> tuple[Day, Handheld]:
    day = publish_day()
    return day, enrol(day.driver)


def test_each_trouble_raises_its_incident_and_is_answered() -> None:
    day, device = made()
    events = [
        device.event("exception.reported", day.stops[0], reason=reason, **told)
        for reason, told, _, _ in KINDS
    ]
    answers = device.push(*events)
    assert [(a["result"], a["code"]) for a in answers] == [
        ("applied", f"{reason}_reported") for reason, *_ in KINDS
    ]
    assert [a["detail"] for a in answers] == [
        TROUBLE_WORDS[f"{reason}_reported"] for reason, *_ in KINDS
    ]
    device.push(*events)
    drain()
    rows = {row.kind: row for row in Incident.objects.all()}
    assert {kind: (row.severity, row.role) for kind, row in rows.items()} == {
        kind: (severity, role) for kind, _, severity, role in KINDS
    }
    assert rows["hours"].details["minutes_left"] == 40
    assert rows["no_access"].details["stop_id"] == str(day.stops[0].pk)
    assert rows["unsafe"].subject_type == "deviceevent"


def test_driver_who_cannot_drive_on_or_needs_help_is_critical() -> None:
    _, device = made()
    device.push(
        device.event("exception.reported", reason="vehicle", can_drive=False),
        device.event("exception.reported", reason="hours", needs_help=True),
    )
    drain()
    assert set(Incident.objects.values_list("severity", flat=True)) == {"critical"}


def test_trouble_at_a_stop_needs_one_that_was_the_drivers() -> None:
    _, device = made()
    other, _ = made()
    answers = device.push(
        device.event("exception.reported", reason="no_access"),
        device.event("exception.reported", other.stops[0], reason="no_access"),
        device.event("exception.reported", reason="flood"),
    )
    assert [(a["result"], a["code"]) for a in answers] == [
        ("rejected", "invalid"),
        ("rejected", "never_assigned"),
        ("rejected", "invalid"),
    ]
    assert answers[0]["detail"] == "Choose the stop that it is about."
    drain()
    assert not Incident.objects.exists()
    assert not Entry.objects.filter(kind="exception.reported").exists()


def test_trouble_at_a_stop_that_was_given_away_still_counts() -> None:
    day, device = made()
    stop = day.stops[0]
    other = publish_day()
    give_stop(stop.pk, day, other, clock.now())
    [answer] = device.push(
        device.event("exception.reported", stop, reason="wrong_address")
    )
    assert answer["code"] == "wrong_address_reported"
