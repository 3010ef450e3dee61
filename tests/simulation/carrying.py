"""What devices carry to the server and back: events, tables, sessions."""

import json
from collections import Counter

from apps.drivers.models import Driver
from apps.sync.models import InboxHead
from apps.sync.schema import SCHEMA_VERSION
from tests.simulation.device import (
    DOOR,
    Answer,
    Device,
    Profile,
    Row,
)
from tests.simulation.office import PASSWORD
from tests.simulation.stage import Stage, profile_of
from tests.simulation.watch.answers import Sent
from tests.simulation.watch.invariants import Violation, must


class Carrying(Stage):
    """Pushes, pulls and renewals, each as unsure as the way is."""

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
        if len(device.profiles) > 1 and self.random.random() < 0.5:
            profile, rows = device.profile, self._of_all(device)
        if self.has_faults:
            rows = self._disturbed(device, profile, rows)
        return f"{device.name} {self._send(device, profile, rows)}"

    def _of_all(self, device: Device) -> list[Row]:
        """Return what a device holds of all its drivers; those of before are named."""
        return [
            row
            if driver_id == device.driver_id
            else {**row, "driver_id": str(driver_id)}
            for driver_id, profile in device.profiles.items()
            for row in profile.outbox.values()
        ]

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
        rows = _with_what_comes_again(device, rows)
        if chance() < 0.4:
            self.random.shuffle(rows)
        return rows

    def _send(self, device: Device, profile: Profile, rows: list[Row]) -> str:
        body = device.push_body(rows)
        return self._send_body(device, profile, body)

    def _send_all(self, device: Device, profile: Profile) -> str:
        return self._send(device, profile, list(profile.outbox.values()))

    def _send_as_shown(self, device: Device) -> str:
        """Send what the driver made for whom the device's own credential acts, with it."""
        if device.shown_id is None:
            return "cannot know whose its credential is"
        profile = device.profiles[device.shown_id]
        body = device.push_body(list(profile.outbox.values()))
        return self._send_body(device, profile, body, device.token)

    def _note_asked(self, device: Device) -> None:
        """Where the server died after its commit, its wait has begun without an answer."""
        for head in self.watch.tables.rows(InboxHead, "pk", "asked_again"):
            if head.pk == device.id:
                for event_id in head.asked_again:
                    self.watch.memory.asked_again.setdefault(event_id, device.now())

    def _send_body(
        self, device: Device, profile: Profile, body: Row, token: str = ""
    ) -> str:
        is_shown = profile.driver_id == device.shown_id
        if not token and is_shown and self.random.random() < 0.3:
            token = device.token
        token = token or profile.token
        rows = body["changes"]["events"]["created"]
        for row in rows:
            self.watch.memory.made[row["id"]].pushes += 1
        sent = Sent(device, profile.driver_id, body)

        def seen(answer: Answer, hit: str) -> None:
            self.watch.answers.hear(sent, answer, hit)
            if answer.status == 200:
                self._expect_mono(body)

        raw = json.dumps(body).encode()
        answer = self.call(device, token, "POST", f"{DOOR}/push", raw, seen)
        if answer is None:
            self._note_asked(device)
        if answer is None or answer.status != 200:
            if answer is not None and answer.status == 403:
                self.obey(device, answer)
            return f"pushed {len(rows)}: {answer.status if answer else 'no answer'}"
        if self.has_faults and self.random.random() < 0.04:
            self.faults["device died before noting the answer"] += 1
            return f"pushed {len(rows)}: died before noting the answer"
        said = Counter(f"{r['result']}/{r['code']}" for r in answer.body["results"])
        self._note_answers(device, answer)
        return f"pushed {len(rows)}: {dict(sorted(said.items()))}"

    def _note_answers(self, device: Device, answer: Answer) -> None:
        """Keep what is to be sent again, and be done with all else."""
        for result in answer.body["results"]:
            if result["table"] != "events":
                continue
            made = self.watch.memory.made[result["id"]]
            if result["result"] == "retry":
                device.again.add(made.id)
            elif made.driver_id in device.profiles:
                device.profiles[made.driver_id].outbox.pop(made.id, None)

    def _expect_mono(self, body: Row) -> None:
        boots = {anchor["boot_id"] for anchor in body["device"]["anchors"]}
        for row in body["changes"]["events"]["created"]:
            if row["boot_id"] in boots and row["id"] not in self.watch.memory.events:
                self.watch.memory.expects_mono.add(row["id"])

    # ── pull ────────────────────────────────────────────────────────────────
    def pull(self) -> str:
        device = self._some()
        return f"{device.name} {self._pull(device)}"

    def _pull(self, device: Device) -> str:
        profile = device.profile
        # Pages are cut while things go wrong; at the end they only have to come.
        limit = self.random.choice((1, 2, 3, 5, 500)) if self.has_faults else 500
        for pages in range(1, 200):
            answer = self._page(device, profile, limit)
            if answer is None or answer.status == 503:
                return f"pulled page {pages}: no answer"
            if answer.status == 403:
                return self.obey(device, answer)
            if answer.status == 401:
                return f"has no session: {self.renew(device)}"
            if self.has_faults and self.random.random() < 0.04:
                self.faults["device died before keeping a page"] += 1
                return f"died before keeping page {pages}"
            if answer.body.get("reset"):
                self.faults["reset"] += 1
            profile.merge(answer.body)
            for file in device.files.values():
                row = profile.tables.get("attachments", {}).get(file.id, {})
                file.is_deleted |= row.get("status") == "stored"
            if not answer.body["has_more"]:
                if not self.office.is_behind():
                    self.watch.views.is_complete(profile)
                return f"pulled to {profile.cursor} in {pages}"
        raise Violation("everything drains", "a pull has no end")

    def _page(self, device: Device, profile: Profile, limit: int) -> Answer | None:
        since = "null" if profile.number is None else profile.number
        path = f"{DOOR}/pull?last_pulled_at={since}&limit={limit}&schema_version={SCHEMA_VERSION}"
        if profile.cursor:
            path += f"&cursor={profile.cursor}"

        def seen(answer: Answer, hit: str) -> None:
            self.watch.views.page(device, profile, limit, answer, hit)

        return self.call(device, profile.token, "GET", path, b"", seen)

    def renew(self, device: Device, *, other: Driver | None = None) -> str:
        """Open a session with the device's own credential."""
        body = {}
        if other is not None:
            body = {"username": other.user.username, "password": PASSWORD}
            device.asked.add(other.pk)
        raw = json.dumps(body).encode()
        answer = self.call(device, device.token, "POST", f"{DOOR}/session", raw)
        if answer is not None and answer.status == 403:
            return self.obey(device, answer)
        if answer is None or answer.status != 201:
            return "no session"
        driver = next(
            d for d in self.base.drivers if str(d.pk) == answer.body["driver"]["id"]
        )
        profile = device.profiles.setdefault(driver.pk, profile_of(driver, ""))
        profile.token = answer.body["session_token"]
        device.given(profile.token, driver.pk)
        device.driver_id = driver.pk
        if other is None:
            device.shown_id = driver.pk  # whoever goes on was known to both
        return f"session of {profile.username}"

    # ── out of service ──────────────────────────────────────────────────────
    def obey(self, device: Device, answer: Answer) -> str:
        """Do what a device is told that has lost our trust: drain, then wipe; or wipe."""
        action = answer.body["action"]
        told = self.watch.memory.acts(device.id)
        must(action == told, "a revoked device hears what to do", (action, told))
        if action == "wipe":
            self.wipe(device)
        device.is_draining = True
        return f"was told to {action}"

    def wipe(self, device: Device) -> None:
        """Let a device forget all that it holds."""
        if device in self.devices:
            self.devices.remove(device)
            self.wiped.append(device)


def _with_what_comes_again(device: Device, rows: list[Row]) -> list[Row]:
    """Leave out the reports of stops that follow one which is to be sent again, and is not."""
    sent = {row["id"] for row in rows}
    waits = [
        row
        for profile in device.profiles.values()
        for row in profile.outbox.values()
        if row["id"] in device.again - sent
    ]
    return [
        row
        for row in rows
        if not any(
            row["stop_id"] == other["stop_id"] and other["seq"] < row["seq"]
            for other in waits
            if other["stop_id"]
        )
    ]
