"""Files of proof by a real client library, tuspy, against a served process."""

import io
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from tests.serving import Served
from tests.sync.test_uploads import hexed, photo, proof_of

pytestmark = pytest.mark.slow
UPLOADS = "/api/sync/v1/uploads"
PHOTO = photo(seed=7, side=400)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("tus")) as running:
        yield running


class Phone:
    """A device with a photo, and tuspy to send it."""

    def __init__(self, served: Served, attachment_id: str, photo: bytes = PHOTO):
        self.served, self.id, self.photo = served, attachment_id, photo
        self.driver = served.play("new_driver")

    def client(self, base: str = "") -> TusClient:
        token = self.driver["device_token"]
        url = (base or self.served.web.url) + UPLOADS
        return TusClient(url, headers={"Authorization": f"Token {token}"})

    def uploader(self, url: str | None = None, base: str = "", **options: Any) -> Any:
        said = {
            "attachment_id": self.id,
            "event_id": f"event-{self.id}",
            "sha256": hexed(self.photo),
            "filetype": "image/jpeg",
        }
        return self.client(base).uploader(
            file_stream=io.BytesIO(self.photo), url=url, metadata=said, **options
        )

    def state(self) -> Any:
        return self.served.play("attachment", attachment_id=self.id)

    def is_stored(self) -> bool:
        self.served.play("drain")
        stored = {"status": "stored", "received_bytes": len(self.photo), "parts": 0}
        return bool(self.state() == stored)

    def push(self, *events: dict[str, Any]) -> list[dict[str, Any]]:
        answer = httpx.post(
            f"{self.served.web.url}/api/sync/v1/push",
            json={"changes": {"events": {"created": events}}},
            headers={"Authorization": f"Token {self.driver['session_token']}"},
            trust_env=False,
        )
        results: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
        return results


@contextmanager
def bad_line(to_port: int, carried: Callable[[bytes], bytes]) -> Iterator[str]:
    """Stand between client and server for one request, and carry what `carried` leaves.

    Where that is less than the body, the line breaks off there; otherwise the answer
    comes back.
    """
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(60)

        def carry() -> None:
            near, _ = door.accept()
            near.settimeout(60)
            with near, socket.create_connection(("127.0.0.1", to_port), 60) as far:
                head, body = read_request(near)
                through = carried(body)
                far.sendall(head + through)
                while len(through) == len(body) and (answer := far.recv(65536)):
                    near.sendall(answer)

        thread = threading.Thread(target=carry)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        thread.join(timeout=60)
        assert not thread.is_alive()


def read_request(near: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head, asking for the connection to be closed, and its body."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += near.recv(65536)
    head, _, body = came.partition(b"\r\n\r\n")
    [length] = re.findall(rb"(?i)content-length: (\d+)", head)
    while len(body) < int(length):
        body += near.recv(65536)
    kept = [line for line in head.split(b"\r\n") if b"keep-alive" not in line]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]), body


def test_tuspy_sends_a_photo_in_chunks_with_checksums(served: Served) -> None:
    phone = Phone(served, "whole")
    uploader = phone.uploader(chunk_size=40_000, upload_checksum=True)
    uploader.upload()
    assert uploader.offset == len(PHOTO)
    assert phone.is_stored()


def test_event_and_file_find_each_other(served: Served) -> None:
    phone = Phone(served, "named")
    event = {
        "id": "event-named",
        "seq": 1,
        "kind": "stop.succeeded",
        "stop_id": phone.driver["stops"][0],
        "payload": json.dumps({"attachments": [proof_of(PHOTO, "named")]}),
    }
    assert [each["result"] for each in phone.push(event)] == ["applied"]
    assert phone.state()["status"] == "awaited"
    phone.uploader().upload()
    assert phone.is_stored()


def test_known_attachment_gets_its_location_again(served: Served) -> None:
    phone = Phone(served, "again")
    first = phone.uploader()
    first.upload(stop_at=1000)
    second = phone.uploader()
    assert second.create_url() == first.url
    again = phone.uploader(url=first.url)
    assert again.offset == 1000
    again.upload()
    assert phone.is_stored()


@pytest.mark.parametrize(
    "cut", [1, 2, 4095, 65_536, len(PHOTO) // 2, len(PHOTO) - 1], ids=str
)
def test_upload_goes_on_where_the_connection_broke(served: Served, cut: int) -> None:
    phone = Phone(served, f"cut-{cut}")
    url = phone.uploader().create_url()
    with bad_line(served.web.port, lambda body: body[:cut]) as line:
        uploader = phone.uploader(url=url)
        uploader.url = url.replace(served.web.url, line)
        with pytest.raises(TusUploadFailed):
            uploader.upload()
    # The server may be at the broken request still: then the client asks again.
    resumed = phone.uploader(url=url, retries=50, retry_delay=0.1)
    assert 0 <= resumed.offset <= cut
    resumed.upload()
    assert phone.is_stored()


def test_upload_goes_on_after_the_server_was_killed(served: Served) -> None:
    phone = Phone(served, "killed")
    uploader = phone.uploader(chunk_size=30_000)
    uploader.upload(stop_at=60_000)
    served.web.kill()
    with pytest.raises(TusUploadFailed):
        uploader.upload_chunk()
    served.web.start()
    resumed = phone.uploader(url=uploader.url, chunk_size=30_000)
    assert resumed.offset == 60_000, "what was acknowledged is there"
    resumed.upload()
    assert phone.is_stored()


def test_damaged_bytes_are_refused_and_sent_again(served: Served) -> None:
    phone = Phone(served, "damaged")
    uploader = phone.uploader(chunk_size=50_000, upload_checksum=True)
    uploader.upload(stop_at=50_000)
    damaged = phone.uploader(url=uploader.url, upload_checksum=True)
    with bad_line(served.web.port, lambda body: b"?" + body[1:]) as line:
        damaged.url = damaged.url.replace(served.web.url, line)
        with pytest.raises(TusUploadFailed) as refused:
            damaged.upload()
    assert refused.value.status_code == 460
    good = phone.uploader(url=uploader.url, upload_checksum=True)
    assert good.offset == 50_000, "nothing of the damaged part was kept"
    good.upload()
    assert phone.is_stored()


def test_file_that_is_not_the_one_named_begins_anew(served: Served) -> None:
    phone = Phone(served, "other")
    url = phone.uploader().create_url()
    other = PHOTO[:-1] + bytes([PHOTO[-1] ^ 1])
    wrong = phone.client().uploader(file_stream=io.BytesIO(other), url=url)
    with pytest.raises(TusUploadFailed) as refused:
        wrong.upload()
    assert refused.value.status_code == 460
    right = phone.uploader(url=url)
    assert right.offset == 0
    right.upload()
    assert phone.is_stored()


def test_file_of_another_driver_is_out_of_reach(served: Served) -> None:
    phone, stranger = Phone(served, "mine"), Phone(served, "theirs")
    url = phone.uploader().create_url()
    with pytest.raises(TusCommunicationError) as refused:
        stranger.uploader(url=url)
    assert refused.value.status_code == 404
