"""The log of one device that was offline for three hours while its stops were given away.

A phone talks to the real doors, step by step, on a clock of its own; the office and the
other driver act in between. `simulate_sync --story` prints it; it is kept in docs.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.routes.models import Stop
from tests.factories import DepotFactory
from tests.simulation.ground import Ground, own_storage
from tests.sync.builders import (
    cancel_order,
    enrol,
    give_stop,
    make_plan_change,
    publish_day,
)

EVENING = datetime(2026, 3, 16, 19, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 17, 6, 0, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""How much the phone's clock on the wall shows too much."""

Row = dict[str, Any]


class Story:
    """Ada's phone, Ben's phone, the office, and who writes down what happens."""

    def __init__(self, ground: Ground) -> None:
        """Publish both days; enrol both phones the evening before."""
        self.ground = ground
        self.lines: list[str] = []
        ground.begin(0, EVENING)
        depot = DepotFactory()
        self.ada, self.ben = (publish_day(depot=depot, stops=n) for n in (6, 1))
        self.stops = {str(stop.pk): n for n, stop in enumerate(self.ada.stops, 1)}
        self.phone, self.bens = enrol(self.ada.driver), enrol(self.ben.driver)
        self.outbox: list[Row] = []
        self.anchors: list[Row] = []
        self.boot_id, self.booted_at = "boot-1", EVENING

    # ── who writes ──────────────────────────────────────────────────────────
    def at(self, words: str) -> None:
        """Let it be so late."""
        hour, _, minute = words.partition(":")
        self.ground.at = MORNING.replace(hour=int(hour), minute=int(minute))

    def say(self, who: str, words: str) -> None:
        """Write a line of the log."""
        self.lines.append(f"{clock.now():%H:%M}  {who:7} {words}")

    def more(self, words: str) -> None:
        """Write what belongs to the line before."""
        self.lines.append(f"{'':15}{words}")

    # ── the phone ───────────────────────────────────────────────────────────
    def mono_ms(self) -> int:
        """Return the phone's monotonic clock."""
        return round((clock.now() - self.booted_at).total_seconds() * 1000)

    def write(self, kind: str, number: int = 0, /, **payload: Any) -> Row:
        """Let Ada report something: it goes into the outbox."""
        stop = self.ada.stops[number - 1] if number else None
        row = self.phone.event(kind, stop, **payload)
        row |= {
            "boot_id": self.boot_id,
            "mono_ms": self.mono_ms(),
            "device_time": round((clock.now() + AHEAD).timestamp() * 1000),
        }
        self.outbox.append(row)
        about = f", stop {number}" if number else ""
        self.say("phone", f"writes event {row['seq']}: {kind}{about}{_told(payload)}")
        return row

    def push(self, *, is_lost: bool = False) -> None:
        """Send the outbox; the answer may be lost."""
        device = {"boot_id": self.boot_id, "anchors": self.anchors}
        body = {"changes": {"events": {"created": self.outbox}}, "device": device}
        answer = self.phone.push_raw(body)
        rows = json.loads(answer.content)["results"]
        state = "the answer is lost" if is_lost else f"{answer.status_code}"
        self.say(
            "phone",
            f"pushes {len(self.outbox)} event{'s' * (len(self.outbox) > 1)} → {state}",
        )
        if is_lost:
            return
        for row, event in zip(rows, self.outbox, strict=True):
            original = row.get("original", {}).get("result", "")
            first = f", first answered {original}" if original else ""
            self.more(f"{event['seq']}: {row['result']} ({row['code']}){first}")
        self.outbox = []

    def pull(self) -> None:
        """Pull, and tell what has changed on the phone."""
        before = {name: dict(rows) for name, rows in self.phone.tables.items()}
        answer = self.phone.get(last_pulled_at=self.phone.pulled_at or "null")
        if answer.status_code != 200:
            title = json.loads(answer.content)["title"]
            self.say("phone", f"pulls → {answer.status_code} {title}")
            return
        self.phone.pull()
        self.anchors.append(
            {
                "boot_id": self.boot_id,
                "mono_ms": self.mono_ms(),
                "server_time": clock.now().isoformat(),
                "rtt_ms": 40,
            }
        )
        self.say("phone", f"pulls → 200, up to number {self.phone.pulled_at}")
        for line in self._news(before):
            self.more(line)

    def _news(self, before: dict[str, dict[str, Row]]) -> Iterable[str]:
        now = self.phone.tables
        old, new = before.get("stops", {}), now["stops"]
        if not old:
            yield f"{len(new)} stops, {len(now['orders'])} orders"
        for row_id in sorted(old.keys() - new.keys(), key=self.stops.__getitem__):
            yield f"stop {self.stops[row_id]}: gone"
        for row_id in sorted(old.keys() & new.keys(), key=self.stops.__getitem__):
            was, status = old[row_id]["status"], new[row_id]["status"]
            if was != status:
                yield f"stop {self.stops[row_id]}: {was} → {status}"
        for row_id in (
            now["plan_changes"].keys() - before.get("plan_changes", {}).keys()
        ):
            yield f"to be confirmed: {now['plan_changes'][row_id]['why']}"
        results = sorted(
            now["event_results"].values(), key=lambda row: row["occurred_at"]
        )
        for row in results:
            if row["id"] in before.get("event_results", {}):
                continue
            at = datetime.fromtimestamp(row["occurred_at"] / 1000, UTC)
            number = self.stops.get(row["stop_id"])
            where = f", stop {number}" if number else ""
            yield f"{row['kind']} of {at:%H:%M}{where}: {row['result']}"
            if row["rule"]:
                yield f"  {row['rule']}: yours {row['yours']}, ours {row['ours']}"
                yield f"  “{row['detail']} {row['advice']}”"

    # ── the day ─────────────────────────────────────────────────────────────
    def play(self) -> list[str]:
        """Play the day; return its log."""
        self._before()
        self._offline()
        self._back()
        return self.lines

    def _before(self) -> None:
        self.at("06:00")
        self.pull()
        self.at("06:55")
        self.say("phone", "has no signal any more; its session lasts until 07:00")

    def _offline(self) -> None:
        self.at("07:14")
        self.write("stop.succeeded", 1, received_by="Novak")
        self.at("07:32")
        for number in (3, 4):
            stop = self.ada.stops[number - 1]
            give_stop(stop.pk, self.ada, self.ben, clock.now())
        change = make_plan_change(self.ada, clock.now())
        change.why = "Stops 3 and 4 went to Ben."
        change.save(update_fields=["why"])
        self.say("office", "gives stops 3 and 4 to Ben")
        self.at("07:40")
        wrong = self.write("stop.failed", 2, reason="not_home")
        self.at("07:55")
        cancel_order(self.ada.stops[4], clock.now())
        self.say("office", "cancels the order of stop 5: the customer has called")
        self.at("08:20")
        self.write("stop.succeeded", 3)
        self.at("08:30")
        self.bens.push(self.bens.event("stop.succeeded", self.ada.stops[3]))
        self.say("Ben", "delivers stop 4 and is online")
        self.at("08:45")
        self.write("stop.succeeded", 4)
        self.at("09:05")
        self.write("stop.succeeded", 5)
        self.at("09:20")
        self.write(
            "event.corrected",
            corrects=wrong["id"],
            kind="stop.succeeded",
            why="The neighbour of stop 2 took it",
        )
        self.at("09:30")
        self.boot_id, self.booted_at = "boot-2", clock.now()
        self.say(
            "phone", "starts anew: the battery was empty; its clock is an hour ahead"
        )
        self.at("09:40")
        self.write("stop.failed", 6, reason="closed")

    def _back(self) -> None:
        self.at("09:55")
        self.say("phone", "has a signal again, after three hours")
        self.pull()
        self.push(is_lost=True)
        self.at("09:56")
        self.push()
        self.phone.sign(self.phone.device_token)
        session = self.phone.client.post("/api/sync/v1/session").json()
        self.phone.session_token = session["session_token"]
        self.say("phone", "renews its session with the device token → 201")
        self.pull()
        self.at("09:57")
        [change] = self.phone.tables["plan_changes"]
        self.write("plan.acknowledged", change_id=change)
        self.push()
        self.pull()
        self._check()

    def _check(self) -> None:
        """See that the phone and the server agree, and that nothing was lost."""
        if self.phone.tables != self.phone.snapshot():
            raise RuntimeError("The phone differs from the server.")
        self.say("phone", "holds what a phone would hold that was enrolled just now")
        rows = Stop.objects.filter(pk__in=[stop.pk for stop in self.ada.stops])
        states = {self.stops[str(stop.pk)]: stop.status for stop in rows}
        kept = ", ".join(f"{n} {states[n]}" for n in sorted(states))
        self.say("server", f"stops: {kept}")


def _count(rows: list[Row]) -> str:
    return f"{len(rows)} event{'' if len(rows) == 1 else 's'}"


def _told(payload: Row) -> str:
    words = [
        str(payload[name])
        for name in ("reason", "received_by", "why")
        if payload.get(name)
    ]
    return f" ({', '.join(words)})" if words else ""


def tell(say: Callable[[str], object]) -> None:
    """Play the story in the present database, and take it out again."""
    ground = Ground()
    with ground.laid(), own_storage(), transaction.atomic():
        for line in Story(ground).play():
            say(line)
        transaction.set_rollback(True)
