"""Files of proof by tus 1.0: resumed, checked, looked at, and bound to one stop."""

import hashlib
import io
import json
from base64 import b64encode
from datetime import timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.drivers.services import revoke_device
from apps.sync.models import Attachment, QuarantinedEvent, Upload, UploadPart
from apps.sync.photos import NotAPhoto, clean_photo
from apps.sync.services import uploads
from apps.sync.services.compacting import compact_feed
from apps.sync.states import AttachmentState
from apps.sync.tus import VERSION
from tests.queueing import drain
from tests.sync.builders import Day, Handheld, enrol, publish_day

pytestmark = pytest.mark.django_db

UPLOADS = "/api/sync/v1/uploads"
GPS = 0x8825


def photo(seed: int = 1, *, side: int = 200, kind: str = "JPEG") -> bytes:
    """A noisy picture, as a camera makes it: turned, and with its position."""
    random = Random(seed)  # noqa: S311 (repeatable pixels)
    picture = Image.frombytes("RGB", (side, side), random.randbytes(3 * side * side))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[GPS] = {1: "N", 2: (49.0, 30.0, 45.0), 3: "E", 4: (11.0, 16.0, 56.0)}
    out = io.BytesIO()
    picture.save(out, kind, exif=exif)
    return out.getvalue()


def hexed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def metadata(**values: str) -> str:
    return ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in values.items())


class Sender:
    """A tus client on Django's test client."""

    def __init__(self, device: Handheld, *, token: str = "") -> None:
        self.token = token or device.device_token
        self.client = Client()

    def call(self, method: str, url: str, body: bytes = b"", **headers: str) -> Any:
        return self.client.generic(
            method,
            url,
            body,
            content_type="application/offset+octet-stream",
            headers={
                "Authorization": f"Token {self.token}",
                "Tus-Resumable": VERSION,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def create(self, content: bytes, attachment_id: str, **more: str) -> Any:
        said = {"attachment_id": attachment_id, "sha256": hexed(content), **more}
        return self.call(
            "POST",
            UPLOADS,
            Upload_Length=str(len(content)),
            Upload_Metadata=metadata(**said),
        )

    def offset(self, url: str) -> int:
        answer = self.call("HEAD", url)
        assert answer.status_code == 200, answer
        return int(answer["Upload-Offset"])

    def send(self, url: str, content: bytes, offset: int, **headers: str) -> Any:
        return self.call("PATCH", url, content, Upload_Offset=str(offset), **headers)


def at_door() -> tuple[Day, Handheld, Sender]:
    day = publish_day()
    device = enrol(day.driver)
    return day, device, Sender(device)


def proof_of(content: bytes, attachment_id: str) -> dict[str, Any]:
    return {
        "attachment_id": attachment_id,
        "sha256": hexed(content),
        "bytes": len(content),
        "media_type": "image/jpeg",
    }


def files_of(device: Handheld) -> dict[str, dict[str, Any]]:
    """Return the attachments that the device sees after a pull."""
    device.pull(schema_version=2)
    return device.tables.get("attachments", {})


def test_photo_is_sent_in_pieces_and_stored() -> None:
    day, device, tus = at_door()
    content = photo()
    event = device.event(
        "stop.succeeded", day.stops[0], attachments=[proof_of(content, "p1")]
    )
    assert device.verdicts(event) == [("applied", "ok")]
    assert files_of(device)["p1"]["status"] == "awaited"

    created = tus.create(content, "p1", event_id=event["id"], filetype="image/jpeg")
    assert created.status_code == 201
    url = created["Location"]
    third = len(content) // 3
    for begin, end in ((0, third), (third, 2 * third), (2 * third, len(content))):
        assert tus.offset(url) == begin
        answer = tus.send(url, content[begin:end], begin)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(end))
    assert files_of(device)["p1"]["status"] == "received"
    drain()

    row = files_of(device)["p1"]
    assert (row["status"], row["stop_id"]) == ("stored", str(day.stops[0].pk))
    assert row["received_bytes"] == row["size_bytes"] == len(content)
    stored = Attachment.objects.get(pk="p1")
    kept = Image.open(uploads.proofs().open(stored.stored_name))
    assert not kept.getexif()
    assert not UploadPart.objects.exists()
    assert tus.offset(url) == len(content), "a client that asks again is done"


def test_every_answer_says_until_when_an_unfinished_file_waits() -> None:
    _, _, tus = at_door()
    content = photo()
    created = tus.create(content, "p1")
    url = created["Location"]
    answers = [created, tus.call("HEAD", url), tus.send(url, content[:10], 0)]
    for answer in answers:
        until = parsedate_to_datetime(answer["Upload-Expires"])
        left = until - clock.now()
        assert uploads.LASTS - timedelta(minutes=1) < left <= uploads.LASTS
        assert answer["Tus-Resumable"] == VERSION


def test_stored_file_that_left_the_feed_is_told_again_to_who_asks() -> None:
    """The device was away for so long that it never pulled `stored`."""
    _, device, tus = at_door()
    url = tus.create(photo(), "p1")["Location"]
    assert files_of(device)["p1"]["status"] == "uploading"
    tus.send(url, photo(), 0)
    drain()
    now = clock.now() + timedelta(days=40)
    compact_feed(driver_id=device.driver.pk, before=now, by=SYSTEM, now=now)
    assert "p1" not in files_of(device)
    assert tus.offset(url) == len(photo())
    assert files_of(device)["p1"]["status"] == "stored"
    known = device.pulled_at
    assert tus.offset(url) == len(photo())
    assert files_of(device)["p1"]["status"] == "stored"
    assert device.pulled_at == known, "it is told once"


def test_creating_a_known_file_again_returns_its_location() -> None:
    _, _, tus = at_door()
    content = photo()
    first = tus.create(content, "p1")
    tus.send(first["Location"], content[:100], 0)

    again = tus.create(content, "p1")

    assert again.status_code == 201
    assert again["Location"] == first["Location"]
    assert again["Upload-Offset"] == "100"


def test_file_may_come_before_its_event() -> None:
    day, device, tus = at_door()
    content = photo()
    url = tus.create(content, "p1", event_id="later")["Location"]
    tus.send(url, content, 0)
    drain()
    assert Attachment.objects.get().status == AttachmentState.STORED

    event = device.event(
        "stop.succeeded", day.stops[0], attachments=[proof_of(content, "p1")]
    )

    assert device.verdicts(event) == [("applied", "ok")]
    row = files_of(device)["p1"]
    assert (row["event_id"], row["stop_id"]) == (event["id"], str(day.stops[0].pk))


def test_file_belongs_to_one_stop() -> None:
    day, device, _ = at_door()
    content = photo()
    first = device.event(
        "stop.succeeded", day.stops[0], attachments=[proof_of(content, "p1")]
    )
    second = device.event(
        "stop.succeeded", day.stops[1], attachments=[proof_of(content, "p1")]
    )

    verdicts = device.verdicts(first, second)

    assert verdicts == [("applied", "ok"), ("applied", "ok")]
    assert Attachment.objects.get().stop_id == str(day.stops[0].pk)
    assert QuarantinedEvent.objects.get().code == "attachment_reused"


def test_bytes_with_a_wrong_checksum_are_refused_and_not_counted() -> None:
    _, _, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    wrong = b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest()).decode()
    right = b64encode(hashlib.sha256(content[:500]).digest()).decode()

    refused = tus.send(url, content[:500], 0, Upload_Checksum=f"sha1 {wrong}")
    assert refused.status_code == 460
    assert tus.offset(url) == 0
    taken = tus.send(url, content[:500], 0, Upload_Checksum=f"sha256 {right}")
    assert taken.status_code == 204


def test_file_whose_hash_is_wrong_begins_anew() -> None:
    _, device, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content[:500], 0)

    refused = tus.send(url, bytes(len(content) - 500), 500)

    assert refused.status_code == 460
    assert tus.offset(url) == 0
    assert files_of(device)["p1"]["status"] == "uploading"
    assert "sent again" in files_of(device)["p1"]["detail"]
    assert tus.send(url, content, 0).status_code == 204
    drain()
    assert Attachment.objects.get().status == AttachmentState.STORED


def test_what_is_no_picture_is_kept_aside_and_the_device_is_told() -> None:
    _, device, tus = at_door()
    content = b"MZ" + bytes(3000)
    url = tus.create(content, "p1", filetype="image/jpeg")["Location"]
    tus.send(url, content, 0)

    drain()

    row = files_of(device)["p1"]
    assert row["status"] == "refused"
    assert row["detail"] == "It is no JPEG, PNG or WebP picture."
    kept = Attachment.objects.get()
    assert uploads.proofs().open(kept.stored_name).read() == content


@pytest.mark.parametrize(
    ("offset", "size", "status"), [(5, 10, 409), (0, 10_000_000, 400)]
)
def test_bytes_that_do_not_fit_are_refused(offset: int, size: int, status: int) -> None:
    _, _, tus = at_door()
    url = tus.create(photo(), "p1")["Location"]

    assert tus.send(url, bytes(size), offset).status_code == status
    assert tus.offset(url) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload_Length": "0"}, 400),
        ({"Upload_Length": "many"}, 400),
        ({"Upload_Length": str(uploads.MAX_BYTES + 1)}, 413),
        ({"Upload_Metadata": "attachment_id !!"}, 400),
        ({"Upload_Metadata": metadata(attachment_id="x", sha256="short")}, 400),
        ({"Upload_Metadata": metadata(sha256="0" * 64)}, 400),
        (
            {
                "Upload_Metadata": metadata(
                    attachment_id="x", sha256="0" * 64, filetype="text/html"
                )
            },
            415,
        ),
        ({"Tus_Resumable": "0.2.2"}, 412),
    ],
)
def test_creation_that_cannot_be_is_refused(
    headers: dict[str, str], status: int
) -> None:
    _, _, tus = at_door()
    good = {
        "Upload_Length": "10",
        "Upload_Metadata": metadata(attachment_id="x", sha256="0" * 64),
    }

    answer = tus.call("POST", UPLOADS, b"", **{**good, **headers})

    assert answer.status_code == status, answer.content
    assert answer["Tus-Resumable"] == VERSION
    assert not Upload.objects.exists()


def test_id_of_another_file_or_driver_is_refused() -> None:
    _, _, tus = at_door()
    _, _, other = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]

    assert tus.create(photo(2), "p1").status_code == 409
    assert other.create(content, "p1").status_code == 409
    assert other.call("HEAD", url).status_code == 404


def test_server_says_what_it_can_do() -> None:
    answer = Client().options(UPLOADS)

    assert answer.status_code == 204
    assert answer["Tus-Version"] == VERSION
    assert "checksum" in answer["Tus-Extension"]
    assert int(answer["Tus-Max-Size"]) == uploads.MAX_BYTES


def test_upload_is_ended_and_may_begin_again() -> None:
    _, device, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content[:500], 0)

    assert tus.call("DELETE", url).status_code == 204

    assert tus.call("HEAD", url).status_code == 410
    assert files_of(device)["p1"]["status"] == "awaited"
    anew = tus.create(content, "p1")["Location"]
    assert tus.offset(anew) == 0
    tus.send(anew, content, 0)
    assert tus.call("DELETE", anew).status_code == 409


def test_upload_that_nobody_goes_on_with_expires() -> None:
    _, _, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content[:500], 0)
    past = clock.now() - timedelta(seconds=1)
    Upload.objects.update(expires_at=past)

    assert tus.call("HEAD", url).status_code == 410
    assert uploads.expire_uploads(now=clock.now()) == 1

    assert not Upload.objects.exists()
    row = Attachment.objects.get()
    assert (row.status, row.received_bytes) == (AttachmentState.AWAITED, 0)


def test_upload_that_has_expired_waits_again_once_it_is_created_again() -> None:
    """The scheduled task that gives it up may be late; the device need not wait for it."""
    _, _, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content[:500], 0)
    Upload.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert tus.send(url, content[500:], 500).status_code == 410

    again = tus.create(content, "p1")

    assert (again["Location"], again["Upload-Offset"]) == (url, "500")
    assert tus.send(url, content[500:], 500).status_code == 204
    assert uploads.expire_uploads(now=clock.now()) == 0


def test_device_that_drains_still_sends_its_files() -> None:
    _, device, tus = at_door()
    content = photo()
    url = tus.create(content, "p1")["Location"]
    revoke_device(
        device_id=device.device_id,
        action="drain_then_wipe",
        by=SYSTEM,
        now=clock.now(),
    )

    assert tus.send(url, content, 0).status_code == 204


def test_position_stays_where_the_depot_wants_it() -> None:
    day, _, tus = at_door()
    Depot.objects.filter(pk=day.driver.depot_id).update(keeps_photo_position=True)
    content = photo()
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content, 0)

    drain()

    row = Attachment.objects.get()
    kept = Image.open(uploads.proofs().open(row.stored_name))
    assert kept.getexif().get_ifd(GPS)[2] == (49.0, 30.0, 45.0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_cleaned_photo_is_upright_and_bare(kind: str) -> None:
    cleaned = clean_photo(photo(side=40, kind=kind), keep_position=False)

    picture = Image.open(io.BytesIO(cleaned.content))
    assert picture.format == kind
    assert picture.size == (40, 40)
    assert not picture.getexif()
    assert b"Exif" not in cleaned.content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JPEG"),
        (b"<svg onload='x'/>", "no JPEG"),
        (photo()[:400], "damaged"),
    ],
)
def test_photo_that_cannot_be_read_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(NotAPhoto, match=message):
        clean_photo(content, keep_position=False)


def test_old_devices_do_not_see_the_table() -> None:
    day, device, _ = at_door()
    event = device.event(
        "stop.succeeded", day.stops[0], attachments=[proof_of(photo(), "p1")]
    )
    device.push(event)

    device.pull(schema_version=1)

    assert "attachments" not in device.tables


def test_files_lie_where_the_settings_say(settings: Settings) -> None:
    assert settings.STORAGES["proofs"]["BACKEND"].endswith("InMemoryStorage")
    _, _, tus = at_door()
    content = photo(side=20)
    url = tus.create(content, "p1")["Location"]
    tus.send(url, content, 0)
    drain()

    row = Attachment.objects.get()
    assert row.stored_name.startswith(f"{row.stored_at:%Y/%m/%d}/")
    assert json.dumps(row.stored_type) == '"image/jpeg"'
