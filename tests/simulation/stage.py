"""Where a history plays: the day, its devices, and the perilous way to the server."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from django.db import OperationalError
from django.test import Client

from apps.drivers.models import Driver
from apps.drivers.services import Enrolled
from tests.simulation.device import (
    Answer,
    Device,
    Profile,
    Row,
)
from tests.simulation.faults import AFTER, BEFORE, Crash, Saboteur
from tests.simulation.ground import BEGINNING, Ground
from tests.simulation.office import DRIVERS, ORDERS, Office, make_depot
from tests.simulation.watch.invariants import must
from tests.simulation.watch.watch import Watch

FAULTS = (BEFORE, AFTER, "busy", "bug", *("between",) * 3)


class Base:
    """The day as every history finds it: made once, put back after each."""

    def __init__(self, ground: Ground) -> None:
        ground.begin(0, BEGINNING)
        random = Random(0)  # noqa: S311 (repeatable)
        self.ground = ground
        self.depot = make_depot()
        self.office = Office(ground, self.depot.pk)
        # The last driver has no shift: the feed has not been told anything.
        self.drivers = [
            self.office.hire(number, with_shift=number < DRIVERS)
            for number in range(DRIVERS + 1)
        ]
        for _ in range(ORDERS):
            self.office.add_order()
        self.office.plan_first_day(random)
        carriers = [*self.drivers, self.drivers[0]]
        self.day: list[Row | None] = []
        self.enrolled = [self.office.enrol(driver) for driver in carriers]
        self.at = ground.at


class Stage(ABC):
    """Chance, devices, the watch over them, and the way between them and the server."""

    def __init__(self, base: Base, seed: int) -> None:
        base.ground.begin(seed + 1, base.at)
        self.ground = base.ground
        self.random = Random(seed)  # noqa: S311 (one seed, one history)
        self.office = Office(base.ground, base.depot.pk)
        self.office.orders_made = base.office.orders_made
        self.base = base
        self.watch = Watch()
        self.saboteur = Saboteur()
        self.client = Client(raise_request_exception=False)
        self.has_faults = True
        self.is_nested = False
        self.loses_answers = False
        self.operations = 0
        self.faults: Counter[str] = Counter()
        self.digest = hashlib.sha256()
        self.steps: list[str] = []
        self.devices = [self._device(n) for n in range(len(base.enrolled))]
        self.wiped: list[Device] = []

    def _device(self, number: int) -> Device:
        page = self.base.day[number] if self.base.day else None
        return self.take_in(f"d{number}", self.base.enrolled[number], page)

    def take_in(self, name: str, enrolled: Enrolled, page: Row | None = None) -> Device:
        """Return a device that was enrolled just now, with its first page if any."""
        driver = enrolled.session.driver
        profile = profile_of(driver, enrolled.session.token)
        if page is not None:
            profile.merge(page)
        device = Device(
            name=name,
            id=enrolled.device.pk,
            token=enrolled.device_token,
            now=self.ground.now,
            profiles={driver.pk: profile},
            driver_id=driver.pk,
            drift_ppm=self.random.randint(-40, 40),
            wall_skew_ms=self.random.randint(-600_000, 600_000),
            booted_at=self.ground.now(),
            shown_id=driver.pk,
            asked={driver.pk},
        )
        device.given(enrolled.session.token, driver.pk)
        return device

    # ── writing the history down ────────────────────────────────────────────
    def note(self, text: str) -> None:
        line = f"{self.operations:4} {self.ground.at:%H:%M:%S} {text}"
        self.digest.update(line.encode())
        self.steps.append(line)

    def statement(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Let the watch hear what a step writes to."""
        done = execute(sql, params, many, context)
        self.watch.tables.heard(sql)
        return done

    def _some(self) -> Device:
        """Return some device that a driver works with."""
        return self.random.choice([d for d in self.devices if not d.is_draining])

    # ── the way between device and server ───────────────────────────────────
    @contextmanager
    def _endangered(self) -> Iterator[None]:
        """Let something go wrong in what the server does inside, now and then."""
        if self.is_nested:
            yield
            return
        if self.has_faults and self.random.random() < 0.3:
            kind = self.random.choice(FAULTS)
            act = self._interloper() if kind == "between" else None
            within = self.random.choice((8, 16, 45))
            self.saboteur.arm(kind, self.random.randint(1, within), act)
        try:
            with self.saboteur.watching():
                yield
        finally:
            if self.saboteur.struck:
                self.faults[self.saboteur.struck] += 1

    def _interloper(self) -> Callable[[], None]:
        """Return another's whole step, to come between two transactions."""
        name = self.random.choice(
            ("replan", "replan", "cancel", "push", "work", "store")
        )
        device = self._some()
        acts = self.others(device)

        def act() -> None:
            self.is_nested = True
            try:
                said = acts[name]()
            finally:
                self.is_nested = False
            self.note(f"  meanwhile {name}: {said}")
            self.watch.memory.note_holders()

        return act

    @abstractmethod
    def others(self, device: Device) -> dict[str, Callable[[], object]]:
        """Return what others may do in between, by name."""

    def _office(self, act: Callable[[], object]) -> object:
        try:
            with self._endangered():
                return act()
        except Crash:
            return "crashed"
        except OperationalError:
            return "database error"

    def call(  # noqa: PLR0917
        self,
        device: Device,
        token: str,
        method: str,
        path: str,
        body: bytes = b"",
        seen: Callable[[Answer, str], None] | None = None,
        **headers: str,
    ) -> Answer | None:
        """Send a request; None where no answer came back to the device.

        `seen` hears every answer that the server gave, lost ones too.
        """
        chance = self.random.random() if self.has_faults else 1.0
        shown = device.shows(token)
        if device.is_cut_off or chance < 0.05:
            self.faults["request lost"] += 1
            return None
        sent_ms = device.mono_ms()
        answer = None
        for _ in range(2 if chance < 0.1 else 1):
            self.ground.pass_ms(self.random.choice((20, 40, 900)))
            answer = self._serve(token, method, path, body, headers)
            hit = "" if self.is_nested else self.saboteur.struck
            if answer is not None and seen is not None:
                seen(answer, hit)
        self.ground.pass_ms(self.random.choice((20, 40, 900)))
        is_lost = self.loses_answers or self.random.random() < 0.08
        if answer is None or (self.has_faults and is_lost):
            self.faults["answer lost"] += 1
            return None
        if shown is not None and answer.status < 400:
            device.has_shown(shown)
        if "server_time" in answer.body:
            device.keep_anchor(sent_ms, answer.body["server_time"])
        return answer

    def _serve(
        self, token: str, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> Answer | None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = given.pop("Content-Type", "application/json")
        given["Authorization"] = f"Token {token}"
        try:
            with self._endangered():
                response = self.client.generic(
                    method, path, body, content_type=kind, headers=given
                )
        except Crash:
            self.note(f"  {method} {path[:60]} crashed")
            return None
        content = response.content
        is_json = response.headers.get("Content-Type", "").endswith("json")
        answer = Answer(
            response.status_code,
            json.loads(content) if is_json and content else {},
            dict(response.headers),
        )
        must(
            answer.status != 500, "no door breaks", (method, path, self.saboteur.struck)
        )
        shown = b"" if "session_token" in answer.body else content
        self.digest.update(str(answer.status).encode() + shown)
        return answer


def profile_of(driver: Driver, token: str) -> Profile:
    return Profile(driver.pk, driver.user.username, token)
