"""Devices in several hands: one driver on two, one device handed on, revoked with care."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Device, Driver
from apps.drivers.services import open_session, revoke_device
from apps.routes.models import Stop, StopEvent
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent
from tests.sync.builders import Day, Handheld, enrol, publish_day, results_of

pytestmark = pytest.mark.django_db


def handed_on() -> tuple[Day, Handheld, Day, str]:
    """A device of one driver, that another of the depot signs in on; her session."""
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    device = enrol(day.driver)
    user = User.objects.get(pk=other.driver.user_id)
    opened = open_session(
        device_id=device.device_id, user=user, by=SYSTEM, now=clock.now()
    )
    return day, device, other, opened.token


def push(device: Handheld, token: str, *events: object) -> list[tuple[str, str]]:
    body = {"changes": {"events": {"created": list(events)}}}
    rows = json.loads(device.push_raw(body, token=token).content)["results"]
    return [(row["result"], row["code"]) for row in rows]


def test_one_driver_on_two_devices_sees_the_same_on_both() -> None:
    day = publish_day()
    first, second = enrol(day.driver), enrol(day.driver)
    first.pull()
    second.pull()
    done = first.event("stop.succeeded", day.stops[0])
    first.push(first.event("stop.failed", day.stops[1], reason="closed") | {"seq": 2})
    first.push(done | {"seq": 1})
    assert second.verdicts(second.event("stop.arrived", day.stops[2])) == [
        ("applied", "ok")
    ]
    for device in (first, second):
        device.pull()
        assert device.tables == device.snapshot()
    assert first.tables == second.tables
    assert len(first.tables["event_results"]) == 3
    again = second.event("stop.succeeded", day.stops[0])
    assert second.verdicts(again)[0][0] in {"rejected", "superseded"}
    assert (
        StopEvent.objects.filter(stop=day.stops[0], kind="stop.succeeded").count() <= 2
    )


def test_handed_on_device_sends_the_first_drivers_events_with_that_session() -> None:
    day, device, other, token = handed_on()
    mine = device.event("stop.succeeded", day.stops[0])
    hers = device.event("stop.succeeded", other.stops[0])
    assert push(device, device.session_token, mine) == [("applied", "ok")]
    assert push(device, token, hers) == [("applied", "ok")]
    makers = dict(DeviceEvent.objects.values_list("pk", "driver_id"))
    assert makers == {mine["id"]: day.driver.pk, hers["id"]: other.driver.pk}
    assert device.get().status_code == 401


def test_handed_on_device_sends_all_at_once_and_names_the_makers() -> None:
    day, device, other, token = handed_on()
    mine = device.event("stop.succeeded", day.stops[0])
    mine["driver_id"] = str(day.driver.pk)
    hers = device.event("stop.succeeded", other.stops[0])
    hers["driver_id"] = str(other.driver.pk)
    assert push(device, token, mine, hers) == [("applied", "ok")] * 2
    assert push(device, token, hers, mine) == [("duplicate", "ok")] * 2
    completed = Stop.objects.get(pk=day.stops[0].pk).completed_by_id
    assert completed == day.driver.pk
    at_home = enrol(day.driver)
    at_home.pull()
    assert results_of(at_home.tables["event_results"].values()) == {
        mine["id"]: ("applied", "ok")
    }


def test_handed_on_device_cannot_report_for_who_never_held_it() -> None:
    _, device, other, token = handed_on()
    stranger = publish_day(depot=other.route.depot)
    forged = device.event("stop.succeeded", stranger.stops[0])
    forged["driver_id"] = str(stranger.driver.pk)
    assert push(device, token, forged) == [("rejected", "never_assigned")]
    assert DeviceEvent.objects.get().driver_id == other.driver.pk
    assert QuarantinedEvent.objects.get().driver_id == other.driver.pk


def test_handed_on_device_repeats_under_the_other_session() -> None:
    day, device, _, token = handed_on()
    mine = device.event("stop.succeeded", day.stops[0])
    push(device, device.session_token, mine)
    assert push(device, token, mine) == [("duplicate", "ok")]
    changed = mine | {"kind": "stop.arrived"}
    assert push(device, token, changed) == [("rejected", "id_reused")]


def test_handed_on_device_names_the_maker_of_what_it_sent_without() -> None:
    """The answer to the first push was lost; by the second, another has signed in."""
    day, device, other, token = handed_on()
    mine = device.event("stop.succeeded", day.stops[0])
    push(device, device.session_token, mine)
    named = mine | {"driver_id": str(day.driver.pk)}
    assert push(device, token, named) == [("duplicate", "ok")]
    posed = mine | {"driver_id": str(other.driver.pk)}
    assert push(device, token, posed) == [("rejected", "id_reused")]


def test_handed_on_device_judges_held_events_for_their_makers() -> None:
    day, device, other, token = handed_on()
    first = device.event("stop.arrived", day.stops[0])
    late = device.event("stop.succeeded", day.stops[0])
    hers = device.event("stop.succeeded", other.stops[0])
    assert push(device, token, hers) == [("held", "out_of_order")]
    assert push(device, device.session_token, late) == [("held", "out_of_order")]
    assert push(device, device.session_token, first) == [("applied", "ok")]
    made = DeviceEvent.objects.values_list("pk", "driver_id", "result")
    assert set(made) == {
        (first["id"], day.driver.pk, "applied"),
        (late["id"], day.driver.pk, "applied"),
        (hers["id"], other.driver.pk, "applied"),
    }


def test_device_whose_handover_was_not_answered_acts_for_the_driver_before() -> None:
    day, device, other, token = handed_on()
    mine = device.event("stop.arrived", day.stops[0])
    assert push(device, device.device_token, mine) == [("applied", "ok")]
    assert DeviceEvent.objects.get().driver_id == day.driver.pk
    device.sign(device.device_token)
    renewed = device.client.post("/api/sync/v1/session").json()
    assert renewed["driver"]["id"] == str(day.driver.pk)
    assert device.get(token=renewed["session_token"]).status_code == 200
    assert device.get(token=token).status_code == 401  # hers ended with that
    done = device.event("stop.succeeded", day.stops[0])
    assert push(device, device.device_token, done) == [("applied", "ok")]
    assert Stop.objects.get(pk=day.stops[0].pk).completed_by_id == day.driver.pk
    assert other.driver.pk != day.driver.pk


def test_device_acts_for_the_new_driver_once_it_has_shown_the_session() -> None:
    day, device, other, token = handed_on()
    hers = device.event("stop.arrived", other.stops[0])
    assert push(device, token, hers) == [("applied", "ok")]
    done = device.event("stop.succeeded", other.stops[0])
    assert push(device, device.device_token, done) == [("applied", "ok")]
    assert DeviceEvent.objects.get(pk=done["id"]).driver_id == other.driver.pk
    late = device.event("stop.succeeded", day.stops[0])
    late["driver_id"] = str(day.driver.pk)
    assert push(device, device.device_token, late) == [("applied", "ok")]


def test_handover_that_is_asked_again_or_taken_back_leaves_no_doubt() -> None:
    day, device, other, _ = handed_on()
    row = Device.objects.get(pk=device.device_id)
    assert (row.driver_id, row.shown_driver_id) == (other.driver.pk, day.driver.pk)
    user = User.objects.get(pk=other.driver.user_id)
    where: dict[str, Any] = {
        "device_id": device.device_id,
        "by": SYSTEM,
        "now": clock.now(),
    }
    again = open_session(user=user, **where)
    row.refresh_from_db()
    assert row.shown_driver_id == day.driver.pk
    assert device.get(token=again.token).status_code == 200
    row.refresh_from_db()
    assert row.driver_id == other.driver.pk
    assert row.shown_driver_id == other.driver.pk
    open_session(user=User.objects.get(pk=day.driver.user_id), **where)
    open_session(user=user, **where)
    row.refresh_from_db()
    assert row.driver_id == other.driver.pk
    assert row.shown_driver_id == other.driver.pk


def test_device_handed_to_and_fro_acts_for_whom_it_knows_of() -> None:
    """What the other driver did before comes under the old session: it proves nothing."""
    day, device, other, first_of_hers = handed_on()
    assert device.get(token=first_of_hers).status_code == 200
    mine: dict[str, Any] = {
        "device_id": device.device_id,
        "by": SYSTEM,
        "now": clock.now(),
    }
    back = open_session(user=User.objects.get(pk=day.driver.user_id), **mine)
    assert device.get(token=back.token).status_code == 200
    open_session(user=User.objects.get(pk=other.driver.user_id), **mine)  # lost
    hers = device.event("stop.arrived", other.stops[0])
    assert push(device, first_of_hers, hers) == [("applied", "ok")]
    done = device.event("stop.arrived", day.stops[0])
    assert push(device, device.device_token, done) == [("applied", "ok")]
    makers = dict(DeviceEvent.objects.values_list("pk", "driver_id"))
    assert makers == {hers["id"]: other.driver.pk, done["id"]: day.driver.pk}


def test_device_that_shows_a_session_whose_successor_was_lost_acts_for_that_one() -> (
    None
):
    """Handed on and taken back; the device knows only of the first of these."""
    day, device, other, hers = handed_on()
    open_session(
        device_id=device.device_id,
        user=User.objects.get(pk=day.driver.user_id),
        by=SYSTEM,
        now=clock.now(),
    )
    assert push(device, hers, device.event("stop.arrived", other.stops[0])) == [
        ("applied", "ok")
    ]
    done = device.event("stop.succeeded", other.stops[0])
    assert push(device, device.device_token, done) == [("applied", "ok")]
    assert DeviceEvent.objects.get(pk=done["id"]).driver_id == other.driver.pk
    device.sign(device.device_token)
    renewed = device.client.post("/api/sync/v1/session").json()
    assert renewed["driver"]["id"] == str(other.driver.pk)
    assert device.get(token=renewed["session_token"]).status_code == 200


def test_handed_on_device_uploads_the_first_drivers_files() -> None:
    day, device, _, _ = handed_on()
    name = uuid.uuid4().hex
    row = Attachment.objects.create(
        pk=name,
        driver=Driver.objects.get(pk=day.driver.pk),
        device_id=device.device_id,
        sha256="a" * 64,
        size_bytes=3,
        media_type="image/jpeg",
    )
    metadata = [
        "attachment_id " + _b64(name),
        "event_id " + _b64("e"),
        "sha256 " + _b64(row.sha256),
    ]
    headers = {
        "HTTP_TUS_RESUMABLE": "1.0.0",
        "HTTP_UPLOAD_LENGTH": "3",
        "HTTP_UPLOAD_METADATA": ",".join(metadata),
    }
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {device.device_token}")
    begun = client.post("/api/sync/v1/uploads", **headers)  # type: ignore[arg-type]
    assert begun.status_code == 201, begun.content
    there = client.head(begun["Location"], HTTP_TUS_RESUMABLE="1.0.0")
    assert there.status_code == 200


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_session_is_renewed_with_the_device_token_alone() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.sign(device.device_token)
    renewed = device.client.post("/api/sync/v1/session").json()
    assert renewed["driver"]["id"] == str(day.driver.pk)
    assert device.get(token=renewed["session_token"]).status_code == 200


def test_drained_device_may_be_wiped_and_what_it_held_counts() -> None:
    day = publish_day(now=clock.now() - timedelta(hours=1))
    device = enrol(day.driver)
    done = device.event("stop.succeeded", day.stops[0])
    for action, status in (("drain_then_wipe", 200), ("wipe", 403)):
        revoke_device(
            device_id=device.device_id, action=action, by=SYSTEM, now=clock.now()
        )
        body = {"changes": {"events": {"created": [done]}}}
        answer = device.push_raw(body)
        assert answer.status_code == status
    assert answer.json()["action"] == "wipe"
    assert Stop.objects.get(pk=day.stops[0].pk).status == "succeeded"
    device.sign(device.device_token)
    assert device.client.post("/api/sync/v1/session").status_code == 403
