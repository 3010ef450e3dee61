"""The protocol's invariants, each asked after every step, by means of its own.

Nothing here asks the server's rules whether the server is right: states are folded
anew, owners are remembered, and the true time of every event is known.
"""

import io
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import storages
from django.db.models import Max
from PIL import Image

from apps.journal.models import Change, Entry, FeedHead
from apps.routes.models import PlanChange, Route, Stop, StopEvent
from apps.routes.states import RouteState
from apps.sync import feeds, schema
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent
from tests.simulation.device import OUTCOMES, Answer, Device, File, Made, Profile, Row

RESULTS = {
    *("applied", "duplicate", "superseded", "needs_review", "held"),
    *("rejected", "retry"),
}
KEPT = {"applied", "superseded", "needs_review"}
"""Results of a stop's event that stands in the stop's log."""

OPEN = {"held", "needs_review"}
"""Results that may still become another."""

ROUNDING_MS = 2


class Violation(BaseException):
    """An invariant does not hold; `name` says which. No door may swallow it."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name


def must(holds: object, name: str, detail: object = "") -> None:
    if not holds:
        raise Violation(name, str(detail))


@dataclass(frozen=True)
class Claim:
    """An event says: this file, with this hash, proves this stop."""

    attachment_id: str
    sha256: str
    stop_id: str
    driver_id: uuid.UUID


class Watch:
    """Remembers what was seen, and holds the server to it."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self.files: dict[str, File] = {}
        self.claims: set[Claim] = set()
        self.first: dict[str, tuple[str, str]] = {}
        self.ever: dict[str, set[uuid.UUID]] = defaultdict(set)
        self.ever_orders: dict[str, set[uuid.UUID]] = defaultdict(set)
        self.heads: dict[uuid.UUID, tuple[int, int]] = {}
        self.events: dict[str, DeviceEvent] = {}
        self.logs: dict[uuid.UUID, dict[str, StopEvent]] = {}
        self.told: Counter[tuple[str, str]] = Counter()
        self.outcomes: dict[str, str] = {}
        self.bound: dict[str, str] = {}
        self.looked_at: set[str] = set()
        self.last_entry = uuid.UUID(int=0)
        self.effects: Counter[str] = Counter()
        self.expects_mono: set[str] = set()
        self.forced: set[str] = set()
        self.answered: set[str] = set()

    # ── what the simulation tells ───────────────────────────────────────────
    def wrote(self, made: Made) -> None:
        self.made[made.id] = made
        proofs = json.loads(made.row["payload"]).get("attachments", [])
        for proof in proofs:
            claim = (proof["attachment_id"], proof["sha256"], made.row["stop_id"])
            self.claims.add(Claim(*claim, made.driver_id))

    def took(self, file: File) -> None:
        self.files[file.id] = file

    def note_holders(self) -> None:
        """Remember who was ever given each stop, apart from the server's own notes."""
        rows = Stop.objects.filter(route__isnull=False)
        for stop_id, order_id, driver_id in rows.values_list(
            "pk", "order_id", "route__driver_id"
        ):
            self.ever[str(stop_id)].add(driver_id)
            self.ever_orders[str(order_id)].add(driver_id)

    # ── a push and its answer ───────────────────────────────────────────────
    def push_answered(
        self, device: Device, driver_id: uuid.UUID, body: Row, answer: Answer, hit: str
    ) -> None:
        """Hold the answer to a push against what was pushed and answered before."""
        status = answer.status
        must(status not in {401, 403}, "evidence is never blocked", status)
        if status != 200:
            must(
                status == 503 and hit == "busy", "a push is answered", (status, answer)
            )
            return
        rows = _rows_of(body)
        results = answer.body["results"]
        must(len(results) == len(rows), "every row is answered once")
        again = []
        for (table, row_id, row), result in zip(rows, results, strict=True):
            must(
                (result["table"], result["id"]) == (table, row_id)
                and result["result"] in RESULTS,
                "every row is answered once",
                result,
            )
            if table != "events":
                code = (result["result"], result["code"])
                must(code == ("rejected", "read_only_table"), "tables of ours", result)
                continue
            if result["result"] == "retry":
                again.append(row_id)
            self._answered(device, driver_id, row, result, hit)
        told = answer.body["experimentalRejectedIds"].get("events", [])
        must(told == again, "no endless re-push", (told, again))

    def _answered(
        self,
        device: Device,
        driver_id: uuid.UUID,
        row: Row | None,
        result: Row,
        hit: str,
    ) -> None:
        said = (result["result"], result["code"])
        made = self.made[result["id"]]
        if row is None:
            must(said == ("rejected", "delete_not_allowed"), "facts stay", result)
            return
        if row != made.row or driver_id != made.driver_id:
            must(said == ("rejected", "id_reused"), "an id has one body", result)
            self._is_quarantined(result["id"], "id_reused")
            return
        if said[0] == "retry":
            is_due = said[1] == "internal" and hit == "bug"
            is_due |= said[1] == "dependency_missing" and not self._has_base(row)
            must(is_due, "no endless re-push", (result, hit))
            return
        known = self.first.get(made.id)
        if said[0] == "duplicate":
            original = result["original"]
            first = (original["result"], original["code"])
            must(
                known in {None, first} or (known and known[0] in OPEN),
                "a repeat gets the first answer",
                (known, first),
            )
            self.first[made.id] = first
        else:
            # Another's push of it may come between the effect and this answer.
            is_first = known in {None, said} and made.id not in self.answered
            must(
                is_first or (known and known[0] == "held"),
                "each takes effect once",
                ("answered anew", known, said),
            )
            self.answered.add(made.id)
            self.first[made.id] = said
        if self.first[made.id][0] == "rejected":
            self._is_quarantined(made.id, self.first[made.id][1])

    def _has_base(self, row: Row) -> bool:
        base = row["depends_on"] or json.loads(row["payload"]).get("corrects", "")
        return DeviceEvent.objects.filter(pk=base).exclude(result="held").exists()

    def _is_just(self, made: Made, result: str, code: str) -> None:
        """No evidence is rejected that its driver could give."""
        stop_id = str(made.row["stop_id"])
        if not str(made.row["kind"]).startswith("stop."):
            return
        was_given = made.driver_id in self.ever[stop_id]
        name = "no evidence is rejected after a reassignment"
        if code == "never_assigned":
            must(not was_given, name, made.row)
        if result == "rejected" and was_given and self._is_evidence(made):
            must(not made.is_legal, name, (made.row, code))
        if not was_given:
            must(code == "never_assigned", "only who was given a stop reports it")

    def _is_evidence(self, made: Made) -> bool:
        return str(made.row["kind"]).removeprefix("stop.") in OUTCOMES

    def _is_quarantined(self, event_id: str, code: str) -> None:
        rows = QuarantinedEvent.objects.filter(event_id=event_id, code=code)
        must(rows.exists(), "what is rejected is kept", (event_id, code))

    # ── a pull and its answer ───────────────────────────────────────────────
    def pull_answered(
        self, profile: Profile, limit: int, answer: Answer, hit: str
    ) -> None:
        """Hold a page against the cursor, and every row of it against its owner."""
        if answer.status != 200:
            is_due = answer.status in {401, 403} or (
                answer.status == 503 and hit == "busy"
            )
            must(is_due, "a pull is answered", answer.status)
            return
        page = answer.body
        number, since = page["timestamp"], profile.number
        must(
            isinstance(number, int) and 1 <= number <= page["head"],
            "a timestamp is 1 or more",
            number,
        )
        is_reset = page.get("reset", False)
        must(
            is_reset or since is None or number >= since,
            "cursors are monotone",
            (since, number),
        )
        rows = sum(
            len(each["updated"]) + len(each["deleted"])
            for each in page["changes"].values()
        )
        if page["has_more"] and hit != "between":
            must(rows >= limit, "a page is full while more remain", (rows, limit))
        self._is_ours(profile.driver_id, page["changes"])

    def _is_ours(self, driver_id: uuid.UUID, changes: Row) -> None:
        name = "nothing of another driver's"
        rows = {table: changes[table]["updated"] for table in changes}
        for row in rows.get("stops", []):
            must(driver_id in self.ever[row["id"]], name, row["id"])
        for row in rows.get("orders", []):
            must(driver_id in self.ever_orders[row["id"]], name, row["id"])
        for row in rows.get("event_results", []):
            must(self.made[row["id"]].driver_id == driver_id, name, row["id"])
        for row in rows.get("attachments", []):
            must(self.files[row["id"]].driver_id == driver_id, name, row["id"])
        for table, model in (("routes", Route), ("plan_changes", PlanChange)):
            ids = [row["id"] for row in rows.get(table, [])]
            foreign = model._default_manager.filter(pk__in=ids)
            must(not foreign.exclude(driver_id=driver_id).exists(), name, table)

    def sees_everything(self, profile: Profile) -> None:
        """A device that has come to its feed's head shows what the server holds."""
        head = FeedHead.objects.filter(pk=profile.driver_id).first()
        if head is None or head.head != profile.number:
            return
        known = schema.tables_at(schema.SCHEMA_VERSION)
        for name, ids in self._due_ids(profile.driver_id, known).items():
            rows = feeds.RENDERERS[name](profile.driver_id, ids) if ids else {}
            due = {
                row_id: schema.shaped(row, known[name], schema.SCHEMA_VERSION)
                for row_id, row in rows.items()
            }
            seen = profile.tables.get(name, {})
            must(
                seen == due,
                "the device's view equals the server's feed"
                if name != "event_results"
                else "every outcome is visible on the device",
                (name, _difference(seen, due)),
            )

    def _due_ids(
        self, driver_id: uuid.UUID, known: Iterable[str]
    ) -> dict[str, list[str]]:
        """Return what a driver has to see, read from the tables and not from the feed."""
        held = Stop.objects.filter(route__driver_id=driver_id)
        held = held.exclude(route__status=RouteState.DRAFT)
        routes = Route.objects.filter(driver_id=driver_id)
        changes = PlanChange.objects.filter(driver_id=driver_id)
        events = DeviceEvent.objects.filter(driver_id=driver_id)
        files = Attachment.objects.filter(driver_id=driver_id)
        ids = {
            "routes": routes.exclude(status=RouteState.DRAFT).values_list("pk"),
            "stops": held.values_list("pk"),
            "orders": held.values_list("order_id"),
            "plan_changes": changes.values_list("pk"),
            "event_results": events.values_list("pk"),
            "attachments": files.values_list("pk"),
        }
        due = {name: [str(pk) for (pk,) in rows] for name, rows in ids.items()}
        for name in known:
            if name not in due:
                live = Change.objects.filter(scope=driver_id, table=name, deleted=False)
                due[name] = list(live.values_list("row_id", flat=True))
        return due

    # ── after every step ────────────────────────────────────────────────────
    def check(self) -> None:
        """Ask all that can be asked of the server's tables."""
        self._check_facts()
        self._check_inbox()
        self._check_stops()
        self._check_effects()
        self._check_feeds()
        self._check_files()

    def _check_inbox(self) -> None:
        rows = {row.pk: row for row in DeviceEvent.objects.all()}
        for event_id, (result, code) in self.first.items():
            row = rows.get(event_id)
            must(row is not None, "every acknowledged event is stored", event_id)
            if row is not None and row.result not in OPEN and result not in OPEN:
                must(
                    (row.result, row.code) == (result, code),
                    "every acknowledged event is stored",
                    (event_id, result, row.result),
                )
        for event_id, row in rows.items():
            must(row.result != "retry", "what is to be sent again is not kept", row.pk)
            old = self.events.get(event_id)
            if old is None:
                self._check_fresh(row)
            if row.result != "held" and (old is None or old.result == "held"):
                self._check_judged(row, rows)
        gone = self.events.keys() - rows.keys()
        must(not gone, "every acknowledged event is stored", gone)
        self.events = rows

    def _check_fresh(self, row: DeviceEvent) -> None:
        made = self.made[row.pk]
        off_ms = abs((row.occurred_at - made.true_at).total_seconds()) * 1000
        must(row.occurred_at <= row.received_at, "nothing is of the future", row.pk)
        is_within = off_ms <= row.uncertainty_ms + ROUNDING_MS
        must(
            row.time_quality != "mono" or is_within,
            "an instant is as sure as it says",
            (row.pk, off_ms, row.uncertainty_ms),
        )
        if row.pk in self.expects_mono:
            must(
                row.time_quality == "mono",
                "an anchored clock is believed before the wall's",
                (row.pk, row.time_quality),
            )
        must(
            row.driver_id == made.driver_id and row.device_id == made.device_id,
            "an event is its driver's",
            row.pk,
        )

    def _check_judged(self, row: DeviceEvent, rows: dict[str, DeviceEvent]) -> None:
        """An event is judged in its turn, after what it depends on, and justly."""
        made = self.made[row.pk]
        self._is_just(made, row.result, row.code)
        if row.result == "rejected":
            self._is_quarantined(row.pk, row.code)
            return
        if row.pk in self.forced:
            return
        if row.depends_on:
            must(row.depends_on in rows, "what an event depends on is there", row.pk)
        unheard = [
            other.id
            for other in self.made.values()
            if other.device_id == made.device_id
            and other.row["seq"] < made.row["seq"]
            and not other.pushes
        ]
        must(not unheard, "an event waits for the earlier ones", (row.pk, unheard))

    def _check_stops(self) -> None:
        stops = {stop.pk: stop for stop in Stop.objects.select_related("order")}
        logs: dict[uuid.UUID, dict[str, StopEvent]] = defaultdict(dict)
        for event in StopEvent.objects.all():
            logs[event.stop_id][event.pk] = event
        kept = {
            pk
            for pk, row in self.events.items()
            if row.kind.startswith("stop.") and row.result in KEPT
        }
        logged = {pk for log in logs.values() for pk in log}
        must(
            logged <= kept,
            "each takes effect once",
            ("an effect without its event", logged - kept),
        )
        must(
            kept <= logged,
            "a stop's state agrees with its log",
            ("lost", kept - logged),
        )
        for pk, log in logs.items():
            fresh = [log[each] for each in log if each not in self.logs.get(pk, {})]
            for event in fresh:
                _check_delivery(event, log.values())
        for pk, stop in stops.items():
            _check_stop(stop, list(logs.get(pk, {}).values()))
        self.logs = dict(logs)

    def _check_feeds(self) -> None:
        tops = dict(
            Change.objects.order_by().values_list("scope").annotate(Max("number"))
        )
        for feed in FeedHead.objects.all():
            old = self.heads.get(feed.scope, (feed.epoch, 0))
            now = (feed.epoch, feed.head)
            must(now >= old, "cursors are monotone", (old, now))
            top = tops.get(feed.scope, 0)
            must(top <= feed.head, "cursors are monotone", ("beyond", top, now))
            self.heads[feed.scope] = now

    def _check_facts(self) -> None:
        rows = Entry.objects.filter(pk__gt=self.last_entry).order_by("pk")
        for entry in rows:
            self.last_entry = entry.pk
            event_id = str(entry.payload.get("event_id", ""))
            if entry.kind.startswith("stop.") and event_id:
                self.told[entry.kind, event_id] += 1
                must(
                    self.told[entry.kind, event_id] == 1,
                    "each takes effect once",
                    (entry.kind, event_id),
                )
            if entry.kind == "events.forced":
                self.forced |= set(entry.payload["event_ids"])
            if entry.kind == "order.outcome_set":
                must(
                    self.outcomes.get(entry.subject_id) != entry.payload["status"],
                    "a stop is delivered at most once",
                    entry.payload,
                )
                self.outcomes[entry.subject_id] = entry.payload["status"]
            if entry.kind.startswith("shift.") and entry.actor.startswith("driver:"):
                self.effects["shift."] += 1
            if entry.kind.startswith("condition.") and "driver" in entry.actor:
                self.effects["exception."] += 1

    def _check_effects(self) -> None:
        for kind, count in self.effects.items():
            done = sum(
                row.kind.startswith(kind) and row.result in {*KEPT, "held"}
                for row in self.events.values()
            )
            must(count <= done, "each takes effect once", (kind, count, done))

    def _check_files(self) -> None:
        for row in Attachment.objects.all():
            if row.stop_id:
                claim = Claim(row.pk, row.sha256, row.stop_id, row.driver_id)
                must(claim in self.claims, "a file is bound by id and hash", row.pk)
                first = self.bound.setdefault(row.pk, row.stop_id)
                must(first == row.stop_id, "one file belongs to one stop", row.pk)
            if row.status == "stored" and row.pk not in self.looked_at:
                self.looked_at.add(row.pk)
                file = self.files[row.pk]
                must(
                    row.sha256 == file.sha256
                    and _colour(row.stored_name) == file.colour,
                    "a stored file is the one that was sent",
                    row.pk,
                )

    # ── at the end ──────────────────────────────────────────────────────────
    def has_drained(self, devices: Sequence[Device]) -> None:
        """Everything that was written down has come, and everyone knows."""
        name = "everything drains"
        for device in devices:
            for profile in device.profiles.values():
                must(not profile.outbox, name, ("unsent", device.name, profile.outbox))
            for file in device.files.values():
                must(file.is_deleted, name, ("file", file.id))
            for made in device.made:
                must(made.id in self.first, name, ("unanswered", made.row))
        held = [row.pk for row in self.events.values() if row.result == "held"]
        must(not held, name, ("held", held))


def _rows_of(body: Row) -> list[tuple[str, str, Row | None]]:
    found: list[tuple[str, str, Row | None]] = []
    for table, changes in body["changes"].items():
        written = [*changes.get("created", []), *changes.get("updated", [])]
        found += [(table, row["id"], row) for row in written]
        found += [(table, row_id, None) for row_id in changes.get("deleted", [])]
    return found


def _attempt(log: Iterable[StopEvent]) -> list[StopEvent]:
    """Return a log's last attempt, in the order in which it happened."""
    attempt: list[StopEvent] = []
    for event in sorted(log, key=_place):
        if event.kind == "stop.reopened":
            attempt = []
        elif event.kind != "stop.note":
            attempt.append(event)
    return attempt


def _place(event: StopEvent) -> tuple[Any, int, str]:
    return (event.occurred_at, event.device_seq, event.pk)


def _check_stop(stop: Stop, log: list[StopEvent]) -> None:
    name = "a stop's state agrees with its log"
    attempt = _attempt(log)
    steps = [event.kind.removeprefix("stop.") for event in attempt]
    if stop.status == "cancelled":
        counted = [e for e in attempt if e.verdict.startswith("applied")]
        ends = [e for e in counted if e.kind.removeprefix("stop.") in OUTCOMES]
        must(not ends, name, ("delivered, and cancelled", stop.pk))
        return
    ended = [step for step in steps if step in OUTCOMES]
    due = (ended or steps or ["pending"])[-1]
    due = "succeeded" if "succeeded" in ended else due
    must(stop.status == due, name, (stop.pk, stop.status, due))
    is_done = stop.status in OUTCOMES
    must((stop.completed_at is not None) == is_done, name, (stop.pk, "completed_at"))
    if stop.status == "succeeded":
        must(stop.order.status == "delivered", name, (stop.pk, stop.order.status))


def _check_delivery(event: StopEvent, log: Iterable[StopEvent]) -> None:
    """A success counts only where none was before it in the same attempt."""
    if event.kind != "stop.succeeded" or not event.verdict.startswith("applied"):
        return
    until = [each for each in log if _place(each) < _place(event)]
    before = [e.pk for e in _attempt(until) if e.kind == "stop.succeeded"]
    must(not before, "a stop is delivered at most once", (event.pk, before))


def _colour(stored_name: str) -> tuple[int, ...]:
    with storages["proofs"].open(stored_name) as file:
        picture = Image.open(io.BytesIO(file.read())).convert("RGB")
    pixel = picture.getpixel((0, 0))
    return pixel if isinstance(pixel, tuple) else ()


def _difference(seen: dict[str, Row], due: dict[str, Row]) -> Row:
    odd = [
        (
            row_id,
            {
                k: (seen[row_id].get(k), v)
                for k, v in row.items()
                if seen[row_id].get(k) != v
            },
        )
        for row_id, row in due.items()
        if row_id in seen and seen[row_id] != row
    ]
    return {
        "missing": sorted(due.keys() - seen.keys()),
        "left over": sorted(seen.keys() - due.keys()),
        "other": odd,
    }
