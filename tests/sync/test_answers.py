"""What every answer of the device's doors has: an anchor, and tus what tus asks for."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core import clock
from apps.drivers.models import Position
from apps.drivers.selectors import last_position
from apps.sync import consumers, tailer
from apps.sync.services import uploads
from apps.sync.tus import VERSION
from tests.queueing import drain
from tests.sync.builders import Handheld, enrol, publish_day
from tests.sync.test_positions import anchored, at_work, send, told, track_of
from tests.sync.test_uploads import UPLOADS, Sender, metadata, photo

pytestmark = pytest.mark.django_db

API = "/api/sync/v1"


def asked(device: Handheld) -> dict[str, Any]:
    """Ask at every door, rightly and wrongly; return the answers."""
    tus = Sender(device)
    created = tus.create(photo(), "p1")
    url = created["Location"]
    device.sign(device.device_token)
    post = device.client.post
    return {
        "session 201": post(f"{API}/session"),
        "session 401": post(f"{API}/session", {"username": "a", "password": "b"}),
        "enrol 403": Client().post(f"{API}/enrol", {"code": "0"}, "application/json"),
        "enrol 400": Client().post(f"{API}/enrol", {}, "application/json"),
        "pull 401": device.get(token=device.device_token),
        "pull 200": device.get(),
        "pull 400": device.get(limit="x"),
        "pull 426": device.get(schema_version=0),
        "push 200": device.push_raw({"changes": {}}),
        "push 400": device.push_raw({"changes": 5}),
        "push 413": device.push_raw({"changes": {"stops": {"created": [{}] * 501}}}),
        "push 405": device.client.put(f"{API}/push"),
        "push 401": device.push_raw({"changes": {}}, token="0" * 64),
        "positions 200": send(device, {"tracks": []}),
        "positions 400": send(device, {"tracks": 5}),
        "time 200": device.client.get(f"{API}/time"),
        "schema 200": device.client.get(f"{API}/schema"),
        "impact 400": device.client.post(f"{API}/overrides/impact", {"kind": 5}),
        "uploads 201": created,
        "uploads 412": tus.call("POST", UPLOADS, Tus_Resumable="0.2.2"),
        "uploads 400": tus.call("POST", UPLOADS),
        "upload 200": tus.call("HEAD", url),
        "upload 409": tus.send(url, b"x", 5),
        "upload 204": tus.send(url, photo()[:5], 0),
        "options 204": Client().options(UPLOADS),
        "gone 410": tus.call("HEAD", f"{UPLOADS}/{'0' * 8}-0000-7000-8000-{'0' * 12}"),
    }


def test_every_answer_gives_the_device_an_anchor() -> None:
    device = enrol(publish_day().driver)
    before = clock.now() - timedelta(milliseconds=1)
    answers = asked(device)
    after = clock.now()
    for name, answer in answers.items():
        assert answer.status_code == int(name[-3:]), (name, answer.content)
        told_at = datetime.fromisoformat(answer["Server-Time"])
        assert before <= told_at <= after, name
        if answer.status_code < 300 and answer.content.startswith(b"{"):
            body = json.loads(answer.content)
            assert "server_time" in body or "tables" in body, name


def test_tus_says_what_it_can_do_at_both_addresses_and_to_anybody() -> None:
    device = enrol(publish_day().driver)
    url = Sender(device).create(photo(), "p1")["Location"]
    for address in (UPLOADS, url):
        answer = Client().options(address)
        assert answer.status_code == 204
        assert answer["Tus-Resumable"] == answer["Tus-Version"] == VERSION == "1.0.0"
        assert set(answer["Tus-Extension"].split(",")) == {
            *("creation", "checksum", "expiration", "termination"),
        }
        assert int(answer["Tus-Max-Size"]) == uploads.MAX_BYTES
        assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")


def test_tus_head_says_how_much_is_here_and_is_not_kept_by_caches() -> None:
    device = enrol(publish_day().driver)
    tus = Sender(device)
    url = tus.create(photo(), "p1")["Location"]
    tus.send(url, photo()[:77], 0)
    answer = tus.call("HEAD", url)
    assert answer["Upload-Offset"] == "77"
    assert answer["Upload-Length"] == str(len(photo()))
    assert answer["Cache-Control"] == "no-store"
    assert answer["Upload-Expires"].endswith("GMT")
    assert answer.content == b""
    other = tus.call("POST", UPLOADS, Tus_Resumable="2.0.0")
    assert (other.status_code, other["Tus-Version"]) == (412, VERSION)


def test_tus_length_of_the_largest_file_is_taken_and_one_byte_more_is_not() -> None:
    device = enrol(publish_day().driver)
    tus = Sender(device)
    said = {"attachment_id": "a", "sha256": "0" * 64}
    for size, status in ((uploads.MAX_BYTES, 201), (uploads.MAX_BYTES + 1, 413)):
        headers: dict[str, Any] = {"Upload_Length": str(size)}
        headers["Upload_Metadata"] = metadata(**said)
        assert tus.call("POST", UPLOADS, **headers).status_code == status


def test_known_file_has_one_location_also_when_it_is_stored() -> None:
    device = enrol(publish_day().driver)
    tus = Sender(device)
    url = tus.create(photo(), "p1")["Location"]
    tus.send(url, photo(), 0)
    drain()
    again = tus.create(photo(), "p1")
    assert (again.status_code, again["Location"]) == (201, url)
    assert again["Upload-Offset"] == str(len(photo()))


def test_part_of_a_file_is_told_to_the_feed() -> None:
    """The row says how much is here: a device that pulls sees what a new one would."""
    device = enrol(publish_day().driver)
    tus = Sender(device)
    url = tus.create(photo(), "p1")["Location"]
    device.pull()
    tus.send(url, photo()[:50], 0)
    device.pull()
    assert device.tables["attachments"]["p1"]["received_bytes"] == 50
    assert device.tables == device.snapshot()


def test_places_come_newest_first_and_the_last_one_stays_the_last() -> None:
    day, device = at_work()
    track = track_of(40)
    newest = {name: [sum(track[name][:31]), *track[name][31:]] for name in COLUMNS}
    oldest = {name: track[name][:30] for name in COLUMNS}
    for part, stored in ((newest, 10), (oldest, 30)):
        body = {"tracks": [{"boot_id": "b1", **part}], "device": anchored()}
        assert told(send(device, body))["stored"] == stored
        last = last_position(day.driver.pk)
        assert last is not None
        assert last.lat_e6 == sum(track["lat_e6"])
    assert Position.objects.count() == 40


COLUMNS = ("mono_ms", "lat_e6", "lon_e6", "accuracy_m")


def test_pokes_and_pings_keep_the_protocols_times() -> None:
    assert tailer.COALESCE_S == 0.25
    assert consumers.PING_S == 20.0
