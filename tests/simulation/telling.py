"""What drivers write down, and what a faulty app sends."""

import json
from typing import Any

from apps.feedback.models import Survey
from apps.recommendations.models import Recommendation
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
from tests.simulation.tracking import Tracking
from tests.simulation.watch.answers import Sent
from tests.simulation.watch.invariants import must

MEANT: dict[str, dict[str, Any]] = {
    "stop.succeeded": {},
    "stop.failed": {"reason": "closed"},
    "stop.note": {"note": "It was another stop"},
}
"""What a correction puts instead, by the kind that it means."""


class Telling(Tracking):
    """Reports as the device shows the day, and misbehaviour."""

    # ── what drivers do ─────────────────────────────────────────────────────
    def report(self) -> str:
        """Let a driver write some things down, as the device shows the day."""
        device = self._some()
        said = [self._report_one(device) for _ in range(self.random.randint(1, 3))]
        waits = [file for file in device.files.values() if not file.location]
        if waits and self.random.random() < 0.5:
            said.append(self._upload(device, waits[0]))  # a file may come first
        return f"{device.name} {'; '.join(said)}"

    def _report_one(self, device: Device) -> str:
        kind = self.random.choices(
            ("stop", "note", "shift", "road", "status", "plan", "correct", "words"),
            (60, 6, 8, 3, 3, 10, 3, 8),
        )[0]
        made = getattr(self, f"_report_{kind}")(device)
        made = made or self._report_status(device)
        if self.has_faults and self.random.random() < 0.04:
            return self._die_writing(device, made)
        self.watch.memory.wrote(made)
        self._settle_steps(device, made)
        return f"{made.row['kind']} {made.id} seq {made.row['seq']}"

    def _die_writing(self, device: Device, made: Made) -> str:
        """Let the device die before the fact is written down: there is no fact.

        Its number may be taken already: then a gap stays for ever.
        """
        device.made.pop()
        del device.profile.outbox[made.id]
        device.lost.append(made.id)
        if self.random.random() < 0.5:
            self.faults["number lost for ever"] += 1
            return f"died writing seq {made.row['seq']}"
        device.seq -= 1
        self.faults["device died before writing"] += 1
        return "died before writing"

    def _settle_steps(self, device: Device, made: Made) -> None:
        step = str(made.row["kind"]).removeprefix("stop.")
        if step == "note" or not str(made.row["kind"]).startswith("stop."):
            return
        shown = "pending" if step == "reopened" else step
        device.profile.steps[str(made.row["stop_id"])] = shown

    def _stop_of(self, device: Device) -> str:
        stops = sorted(device.profile.tables.get("stops", {}))
        # Where several have had a stop, their reports may meet.
        contested = [stop for stop in stops if len(self.watch.memory.ever[stop]) > 1]
        if contested and self.random.random() < 0.7:
            stops = contested
        return self.random.choice(stops) if stops else ""

    def _report_stop(self, device: Device) -> Made | None:
        stop_id, profile = self._stop_of(device), device.profile
        steps = AFTER.get(profile.status_of(stop_id), ()) if stop_id else ()
        if not steps:
            return None
        weights = [4 if step == "succeeded" else 1 for step in steps]
        [step] = self.random.choices(steps, weights)
        payload = dict(PAYLOADS.get(step, {}))
        file: File | None = None
        if step in {"succeeded", "partial"} and self.random.random() < 0.8:
            file = device.photograph(self.random, stop_id)
            self.watch.memory.files[file.id] = file
            payload["attachments"] = [file.proof()]
        if self.random.random() < 0.15 and device.files:
            # A faulty app claims a file that proves another stop.
            other = self.random.choice(list(device.files.values()))
            payload.setdefault("attachments", []).append(other.proof())
        chance = 0.7 if device.lost else 0.25
        depends_on = self._base_of(device) if self.random.random() < chance else ""
        made = device.write(
            self.random,
            f"stop.{step}",
            stop_id,
            payload,
            depends_on=depends_on,
            is_legal=device.fits_own_log(stop_id, step),
        )
        if file is not None:
            file.event_id = made.id
        return made

    def _base_of(self, device: Device) -> str:
        """Return an event that a report may depend on, of another device of theirs too.

        Where the device died over one before, it may be that one, which never comes.
        """
        if device.lost and self.random.random() < 0.5:
            self.faults["dependency never comes"] += 1
            return self.random.choice(device.lost)
        others = [
            event_id
            for other in self.devices
            if other is not device and not self.watch.memory.acts(other.id)
            for driver_id, profile in other.profiles.items()
            if driver_id == device.driver_id
            for event_id in profile.outbox
        ]
        if others and self.random.random() < 0.5:
            return self.random.choice(others)
        return next(reversed(device.profile.outbox), "")

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
        kind = self.random.choice((*MEANT, str(wrong.row["kind"])))
        payload = {"corrects": wrong.id, "kind": kind, "payload": MEANT.get(kind, {})}
        return device.write(self.random, "event.corrected", "", payload)

    def _report_words(self, device: Device) -> Made:
        """Ask for another plan, say what one thinks of it, or answer a survey."""
        kind = self.random.choice(("override", "override", "feedback", "survey"))
        if kind == "survey":
            asked = Survey.objects.get(key="plan-change")
            answers = {"survey_id": str(asked.pk), "answers": {"good": 4}}
            return device.write(self.random, "survey.answered", "", answers)
        if kind == "override":
            payload = {"action": "skip_stop", "reason": "closed"}
            stop_id = self._stop_of(device)
            return device.write(self.random, "override.requested", stop_id, payload)
        plans = self.watch.tables.rows(Recommendation, "pk")
        about = str(self.random.choice(plans).pk)
        opinion = {"recommendation_id": about, "rating": 2}
        return device.write(self.random, "feedback.given", "", opinion)

    def misbehave(self) -> str:
        """Let a faulty app send what no app should."""
        device = self._some()
        profile = device.profile
        first = self.watch.memory.first
        known = [
            m for m in device.made if m.id in first and m.driver_id == device.driver_id
        ]
        kind = self.random.choice(
            ("clash", "write", "delete", "foreign", "pose", "pose")
        )
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
        elif kind == "pose" and profile.outbox:
            return self._pose(device, profile)
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
        before = self.watch.memory.first.copy()
        answered: list[bool] = []
        sent = Sent(device, profile.driver_id, body)

        def seen(answer: Answer, hit: str) -> None:
            self.watch.answers.hear(sent, answer, hit)
            answered.append(answer.status == 200)

        raw = json.dumps(body).encode()
        self.call(device, profile.token, "POST", f"{DOOR}/push", raw, seen)
        if not any(answered):
            profile.tables["stops"][stop_id] = shown
        must(before == self.watch.memory.first, "every row is answered once")
        return f"{device.name} wrote to stops: {answered}"

    def _report_foreign(self, device: Device) -> str:
        """Report a stop that the driver was never given."""
        mine = device.driver_id
        foreign = sorted(
            s for s, who in self.watch.memory.ever.items() if mine not in who
        )
        if not foreign:
            return f"{device.name} behaves"
        stop_id = self.random.choice(foreign)
        made = device.write(self.random, "stop.succeeded", stop_id, {}, is_legal=False)
        self.watch.memory.wrote(made)
        return f"{device.name} reports {stop_id}, never given, as {made.id}"

    def _pose(self, device: Device, profile: Profile) -> str:
        """Name a driver who never was on this device: the sender counts all the same."""
        strangers = [d.pk for d in self.base.drivers if d.pk not in device.asked]
        if not strangers:
            return f"{device.name} behaves"
        named = {"driver_id": str(self.random.choice(strangers))}
        rows = [row | named for row in profile.outbox.values()]
        body = device.push_body(rows)
        return f"{device.name} poses: {self._send_body(device, profile, body)}"
