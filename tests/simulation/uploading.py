"""Files of proof on their way: in parts, damaged, given up, and begun anew."""

import hashlib
from base64 import b64encode

from tests.simulation.carrying import Carrying
from tests.simulation.device import DOOR, Answer, Device, File, metadata
from tests.simulation.watch.invariants import must

PART = 50
"""Bytes of a file that one request brings."""


class Uploading(Carrying):
    """Uploads by tus, each as unsure as the way is."""

    def upload(self) -> str:
        files = [
            (device, file)
            for device in self.devices
            for file in device.files.values()
            if not file.is_deleted
        ]
        if not files:
            return "no file waits"
        device, file = self.random.choice(files)
        count = self.random.randint(1, 4)
        said = [self._upload(device, file) for _ in range(count)]
        return f"{device.name} {'; '.join(said)}"

    def _upload(self, device: Device, file: File) -> str:
        profile = device.profiles[file.driver_id]
        is_known = file.driver_id == device.shown_id
        token = device.token if is_known else profile.token
        if not file.location:
            answer = self._tus(
                device,
                token,
                "POST",
                f"{DOOR}/uploads",
                Upload_Length=str(len(file.content)),
                Upload_Metadata=metadata(
                    attachment_id=file.id,
                    event_id=file.event_id,
                    sha256=file.sha256,
                    filetype="image/png",
                ),
            )
            if answer is None or answer.status != 201:
                return f"create {file.id}: {answer.status if answer else 'no answer'}"
            file.location = str(answer.headers["Location"])
            file.offset = int(answer.headers["Upload-Offset"])
            return f"created {file.id} at {file.offset}"
        path = file.location.partition("testserver")[2]
        if file.offset is None:
            answer = self._tus(device, token, "HEAD", path)
            if answer is not None and answer.status == 200:
                file.offset = int(answer.headers["Upload-Offset"])
            elif answer is not None and answer.status == 410:
                file.location = ""
            return f"asked {file.id}: {file.offset}"
        if file.offset >= len(file.content):
            return f"{file.id} is there"
        if self.has_faults and self.random.random() < 0.04:
            return self._give_up(device, token, path, file)
        return self._patch(device, token, path, file)

    def _give_up(self, device: Device, token: str, path: str, file: File) -> str:
        """Let an app take an upload back, and begin it anew later."""
        answer = self._tus(device, token, "DELETE", path)
        file.offset = None
        if answer is not None and answer.status in {204, 410}:
            file.location = ""
        return f"gave {file.id} up: {answer.status if answer else 'no answer'}"

    def _is_there(self, file: File) -> bool:
        """Tell whether the whole of a file was taken in, as far as its device knows."""
        return file.is_deleted or (file.offset or 0) >= len(file.content)

    def _patch(self, device: Device, token: str, path: str, file: File) -> str:
        offset, file.offset = file.offset or 0, None
        headers = {
            "Upload_Offset": str(offset),
            "Content_Type": "application/offset+octet-stream",
        }
        part = file.content[offset : offset + PART]
        if self.has_faults and self.random.random() < 0.25:
            part = bytes(255 - byte for byte in part)  # damaged on the way
        if self.random.random() < 0.3:
            digest = hashlib.sha256(file.content[offset : offset + PART]).digest()
            checksum = f"sha256 {b64encode(digest).decode()}"
            headers["Upload_Checksum"] = checksum
        answer = self._tus(
            device,
            token,
            "PATCH",
            path,
            part,
            **headers,
        )
        if answer is None:
            return f"part of {file.id} at {offset}: no answer"
        if answer.status == 204:
            file.offset = int(answer.headers["Upload-Offset"])
        return f"part of {file.id} at {offset}: {answer.status}"

    def _tus(
        self,
        device: Device,
        token: str,
        method: str,
        path: str,
        body: bytes = b"",
        **headers: str,
    ) -> Answer | None:
        def seen(answer: Answer, hit: str) -> None:
            is_wiped = self.watch.memory.acts(device.id) == "wipe"
            must(
                answer.status in {200, 201, 204, 409, 410, 460, 503}
                or (answer.status == 403 and is_wiped),
                "evidence is never blocked",
                (method, answer.status, answer.body),
            )

        answer = self.call(
            device, token, method, path, body, seen, Tus_Resumable="1.0.0", **headers
        )
        # The answer to HEAD has no body: another request will say what to do.
        if answer is not None and answer.status == 403 and method != "HEAD":
            self.obey(device, answer)
        return answer
