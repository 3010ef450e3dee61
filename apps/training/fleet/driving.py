"""A day, driven in lock-step: one virtual clock, one event after the other.

Events are ordered by (instant, who), every request is really made, and after each step
that told the server anything the day waits until the server has thought it over. So one
seed gives one day, however fast the machines are.
"""

import heapq
import itertools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.training.fleet.journey import Fact, Journey
from apps.training.fleet.office import Office
from apps.training.fleet.pacing import Pace
from apps.training.town.chance import draw

TICK = timedelta(seconds=30)
POKE_WITHIN_S = 3.0
ACKNOWLEDGE_S = (25, 240)
WATCH_EVERY = timedelta(minutes=15)
OFFICE = -1
"""The office's place among those who act at one instant: before the drivers."""

Step = Callable[[], datetime | None]
"""What is to be done now; returns when it goes on, or None when it is over."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to the day from outside; returns what it was."""

    at: datetime
    act: Callable[[], Fact | None]


@dataclass(slots=True)
class Latency:
    """How long drivers took to confirm changes of the plan, in virtual seconds."""

    seconds: list[float] = field(default_factory=list)

    def median_s(self) -> float:
        """Return the median; 0 without any."""
        return statistics.median(self.seconds) if self.seconds else 0.0


@dataclass(slots=True)
class Drive:
    """All drivers' days, and what the office does meanwhile."""

    seed: int
    office: Office
    pace: Pace
    journeys: list[Journey]
    acts: list[Act]
    say: Callable[[str], None]
    watch: Callable[[], None] | None = None
    facts: list[Fact] = field(default_factory=list)
    latency: Latency = field(default_factory=Latency)
    rests: int = 0
    _queue: list[tuple[datetime, int, int, Step]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=itertools.count)
    _confirming: set[str] = field(default_factory=set)
    _has_acted: bool = False

    def run(self, on_step: Callable[[datetime], None]) -> None:
        """Drive the day to its end, then let everything drain."""
        self._enter_all()
        while self._queue:
            instant, who, _, step = heapq.heappop(self._queue)
            self.pace.advance(instant)
            self.pace.show()
            again = step()
            if again is not None:
                self._enter(max(again, instant), who, step)
            self._settle()
            on_step(instant)
        self._drain()

    def _enter(self, at: datetime, who: int, step: Step) -> None:
        heapq.heappush(self._queue, (at, who, next(self._serial), step))

    def _enter_all(self) -> None:
        for who, journey in enumerate(self.journeys):
            self._enter(journey.given.starts_at - TICK, who, _steps(journey.work()))
            self._enter(journey.given.starts_at, who, _steps(_ticks(journey)))
        for act in self.acts:
            self._enter(act.at, OFFICE, self._act_step(act))
        if self.watch is not None and self.journeys:
            first = min(journey.given.starts_at for journey in self.journeys)
            self._enter(first, OFFICE, self._watch_step())

    def _act_step(self, act: Act) -> Step:
        def step() -> None:
            fact = act.act()
            if fact is not None:
                self.facts.append(fact)
                self._has_acted = True

        return step

    def _watch_step(self) -> Step:
        watch = self.watch
        if watch is None:
            raise RuntimeError("Nobody watches this day.")

        def step() -> datetime | None:
            if all(journey.is_over for journey in self.journeys):
                return None
            watch()
            self._has_acted = True
            return self.pace.now() + WATCH_EVERY

        return step

    # ── after a step: the server thinks, the devices hear ───────────────────
    def _settle(self) -> None:
        told = [journey for journey in self.journeys if journey.has_told]
        if not told and not self._has_acted:
            return
        self._has_acted = False
        for journey in told:
            journey.has_told = False
        self.rests += 1
        overview = self.office.rest(self.say)
        if overview["unacknowledged_changes"]:
            self._await_pokes(self.office.open_changes())
        for who, journey in enumerate(self.journeys):
            device = journey.device
            if device.is_online:
                device.listen()
                if device.store.is_behind(device.server_head):
                    device.pull()
                self._confirm_later(who, journey)

    def _await_pokes(self, waiting: dict[str, set[str]]) -> None:
        """Let those who have news hear their poke; a lost one is made good by a pull."""
        for journey in self.journeys:
            device = journey.device
            known = device.store.rows("plan_changes").keys()
            news = waiting.get(journey.given.driver_id, set()) - known
            if not news or not device.is_online:
                continue
            if not device.await_poke(POKE_WITHIN_S):
                device.count.missed_pokes += 1
                device.pull()

    def _confirm_later(self, who: int, journey: Journey) -> None:
        for change in journey.device.unheard_changes():
            if change["id"] in self._confirming:
                continue
            self._confirming.add(change["id"])
            now = self.pace.now()
            made_s = change["made_at"] / 1000
            low, high = ACKNOWLEDGE_S
            luck = draw(self.seed, "confirm", journey.given.driver, now)
            after_s = round(low + luck * (high - low))

            def step(change_id: str = change["id"], made_s: float = made_s) -> None:
                journey.acknowledge(change_id)
                self.latency.seconds.append(self.pace.now().timestamp() - made_s)

            self._enter(now + timedelta(seconds=after_s), who, step)

    def _drain(self) -> None:
        """Send and hear until there is nothing left to be said on either side."""
        for _ in range(50):
            for journey in self.journeys:
                journey.outages.clear()
                journey.device.go_online()
                journey.tell()
            self.office.rest(self.say)
            for journey in self.journeys:
                journey.has_told = False
                journey.device.pull()
                for change in journey.device.unheard_changes():
                    if change["id"] not in self._confirming:
                        self._confirming.add(change["id"])
                        journey.acknowledge(change["id"])
            if not any(journey.device.outbox.waiting for journey in self.journeys):
                return


def _steps(instants: Iterator[datetime]) -> Step:
    return lambda: next(instants, None)


def _ticks(journey: Journey) -> Iterator[datetime]:
    """Look at the signal, and send again what was not answered, until all is told."""
    device = journey.device
    while not journey.is_over or not device.is_online or device.outbox.waiting:
        journey.watch_signal()
        journey.tell()
        yield journey.now() + TICK
