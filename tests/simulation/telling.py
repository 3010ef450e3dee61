"""What drivers write down, and what a faulty app sends."""

import json

from tests.simulation.carrying import Carrying
from tests.simulation.device import (
    AFTER,
    DOOR,
    PAYLOADS,
    Answer,
    Device,
    File,
    Made,
    Profile,
)
from tests.simulation.watch import must


class Telling(Carrying):
    """Reports as the device shows the day, and misbehaviour."""

    # ── what drivers do ─────────────────────────────────────────────────────
    def report(self) -> str:
        """Let a driver write something down, as the device shows the day."""
        device = self._some()
        kind = self.random.choices(
            ("stop", "note", "shift", "road", "status", "plan", "correct"),
            (60, 6, 8, 3, 3, 10, 3),
        )[0]
        made = getattr(self, f"_report_{kind}")(device)
        made = made or self._report_status(device)
        if self.has_faults and self.random.random() < 0.03:
            # The device dies before the fact is written down: there is no fact.
            device.made.pop()
            del device.profile.outbox[made.id]
            device.seq -= 1
            return f"{device.name} died before writing"
        self.watch.wrote(made)
        self._settle_steps(device, made)
        return f"{device.name} {made.row['kind']} {made.id} seq {made.row['seq']}"

    def _settle_steps(self, device: Device, made: Made) -> None:
        step = str(made.row["kind"]).removeprefix("stop.")
        if step == "note" or not str(made.row["kind"]).startswith("stop."):
            return
        shown = "pending" if step == "reopened" else step
        device.profile.steps[str(made.row["stop_id"])] = shown

    def _stop_of(self, device: Device) -> str:
        stops = sorted(device.profile.tables.get("stops", {}))
        # Where several have had a stop, their reports may meet.
        contested = [stop for stop in stops if len(self.watch.ever[stop]) > 1]
        if contested and self.random.random() < 0.5:
            stops = contested
        return self.random.choice(stops) if stops else ""

    def _report_stop(self, device: Device) -> Made | None:
        stop_id, profile = self._stop_of(device), device.profile
        steps = AFTER.get(profile.status_of(stop_id), ()) if stop_id else ()
        if not steps:
            return None
        step = self.random.choice(steps)
        payload = dict(PAYLOADS.get(step, {}))
        file: File | None = None
        if step in {"succeeded", "partial"} and self.random.random() < 0.5:
            file = device.photograph(self.random, stop_id)
            self.watch.took(file)
            payload["attachments"] = [file.proof()]
        if self.random.random() < 0.05 and device.files:
            # A faulty app claims a file that proves another stop.
            other = self.random.choice(list(device.files.values()))
            payload.setdefault("attachments", []).append(other.proof())
        depends_on = ""
        if profile.outbox and self.random.random() < 0.1:
            depends_on = next(reversed(profile.outbox))
        made = device.write(
            self.random,
            f"stop.{step}",
            stop_id,
            payload,
            depends_on=depends_on,
            is_legal=self._is_alone(device, stop_id),
        )
        if file is not None:
            file.event_id = made.id
        return made

    def _is_alone(self, device: Device, stop_id: str) -> bool:
        """Tell whether no other device of this driver has spoken of the stop."""
        return all(
            made.row["stop_id"] != stop_id
            for other in self.devices
            if other is not device
            for made in other.made
            if made.driver_id == device.driver_id
        )

    def _report_note(self, device: Device) -> Made | None:
        stop_id = self._stop_of(device)
        payload = {"note": "Mind the dog"}
        return (
            device.write(self.random, "stop.note", stop_id, payload)
            if stop_id
            else None
        )

    def _report_shift(self, device: Device) -> Made:
        kinds = ("shift.started", "shift.paused", "shift.ended")
        kind = self.random.choices(kinds, (6, 3, 1))[0]
        return device.write(self.random, kind)

    def _report_road(self, device: Device) -> Made:
        place = {"lat": 49.5 + self.random.randrange(99) / 1000, "lon": 11.28}
        payload = {"reason": "traffic", **place}
        return device.write(self.random, "exception.reported", "", payload)

    def _report_status(self, device: Device) -> Made:
        return device.write(self.random, "device.status", "", {"unsent": 1})

    def _report_plan(self, device: Device) -> Made | None:
        rows = device.profile.tables.get("plan_changes", {}).values()
        new = sorted(row["id"] for row in rows if row["acknowledged_at"] is None)
        if not new:
            return None
        return device.write(self.random, "plan.acknowledged", "", {"change_id": new[0]})

    def _report_correct(self, device: Device) -> Made | None:
        mine = [made for made in device.made if made.driver_id == device.driver_id]
        if not mine:
            return None
        wrong = self.random.choice(mine)
        payload = {"corrects": wrong.id, "kind": "stop.failed", "payload": {}}
        return device.write(self.random, "event.corrected", "", payload)

    def misbehave(self) -> str:
        """Let a faulty app send what no app should."""
        device = self._some()
        profile = device.profile
        first = self.watch.first
        known = [
            m for m in device.made if m.id in first and m.driver_id == device.driver_id
        ]
        kind = self.random.choice(("clash", "write", "delete", "foreign"))
        body = device.push_body([])
        if kind == "clash" and known:
            row = self.random.choice(known).row
            body["changes"]["events"]["created"] = [row | {"depends_on": "another"}]
        elif kind == "delete" and known:
            body["changes"]["events"]["deleted"] = [self.random.choice(known).id]
        elif kind == "write":
            return self._write_ours(device, profile)
        elif kind == "foreign":
            return self._report_foreign(device)
        else:
            return f"{device.name} behaves"
        return f"{device.name} {kind} {self._send_body(device, profile, body)}"

    def _write_ours(self, device: Device, profile: Profile) -> str:
        stop_id = self._stop_of(device)
        if not stop_id:
            return f"{device.name} behaves"
        shown = profile.tables["stops"][stop_id]
        row = shown | {"status": "succeeded"}
        body = device.push_body([])
        body["changes"]["stops"] = {"created": [], "updated": [row], "deleted": []}
        # The app shows what it wrote until the next pull brings the truth.
        profile.tables["stops"][stop_id] = row
        before = self.watch.first.copy()
        answered: list[bool] = []

        def seen(answer: Answer, hit: str) -> None:
            self.watch.push_answered(device, profile.driver_id, body, answer, hit)
            answered.append(answer.status == 200)

        raw = json.dumps(body).encode()
        self.call(device, profile.token, "POST", f"{DOOR}/push", raw, seen)
        if not any(answered):
            profile.tables["stops"][stop_id] = shown
        must(before == self.watch.first, "every row is answered once")
        return f"{device.name} wrote to stops: {answered}"

    def _report_foreign(self, device: Device) -> str:
        """Report a stop that the driver was never given."""
        mine = device.driver_id
        foreign = sorted(s for s, who in self.watch.ever.items() if mine not in who)
        if not foreign:
            return f"{device.name} behaves"
        stop_id = self.random.choice(foreign)
        made = device.write(self.random, "stop.succeeded", stop_id, {}, is_legal=False)
        self.watch.wrote(made)
        return f"{device.name} reports {stop_id}, never given, as {made.id}"
