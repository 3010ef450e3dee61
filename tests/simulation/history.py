"""One seed, one history: who does what next, what is lost, and who dies over it."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction

from apps.journal.models import Change, FeedHead
from apps.journal.services import _Unit
from apps.sync import handlers, tasks
from apps.sync.models import Attachment, DeviceEvent
from apps.sync.selectors import cursor_of
from tests.simulation.device import (
    Device,
    Profile,
    Row,
)
from tests.simulation.ground import Ground, own_storage
from tests.simulation.settling import settle_quarantine
from tests.simulation.stage import Base
from tests.simulation.telling import Telling
from tests.simulation.uploading import PART
from tests.simulation.watch.invariants import Violation, must

STEPS = 22
SHOWN_STEPS = 25
ROUNDS = 12
"""So many rounds without a fault are enough for everything to drain."""


@dataclass
class Outcome:
    """What became of a history; the same seed gives the same digest."""

    seed: int
    digest: str
    operations: int
    faults: Counter[str]
    violation: str = ""
    invariant: str = ""
    steps: list[str] = field(default_factory=list)


class History(Telling):
    """One history: who does what next, until all has come to rest."""

    def first_page(self, device: Device) -> Row | None:
        if device.driver_id == self.base.drivers[-1].pk:
            return None
        answer = self._page(device, device.profile, 500)
        if answer is None:
            raise AssertionError("Nothing goes wrong in the base.")
        return answer.body

    # ── the run ─────────────────────────────────────────────────────────────
    def run(self, steps: int = STEPS) -> None:
        """Take the steps, ask every invariant after each, and let it all drain.

        Raises:
            Violation: an invariant does not hold.
        """
        self.watch.memory.note_holders()
        self.watch.memory.step_is_over()
        acts = self._acts()
        names, weights = zip(*((a, w) for a, (w, _) in acts.items()), strict=True)
        for _ in range(steps):
            self.ground.pass_ms(self.random.choice((200, 3_000, 60_000, 400_000)))
            name = self.random.choices(names, weights)[0]
            self.step(name, acts[name][1])
        self.has_faults = False
        self._drain()
        settle_quarantine(self.ground)

    def step(self, name: str, act: Callable[[], object]) -> None:
        self.operations += 1
        said = act()
        self.note(f"{name}: {said}" if said else name)
        self.watch.check()

    def _acts(self) -> dict[str, tuple[int, Callable[[], object]]]:
        return {
            "report": (34, self.report),
            "push": (15, self.push),
            "pull": (16, self.pull),
            "upload": (9, self.upload),
            "drive": (2, self.drive),
            "track": (3, self.track),
            "replan": (7, self.replan),
            "think": (2, lambda: self._office(lambda: self.office.think(self.random))),
            "store": (2, lambda: self._office(self.office.store)),
            "cancel": (
                4,
                lambda: self._office(lambda: self.office.cancel(self.random)),
            ),
            "reschedule": (
                1,
                lambda: self._office(lambda: self.office.reschedule(self.random)),
            ),
            "add order": (2, lambda: self._office(self.office.add_order)),
            "work": (6, lambda: self._office(lambda: self.office.work(self.random))),
            "misbehave": (5, self.misbehave),
            "reboot": (2, self.reboot),
            "clock": (2, self.step_clock),
            "signal": (4, self.signal),
            "expire": (2, self.expire),
            "hand over": (2, self.hand_over),
            "hand to and fro": (2, self.hand_to_and_fro),
            "revoke": (1, self.revoke),
            "rebuild feed": (2, self.rebuild_feed),
            "compact": (3, self.compact),
            "abandon": (1, lambda: self._office(self.office.abandon_uploads)),
            "release": (3, lambda: self._office(self.office.release_held)),
        }

    def others(self, device: Device) -> dict[str, Callable[[], object]]:
        """Return whole steps of others, to come between two transactions."""
        return {
            "replan": self.replan,
            "store": lambda: self._office(self.office.store),
            "cancel": lambda: self._office(lambda: self.office.cancel(self.random)),
            "work": lambda: self._office(lambda: self.office.work(self.random)),
            "push": lambda: self._push(device, device.profile),
        }

    # ── what befalls devices ────────────────────────────────────────────────
    def reboot(self) -> str:
        device = self._some()
        device.reboot(loses_anchors=self.random.random() < 0.5)
        return f"{device.name} is {device.boot_id}"

    def step_clock(self) -> str:
        """Set a wall clock: by seconds, or by a day."""
        device = self._some()
        by_ms = self.random.choice((-86_400_000, -60_000, 60_000, 86_400_000))
        device.wall_skew_ms += by_ms
        return f"{device.name} by {by_ms} ms"

    def signal(self) -> str:
        device = self._some()
        device.is_cut_off = not device.is_cut_off
        return f"{device.name} {'lost' if device.is_cut_off else 'found'}"

    def expire(self) -> str:
        device = self._some()
        self.office.expire_sessions(device.id)
        return device.name

    def hand_over(self) -> str:
        """Let another driver take a device over, with the first one's events unsent."""
        device = self._some()
        other = self.random.choice(self.base.drivers)
        return f"{device.name} {self.renew(device, other=other)}"

    def hand_to_and_fro(self) -> str:
        """Let a device go to another driver, back, and to the other one once more.

        Answers are lost, so that it may believe to be in the hands of one who is not
        its driver any more; each of them reports meanwhile, with whatever credential.
        """
        device, said = self._some(), []
        first = next(d for d in self.base.drivers if d.pk == device.driver_id)
        other = self.random.choice([d for d in self.base.drivers if d != first])
        for turn, driver in enumerate((other, first, other)):
            self.loses_answers = turn == 2 or self.random.random() < 0.3
            said.append(self.renew(device, other=driver))
            self.loses_answers = False
            said.append(self._report_one(device))
            for profile in [p for p in device.profiles.values() if p.outbox]:
                if self.random.random() < 0.7:
                    said.append(self._send_all(device, profile))
                    self.watch.check()
        said.append(self._send_as_shown(device))
        self.faults["handed to and fro"] += 1
        return f"{device.name} {'; '.join(said)}"

    def revoke(self) -> str:
        """Take a device out of service, as when it is lost; its driver gets another."""
        in_service = [d for d in self.devices if not self.watch.memory.acts(d.id)]
        device = self.random.choice(in_service)
        if self._others_depend_on(device):
            return f"{device.name} is needed"
        action = self.random.choice(("drain_then_wipe", "wipe"))
        now = self.ground.now()
        self.office.revoke(device.id, action)
        self.watch.memory.revoked[device.id] = (now, action)
        driver = next(d for d in self.base.drivers if d.pk == device.driver_id)
        name = f"d{len(self.devices) + len(self.wiped)}"
        self.devices.append(self.take_in(name, self.office.enrol(driver)))
        self.faults[f"device revoked: {action}"] += 1
        return f"{device.name} {action}, {name} instead"

    def _others_depend_on(self, device: Device) -> bool:
        """Tell whether another device waits for what this one has not said yet."""
        unsaid = {
            row["id"] for p in device.profiles.values() for row in p.outbox.values()
        }
        return any(
            row["depends_on"] in unsaid
            for other in self.devices
            if other is not device
            for profile in other.profiles.values()
            for row in profile.outbox.values()
        )

    def compact(self) -> str:
        """Rid a feed of what has not changed for a while, as it is done after a month."""
        driver = self.random.choice(self.base.drivers)
        keeps = timedelta(minutes=self.random.choice((0, 0, 5, 60)))
        before = self.ground.now() - keeps
        rows = ("scope", "table", "row_id", "deleted", "at")
        for change in self.watch.tables.rows(Change, *rows):
            is_old = change.scope == driver.pk and change.at < before
            if is_old and self._is_over(change.table, change.row_id):
                self.watch.memory.retired.add((driver.pk, change.table, change.row_id))
        self.faults["compaction"] += 1
        return f"{driver.user.username}: {self._office(lambda: self.office.compact(driver.pk, before))}"

    def _is_over(self, table: str, row_id: str) -> bool:
        """Tell what a compaction may retire within the day: what is settled for good."""
        rows = self.watch.tables.rows
        if table == "event_results":
            held = {
                each.pk
                for each in rows(DeviceEvent, "pk", "result")
                if each.result == "held"
            }
            return row_id not in held
        kept = {"stored", "refused"}
        settled = {
            each.pk for each in rows(Attachment, "pk", "status") if each.status in kept
        }
        return table == "attachments" and row_id in settled

    def replan(self) -> object:
        def act() -> str:
            self.office.think(self.random)
            return self.office.store()

        return self._office(act)

    def rebuild_feed(self) -> str:
        """Number a feed anew, as after a restore from a backup: another epoch."""
        # Where something waits to be sent, a reset could lose it.
        waiting = [device for device in self.devices if device.profile.outbox]
        device = self.random.choice(waiting or self.devices)
        driver = next(d for d in self.base.drivers if d.pk == device.driver_id)
        with transaction.atomic():
            changes = Change.objects.filter(scope=driver.pk)
            changes.filter(deleted=True).delete()
            changes.update(number=1)
            feed = FeedHead.objects.filter(pk=driver.pk).first()
            if feed is None:
                return "nothing"
            feed.epoch, feed.head, feed.horizon = feed.epoch + 1, 1, 0
            feed.save()
        return f"{driver.user.username} epoch {feed.epoch}; {self._pull(device)}"

    # ── the end ─────────────────────────────────────────────────────────────
    def _drain(self) -> None:
        """Let the weather clear: everything must come to rest, on every device."""
        for device in self.devices:
            device.is_cut_off = False
        while self.office.thoughts:
            self.step("last store", self.office.store)
        for turn in range(ROUNDS):
            self.ground.pass_ms(60_000)
            for device in [*self.devices]:
                if not self._has_said_all(device):
                    self.step(f"say {turn}", partial(self._say, device))
            self.ground.pass_ms(60_000 * settings.SYNC_HOLD_MINUTES)
            self.step("release what is held", tasks.release_held)
            self.step("drain the queue", self.office.work_all)
            for device in [*self.devices]:
                if not device.is_draining:
                    self.step(f"hear {turn}", partial(self._hear, device))
            if all(self._is_at_rest(device) for device in self.devices):
                break
        self.watch.has_drained(self.devices)

    def _has_said_all(self, device: Device) -> bool:
        """Tell whether everything of a device has come: events, fixes, and files."""
        profiles = device.profiles.values()
        is_said = not any(profile.outbox or profile.fixes for profile in profiles)
        return is_said and all(self._is_there(f) for f in device.files.values())

    def _is_at_rest(self, device: Device) -> bool:
        """Tell whether a device has said all, and heard all, for each of its drivers."""
        is_heard = device.is_draining or not any(
            self._is_behind(profile) for profile in device.profiles.values()
        )
        files = device.files.values()
        is_safe = device.is_draining or all(file.is_deleted for file in files)
        return is_heard and is_safe and self._has_said_all(device)

    def _is_behind(self, profile: Profile) -> bool:
        """Tell whether a feed has gone on since a device pulled it: by `hello`'s cursor."""
        rows = self.watch.tables.rows(FeedHead, "pk", "epoch", "head")
        heads = {row.pk: cursor_of(row.epoch, row.head) for row in rows}
        return profile.cursor != heads.get(profile.driver_id)

    def _say(self, device: Device) -> str:
        for profile in device.profiles.values():
            if profile.outbox:
                self._send_all(device, profile)
            if profile.fixes:
                self.send_fixes(device, profile)
        for file in device.files.values():
            for _ in range(len(file.content) // PART + 6):
                if self._is_there(file):
                    break
                self._upload(device, file)
        return device.name

    def _hear(self, device: Device) -> str:
        """Let every driver who has used a device look at it once more."""
        for driver_id in sorted(device.profiles, key=lambda d: d == device.driver_id):
            if device.is_draining or not self._is_behind(device.profiles[driver_id]):
                continue
            if driver_id != device.driver_id:
                driver = next(d for d in self.base.drivers if d.pk == driver_id)
                self.renew(device, other=driver)
            if "has no session" in self._pull(device):
                self._pull(device)
        for file in device.files.values():
            if not (file.is_deleted or device.is_draining):
                file.offset = None  # not stored yet: ask how far it is
        return f"{device.name} at {device.profile.cursor}"


def lay(ground: Ground) -> Base:
    """Make the day; every device has it but the one without a shift, that never pulled."""
    base = Base(ground)
    history = History(base, 0)
    history.has_faults = False
    history.watch.memory.note_holders()
    base.day = [history.first_page(each) for each in history.devices]
    base.at = ground.at
    return base


@contextmanager
def seams(history: History) -> Iterator[None]:
    """Put the history's own eyes and hands where the server gives way to them."""
    saboteur = history.saboteur

    def fails(handler: Any) -> Any:
        def judged(report: Any, journal: Any) -> Any:
            verdict = handler(report, journal)
            saboteur.handler_fails()
            return verdict

        return judged

    lock = _Unit.lock

    def ordered(unit: _Unit, scopes: Any, now: Any) -> None:
        lock(unit, scopes, now)
        held = list(unit.locked)
        must(held == sorted(held), "locks are taken in one order", held)

    with ExitStack() as stack:
        failing = {kind: fails(each) for kind, each in handlers.HANDLERS.items()}
        stack.enter_context(mock.patch.object(handlers, "HANDLERS", failing))
        stack.enter_context(mock.patch.object(_Unit, "lock", ordered))
        stack.enter_context(connection.execute_wrapper(history.statement))
        yield


def run(base: Base, seed: int, steps: int = STEPS) -> Outcome:
    """Run one seed's history, and put the day back as it was."""
    cache.clear()
    with transaction.atomic(), own_storage():
        history = History(base, seed)
        violation = invariant = ""
        try:
            with seams(history):
                history.run(steps)
        except Violation as found:
            violation, invariant = str(found), found.name
        transaction.set_rollback(True)
    return Outcome(
        seed,
        history.digest.hexdigest(),
        history.operations,
        history.faults,
        violation,
        invariant,
        history.steps,
    )
