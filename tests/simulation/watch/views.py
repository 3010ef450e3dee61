"""What a pull brings: monotone, nobody else's, and in the end all that the server holds."""

import uuid
from collections.abc import Iterable
from typing import Any

from apps.drivers.selectors import token_by_secret
from apps.journal.models import Change, FeedHead
from apps.routes.models import PlanChange, Route, Stop
from apps.routes.states import RouteState
from apps.sync import feeds, schema
from apps.sync.models import Attachment
from tests.simulation.device import Answer, Device, Profile, Row
from tests.simulation.watch.invariants import must
from tests.simulation.watch.memory import Memory

Ids = dict[str, list[str]]


class Views:
    """Holds pages against cursors, and a device's tables against the server's."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    # ── a page ──────────────────────────────────────────────────────────────
    def page(
        self, device: Device, profile: Profile, limit: int, answer: Answer, hit: str
    ) -> None:
        """Hold a page against the cursor, and every row of it against its owner."""
        if answer.status != 200:
            is_due = answer.status == 401 or (answer.status == 503 and hit == "busy")
            is_due |= answer.status == 403 and bool(self.memory.acts(device.id))
            must(is_due, "a pull is answered", answer.status)
            return
        session = token_by_secret(profile.token)
        expires_at = session.expiry if session else None
        lasts = expires_at is not None and expires_at > device.now()
        must(lasts or hit == "between", "a session that is over opens no pull")
        page = answer.body
        number, since = page["timestamp"], profile.number
        must(
            isinstance(number, int) and 1 <= number <= page["head"],
            "a timestamp is 1 or more",
            number,
        )
        must(
            page.get("reset", False) or since is None or number >= since,
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
        name, memory = "nothing of another driver's", self.memory
        rows = {table: changes[table]["updated"] for table in changes}
        for row in rows.get("stops", []):
            must(driver_id in memory.ever[row["id"]], name, row["id"])
        for row in rows.get("orders", []):
            must(driver_id in memory.ever_orders[row["id"]], name, row["id"])
        for row in rows.get("event_results", []):
            must(memory.made[row["id"]].driver_id == driver_id, name, row["id"])
        for row in rows.get("attachments", []):
            must(memory.files[row["id"]].driver_id == driver_id, name, row["id"])
        for table, model in (("routes", Route), ("plan_changes", PlanChange)):
            owners = memory.tables.rows(model, "pk", "driver_id")
            known = {str(each.pk): each.driver_id for each in owners}
            for row in rows.get(table, []):
                must(known.get(row["id"]) == driver_id, name, (table, row["id"]))

    # ── the whole view ──────────────────────────────────────────────────────
    def is_complete(self, profile: Profile) -> None:
        """A device that has come to its feed's head shows what the server holds."""
        heads = self.memory.tables.rows(FeedHead, "pk", "head")
        head = next((h.head for h in heads if h.pk == profile.driver_id), None)
        if head is None or head != profile.number:
            return
        known = schema.tables_at(schema.SCHEMA_VERSION)
        for name, ids in self._due_ids(profile.driver_id, known).items():
            rows = self._rendered(profile.driver_id, name, ids)
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

    def _rendered(
        self, driver_id: uuid.UUID, name: str, ids: list[str]
    ) -> dict[str, Row]:
        if not ids:
            return {}
        about = ("rendered", driver_id, name, tuple(ids))
        return self.memory.tables.kept(
            about, lambda: feeds.RENDERERS[name](driver_id, ids)
        )

    def _due_ids(self, driver_id: uuid.UUID, known: Iterable[str]) -> Ids:
        """Return what a driver has to see, read from the tables and not from the feed.

        A row that a compaction was free to retire is due as long as the feed has it.
        """
        rows = self.memory.tables.rows
        routes: Any = {
            each.pk: each for each in rows(Route, "pk", "driver_id", "status")
        }
        mine = {
            pk
            for pk, route in routes.items()
            if route.driver_id == driver_id and route.status != RouteState.DRAFT
        }
        held = [
            s for s in rows(Stop, "pk", "order_id", "route_id") if s.route_id in mine
        ]
        ids = {
            "routes": mine,
            "stops": [stop.pk for stop in held],
            "orders": {stop.order_id for stop in held},
            "plan_changes": _of(driver_id, rows(PlanChange, "pk", "driver_id")),
            "event_results": _of(driver_id, self.memory.inbox().values()),
            "attachments": _of(driver_id, rows(Attachment, "pk", "driver_id")),
        }
        told = {
            (change.table, change.row_id)
            for change in rows(Change, "scope", "table", "row_id", "deleted")
            if change.scope == driver_id and not change.deleted
        }
        due: Ids = {}
        for name in known:
            if name not in ids:
                due[name] = sorted(row_id for table, row_id in told if table == name)
                continue
            due[name] = [
                row_id
                for row_id in sorted(str(pk) for pk in ids[name])
                if (driver_id, name, row_id) not in self.memory.retired
                or (name, row_id) in told
            ]
        return due


def _of(driver_id: uuid.UUID, rows: Iterable[Any]) -> list[Any]:
    return [row.pk for row in rows if row.driver_id == driver_id]


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
