"""Where devices were, told apart from the queue of their events."""

import json
from itertools import groupby

from apps.sync.tracks import write_column
from tests.simulation.device import DOOR, Answer, Device, Fix, Profile, Row
from tests.simulation.uploading import Uploading
from tests.simulation.watch.invariants import must

FIRST_LAT_E6 = 49_000_000
"""Where the first fix of a history lies; every other one is a little further north."""


class Tracking(Uploading):
    """Drives about, and sends the fixes as unsurely as all else."""

    def drive(self) -> str:
        """Let a device note some places, a few seconds apart."""
        device = self._some()
        for _ in range(self.random.randint(2, 6)):
            self.ground.pass_ms(self.random.choice((1_000, 5_000)))
            lat_e6 = FIRST_LAT_E6 + len(self.watch.memory.fixes)
            fix = device.locate(lat_e6, self.random.randrange(11_000_000, 12_000_000))
            self.watch.memory.fixes[lat_e6] = fix
        return f"{device.name} has {len(device.profile.fixes)} fixes"

    def track(self) -> str:
        """Send the fixes of some device."""
        full = [
            (device, profile)
            for device in self.devices
            for profile in device.profiles.values()
            if profile.fixes
        ]
        if not full:
            return "no fix waits"
        device, profile = self.random.choice(full)
        return f"{device.name} {self.send_fixes(device, profile)}"

    def send_fixes(self, device: Device, profile: Profile) -> str:
        """Send what a driver's profile has: newest first, some of it again."""
        sent = list(profile.fixes)
        if self.has_faults and self.random.random() < 0.5:
            sent = sent[len(sent) // 2 :]
        has_wall = not self.has_faults or self.random.random() < 0.7
        body = self._tracks(device, sent, has_wall=has_wall)

        def seen(answer: Answer, hit: str) -> None:
            if answer.status != 200:
                return
            said = answer.body
            counted = ("stored", "repeated", "outside_shift", "undated")
            total = sum(said[name] for name in counted)
            must(total == len(sent), "every fix is answered once", said)
            if said["outside_shift"] == said["undated"] == 0:
                self.watch.positions.acknowledged |= {fix.lat_e6 for fix in sent}

        raw = json.dumps(body).encode()
        token = profile.token
        answer = self.call(device, token, "POST", f"{DOOR}/positions", raw, seen)
        if answer is not None and answer.status == 403:
            return self.obey(device, answer)
        if answer is None or answer.status != 200:
            return f"sent {len(sent)} fixes: {answer.status if answer else 'no answer'}"
        if answer.body["undated"] == 0 and self.random.random() < 0.8:
            profile.fixes = [fix for fix in profile.fixes if fix not in sent]
        return f"sent {len(sent)} fixes: {answer.body['stored']} are new"

    def _tracks(self, device: Device, fixes: list[Fix], *, has_wall: bool) -> Row:
        tracks = []
        for boot_id, run in groupby(fixes[::-1], key=lambda fix: fix.boot_id):
            some = list(run)
            columns = ("mono_ms", "lat_e6", "lon_e6")
            track: Row = {
                name: write_column([getattr(fix, name) for fix in some])
                for name in columns
            }
            track |= {"boot_id": boot_id}
            if has_wall:
                track |= {"wall_ms": some[0].wall_ms}
            tracks.append(track)
        return {"tracks": tracks, "device": {"anchors": device.anchors}}
