"""One simulated handheld: its clocks, its store, its outbox, and its way to the server."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.training.fleet.outbox import Clocks, DeviceEvent, Outbox
from apps.training.fleet.store import Row, Store
from apps.training.fleet.wire import Body, PokeSocket, Refused, Wire
from apps.training.town.chance import draw, stream

BATCH = 100
RENEW_BEFORE = timedelta(minutes=20)
LOST_SHARE = 0.05
SURELY_LOST = 7
"""The push of each device whose answer is lost for certain, in the shortest day too."""

SHUFFLED_SHARE = 0.2
REPEATED_SHARE = 0.04
ROUND_TRIP_MS = 80
KEPT_ANCHORS = 3
DOOR = "/api/sync/v1"


@dataclass(slots=True)
class Counters:
    """What a device went through."""

    pushes: int = 0
    resent: int = 0
    lost_answers: int = 0
    shuffled: int = 0
    pulls: int = 0
    resets: int = 0
    missed_pokes: int = 0
    offline_s: float = 0.0
    reboots: int = 0


@dataclass(slots=True)
class Device:
    """A driver's device. `answers` is what the network saw, lost answers included."""

    driver: str
    seed: int
    wire: Wire
    now: Callable[[], datetime]
    driver_id: str = ""
    service_date: str = ""
    has_faults: bool = True
    store: Store = field(default_factory=Store)
    count: Counters = field(default_factory=Counters)
    answers: dict[str, list[str]] = field(default_factory=dict)
    is_online: bool = False
    socket: PokeSocket | None = None
    server_head: int = 0
    id: str = ""
    outbox: Outbox = field(default_factory=lambda: Outbox(""))
    visited: set[str] = field(default_factory=set)
    _device_token: str = ""
    _session_token: str = ""
    _session_ends_at: datetime | None = None
    _anchors: list[Body] = field(default_factory=list)
    _booted_at: datetime | None = None
    _offline_since: datetime | None = None
    _last_batch: list[DeviceEvent] = field(default_factory=list)

    # ── signing in ──────────────────────────────────────────────────────────
    def enrol(self, code: str) -> None:
        """Become a driver's device by a one-time code."""
        body = {
            "code": code,
            "name": f"Handheld {self.driver}",
            "platform": "simulated",
        }
        answer = self.wire.call("POST", f"{DOOR}/enrol", body=body)
        self.id, self._device_token = answer["device_id"], answer["device_token"]
        self.outbox = Outbox(self.id)
        self._booted_at = self.now()
        self._open_session(answer)

    def _open_session(self, answer: Body) -> None:
        self._session_token = answer["session_token"]
        self._session_ends_at = datetime.fromisoformat(answer["session_expires_at"])
        self._anchor(answer)

    def _renew_session(self) -> None:
        answer = self.wire.call(
            "POST", f"{DOOR}/session", token=self._device_token, body={}
        )
        self._open_session(answer)

    # ── clocks ──────────────────────────────────────────────────────────────
    def clocks(self) -> Clocks:
        """Return what the clocks show; the wall clock is wrong by the device's skew."""
        skew_ms = round((draw(self.seed, "skew", self.driver) - 0.5) * 120_000)
        wall_ms = round(self.now().timestamp() * 1000) + skew_ms
        booted_at = self._booted_at or self.now()
        mono_ms = round((self.now() - booted_at) / timedelta(milliseconds=1))
        return Clocks(wall_ms, mono_ms, f"boot-{self.count.reboots + 1}")

    def server_now(self) -> datetime:
        """Return what the server's clock should show, by the last anchor of this boot."""
        if not self._anchors:
            return self.now()
        anchor = self._anchors[-1]
        gone_ms = self.clocks().mono_ms - anchor["mono_ms"]
        server_at = datetime.fromisoformat(anchor["server_time"])
        return server_at + timedelta(milliseconds=gone_ms)

    def reboot(self) -> None:
        """Lose the monotonic clock and the connection; store and outbox survive."""
        self.go_offline()
        self.count.reboots += 1
        self._booted_at, self._anchors = self.now(), []

    def _anchor(self, answer: Mapping[str, Any]) -> None:
        clocks = self.clocks()
        anchor = {
            "boot_id": clocks.boot_id,
            "mono_ms": clocks.mono_ms,
            "server_time": answer["server_time"],
            "rtt_ms": ROUND_TRIP_MS,
        }
        self._anchors = [*self._anchors, anchor][-KEPT_ANCHORS:]

    # ── signal ──────────────────────────────────────────────────────────────
    def go_online(self) -> None:
        """Find signal: connect the ear, hear what was missed, tell what has piled up."""
        if self.is_online:
            return
        if self._offline_since is not None:
            self.count.offline_s += (self.now() - self._offline_since).total_seconds()
            self._offline_since = None
        self.is_online = True
        self.pull()
        self._connect()

    def _connect(self) -> None:
        self.socket = self.wire.socket(self._session_token)
        self.server_head = max(self.server_head, self.socket.head)

    def go_offline(self) -> None:
        """Lose the signal."""
        if not self.is_online:
            return
        self.is_online, self._offline_since = False, self.now()
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    @property
    def is_cut_off(self) -> bool:
        """Tell whether it has lost the signal that it once had."""
        return self._offline_since is not None

    # ── hearing ─────────────────────────────────────────────────────────────
    def listen(self) -> None:
        """Take the pokes that have come, without waiting."""
        if self.socket is not None:
            self.server_head = max(self.server_head, self.socket.listen())
            if not self.socket.is_open:
                self._connect()

    def await_poke(self, timeout_s: float) -> bool:
        """Wait for a poke beyond what the store has; tell whether one came."""
        if self.socket is None or self.store.is_behind(self.server_head):
            return True
        head = self.socket.wait_for((self.store.number or 0) + 1, timeout_s)
        self.server_head = max(self.server_head, head)
        return self.store.is_behind(self.server_head)

    def pull(self) -> None:
        """Hear everything that there is to hear."""
        ends_at = self._session_ends_at
        if ends_at is None or self.server_now() > ends_at - RENEW_BEFORE:
            self._renew_session()
        self.pull_into(self.store)
        self.server_head = max(self.server_head, self.store.number or 0)

    def pull_into(self, store: Store, *, limit: int = 200) -> None:
        """Pull page after page into a store until there is no more."""
        while True:
            params: Body = {"limit": limit, "schema_version": 3}
            params["last_pulled_at"] = "null" if store.number is None else store.number
            if store.cursor:
                params["cursor"] = store.cursor
            page = self._pull_page(params)
            self.count.pulls += 1
            self.count.resets += bool(page.get("reset"))
            store.apply(page)
            self._anchor(page)
            if not page["has_more"]:
                return

    def _pull_page(self, params: Body) -> Body:
        path = f"{DOOR}/pull"
        try:
            return self.wire.call("GET", path, token=self._session_token, params=params)
        except Refused as no:
            if no.status != 401:
                raise
        self._renew_session()
        return self.wire.call("GET", path, token=self._session_token, params=params)

    # ── telling ─────────────────────────────────────────────────────────────
    def report(
        self, kind: str, *, stop_id: str = "", payload: Mapping[str, Any] | None = None
    ) -> DeviceEvent:
        """Write a fact down; it is sent when there is signal."""
        return self.outbox.add(kind, stop_id, payload or {}, self.clocks())

    def push(self) -> bool:
        """Send what waits; tell whether an answer to all of it came."""
        while batch := self.outbox.batch(BATCH):
            if not self._send(batch):
                return False
        return True

    def _send(self, batch: list[DeviceEvent]) -> bool:
        self.count.pushes += 1
        rng = stream(self.seed, f"push {self.driver} {self.count.pushes}")
        sent = list(batch)
        if self.has_faults and rng.random() < REPEATED_SHARE:
            known = {event.id for event in batch}
            sent = [*(e for e in self._last_batch if e.id not in known), *sent]
        is_again = any(event.id in self.outbox.tries for event in sent)
        if self.has_faults and (is_again or rng.random() < SHUFFLED_SHARE):
            rng.shuffle(sent)
            self.count.shuffled += len(sent) > 1
        self.count.resent += self.outbox.sent(sent)
        answer = self.wire.call(
            "POST", f"{DOOR}/push", token=self._session_token, body=self._body(sent)
        )
        for result in answer["results"]:
            self.answers.setdefault(result["id"], []).append(result["result"])
        is_unlucky = self.count.pushes == SURELY_LOST or rng.random() < LOST_SHARE
        if self.has_faults and is_unlucky:
            self.count.lost_answers += 1
            return False
        self.outbox.settle(answer["results"])
        self._last_batch = batch
        self.server_head = max(self.server_head, answer["head"])
        self._anchor(answer)
        return not any(event.id in self.outbox.waiting for event in batch)

    def _body(self, events: list[DeviceEvent]) -> Body:
        clocks = self.clocks()
        return {
            "changes": {"events": {"created": [event.row() for event in events]}},
            "device": {
                "id": self.id,
                "boot_id": clocks.boot_id,
                "sent_mono_ms": clocks.mono_ms,
                "anchors": self._anchors,
            },
        }

    # ── what the driver reads on it ─────────────────────────────────────────
    def route(self) -> Row | None:
        """Return the route of the day that is driven."""
        routes = self.store.rows("routes").values()
        mine = (r for r in routes if r["service_date"] == self.service_date)
        return min(mine, key=lambda route: route["id"], default=None)

    def next_stop(self) -> Row | None:
        """Return the first stop of the present sequence that was not visited."""
        route = self.route()
        ahead = [
            stop
            for stop in self.store.rows("stops").values()
            if route is not None
            and stop["route_id"] == route["id"]
            and stop["status"] == "pending"
            and stop["id"] not in self.visited
        ]
        return min(ahead, key=lambda s: (s["sequence"], s["id"]), default=None)

    def order_of(self, stop: Row) -> Row:
        """Return the order that a stop is for."""
        return self.store.rows("orders")[stop["order_id"]]

    def unheard_changes(self) -> list[Row]:
        """Return the changes of the plan that the driver has not confirmed."""
        rows = self.store.rows("plan_changes").values()
        found = [row for row in rows if row["acknowledged_at"] is None]
        return sorted(found, key=lambda row: (row["made_at"], row["id"]))

    def close(self) -> None:
        """Switch it off."""
        with contextlib.suppress(OSError):
            self.go_offline()
