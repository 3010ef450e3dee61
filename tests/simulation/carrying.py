"""What devices carry to the server and back: events, tables, sessions, files."""

import json
from collections import Counter

from apps.drivers.models import Driver
from apps.sync.schema import SCHEMA_VERSION
from tests.simulation.device import (
    DOOR,
    Answer,
    Device,
    File,
    Profile,
    Row,
    metadata,
)
from tests.simulation.office import PASSWORD
from tests.simulation.stage import Stage, profile_of
from tests.simulation.watch import Violation, must

PART = 40
"""Bytes of a file that one request brings."""


class Carrying(Stage):
    """Pushes, pulls, renewals and uploads, each as unsure as the way is."""

    # ── push ────────────────────────────────────────────────────────────────
    def push(self) -> str:
        full = [
            (device, profile)
            for device in self.devices
            for profile in device.profiles.values()
            if profile.outbox
        ]
        if full and self.random.random() < 0.9:
            return self._push(*self.random.choice(full))
        device = self._some()
        return self._push(device, device.profile)

    def _push(self, device: Device, profile: Profile) -> str:
        rows = list(profile.outbox.values())
        if self.has_faults:
            rows = self._disturbed(device, profile, rows)
        return f"{device.name} {self._send(device, profile, rows)}"

    def _disturbed(
        self, device: Device, profile: Profile, rows: list[Row]
    ) -> list[Row]:
        """Leave some out, repeat some, send settled ones again, in any order."""
        chance = self.random.random
        if chance() < 0.5:
            rows = [row for row in rows if chance() < 0.6]
        if chance() < 0.2:
            mine = [m.row for m in device.made if m.driver_id == profile.driver_id]
            rows = rows + self.random.sample(mine, min(3, len(mine)))
        if rows and chance() < 0.15:
            rows = [*rows, self.random.choice(rows)]
        if chance() < 0.4:
            self.random.shuffle(rows)
        return rows

    def _send(self, device: Device, profile: Profile, rows: list[Row]) -> str:
        body = device.push_body(rows)
        return self._send_body(device, profile, body)

    def _send_body(self, device: Device, profile: Profile, body: Row) -> str:
        is_current = device.is_sure and profile.driver_id == device.driver_id
        token = profile.token
        if is_current and self.random.random() < 0.3:
            token = device.token
        rows = body["changes"]["events"]["created"]
        for row in rows:
            self.watch.made[row["id"]].pushes += 1

        def seen(answer: Answer, hit: str) -> None:
            self.watch.push_answered(device, profile.driver_id, body, answer, hit)
            if answer.status == 200:
                self._expect_mono(body)

        raw = json.dumps(body).encode()
        answer = self.call(device, token, "POST", f"{DOOR}/push", raw, seen)
        if answer is None or answer.status != 200:
            return f"pushed {len(rows)}: {answer.status if answer else 'no answer'}"
        if self.has_faults and self.random.random() < 0.04:
            return f"pushed {len(rows)}: died before noting the answer"
        said = Counter(f"{r['result']}/{r['code']}" for r in answer.body["results"])
        for result in answer.body["results"]:
            if result["table"] == "events" and result["result"] != "retry":
                made = self.watch.made[result["id"]]
                if profile.outbox.pop(made.id, None) is not None:
                    made.is_settled = True
        return f"pushed {len(rows)}: {dict(sorted(said.items()))}"

    def _expect_mono(self, body: Row) -> None:
        boots = {anchor["boot_id"] for anchor in body["device"]["anchors"]}
        for row in body["changes"]["events"]["created"]:
            if row["boot_id"] in boots and row["id"] not in self.watch.events:
                self.watch.expects_mono.add(row["id"])

    # ── pull ────────────────────────────────────────────────────────────────
    def pull(self) -> str:
        device = self._some()
        return f"{device.name} {self._pull(device)}"

    def _pull(self, device: Device) -> str:
        profile = device.profile
        limit = self.random.choice((1, 2, 3, 5, 500))
        for pages in range(1, 200):
            answer = self._page(device, profile, limit)
            if answer is None or answer.status == 503:
                return f"pulled page {pages}: no answer"
            if answer.status == 401:
                return f"has no session: {self.renew(device)}"
            if self.has_faults and self.random.random() < 0.04:
                return f"died before keeping page {pages}"
            profile.merge(answer.body)
            for file in device.files.values():
                row = profile.tables.get("attachments", {}).get(file.id, {})
                file.is_deleted |= row.get("status") == "stored"
            if not answer.body["has_more"]:
                if not self.office.is_behind():
                    self.watch.sees_everything(profile)
                return f"pulled to {profile.cursor} in {pages}"
        raise Violation("everything drains", "a pull has no end")

    def _page(self, device: Device, profile: Profile, limit: int) -> Answer | None:
        since = "null" if profile.number is None else profile.number
        path = f"{DOOR}/pull?last_pulled_at={since}&limit={limit}&schema_version={SCHEMA_VERSION}"
        if profile.cursor:
            path += f"&cursor={profile.cursor}"

        def seen(answer: Answer, hit: str) -> None:
            self.watch.pull_answered(profile, limit, answer, hit)

        return self.call(device, profile.token, "GET", path, b"", seen)

    def renew(self, device: Device, *, other: Driver | None = None) -> str:
        """Open a session with the device's own credential."""
        body = {}
        if other is not None:
            body = {"username": other.user.username, "password": PASSWORD}
        raw = json.dumps(body).encode()
        device.is_sure = False
        answer = self.call(device, device.token, "POST", f"{DOOR}/session", raw)
        if answer is None or answer.status != 201:
            return "no session"
        device.is_sure = True
        driver = next(
            d for d in self.base.drivers if str(d.pk) == answer.body["driver"]["id"]
        )
        profile = device.profiles.setdefault(driver.pk, profile_of(driver, ""))
        profile.token = answer.body["session_token"]
        device.driver_id = driver.pk
        return f"session of {profile.username}"

    # ── files ───────────────────────────────────────────────────────────────
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
        return f"{device.name} {self._upload(device, file)}"

    def _upload(self, device: Device, file: File) -> str:
        profile = device.profiles[file.driver_id]
        is_current = device.is_sure and file.driver_id == device.driver_id
        token = device.token if is_current else profile.token
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
        return self._patch(device, token, path, file)

    def _patch(self, device: Device, token: str, path: str, file: File) -> str:
        offset, file.offset = file.offset or 0, None
        part = file.content[offset : offset + PART]
        if self.has_faults and self.random.random() < 0.15:
            part = bytes(255 - byte for byte in part)  # damaged on the way
        answer = self._tus(
            device,
            token,
            "PATCH",
            path,
            part,
            Upload_Offset=str(offset),
            Content_Type="application/offset+octet-stream",
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
            must(
                answer.status in {200, 201, 204, 409, 410, 460, 503},
                "evidence is never blocked",
                (method, answer.status, answer.body),
            )

        return self.call(
            device, token, method, path, body, seen, Tus_Resumable="1.0.0", **headers
        )
