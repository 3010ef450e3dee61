"""The office as an API client: who drives when, how the day stands, an order more or less."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apps.training.fleet.store import Row
from apps.training.fleet.wire import Body, Wire

API = "/api/v1"
PAGE = 500
LOOK_EVERY_S = 0.03
LOOK_EVERY_MOST_S = 0.2
REST_WITHIN_S = 300.0
SAY_AFTER_S = 10.0


class NeverRests(RuntimeError):
    """The server's background work did not come to an end."""


class Office:
    """A supervisor's client of the public API, for one depot's day."""

    def __init__(self, wire: Wire, login: tuple[str, str], code: str) -> None:
        """Sign in, and choose the depot: without a code the only one there is.

        Raises:
            LookupError: there is no such depot, or it is not clear which.
        """
        self.wire, self.service_date = wire, ""
        self._token: str = wire.call("POST", f"{API}/auth/token", login=login)["token"]
        found = list(self.rows("depots", **({"code": code} if code else {})))
        if len(found) != 1:
            codes = ", ".join(sorted(row["code"] for row in found)) or "none"
            raise LookupError(f"Name one depot by --depot; found: {codes}.")
        self.depot: Row = found[0]

    def call(self, method: str, path: str, **more: Any) -> Body:
        """Make one request."""
        return self.wire.call(method, f"{API}/{path}", token=self._token, **more)

    def rows(self, path: str, **query: Any) -> Iterator[Row]:
        """Yield the rows of a list, page after page."""
        page = self.call("GET", path, params={"limit": PAGE, **query})
        while True:
            yield from page["results"]
            if not page.get("next"):
                return
            target = str(page["next"]).partition(f"{API}/")[2]
            page = self.call("GET", target)

    def enrolment_code(self, driver_id: str) -> str:
        """Return a fresh code for a driver's device."""
        code: str = self.call("POST", f"drivers/{driver_id}/enrolment-codes")["code"]
        return code

    def drivers(self) -> dict[str, Row]:
        """Return the depot's drivers by id."""
        return {row["id"]: row for row in self.rows("drivers", depot=self.depot["id"])}

    def vehicles(self) -> dict[str, Row]:
        """Return the depot's vehicles by id."""
        found = self.rows("vehicles", depot=self.depot["id"])
        return {row["id"]: row for row in found}

    def shifts(self) -> list[Row]:
        """Return the day's shifts that are not cancelled, earliest first."""
        found = self.rows(
            "shifts", depot=self.depot["id"], service_date=self.service_date
        )
        usable = [row for row in found if row["status"] != "cancelled"]
        return sorted(usable, key=lambda row: (row["starts_at"], row["id"]))

    def orders(self) -> list[Row]:
        """Return the day's orders."""
        return list(
            self.rows(
                "orders", depot=self.depot["code"], service_date=self.service_date
            )
        )

    def routes(self) -> list[Row]:
        """Return the day's routes, each with its stops."""
        found = self.rows(
            "routes", depot=self.depot["id"], service_date=self.service_date
        )
        return [self.call("GET", f"routes/{row['id']}") for row in found]

    def left_out(self) -> list[Row]:
        """Return the orders that no route serves, each with why."""
        path = f"depots/{self.depot['id']}/days/{self.service_date}/left-out"
        found: Any = self.call("GET", path)
        rows: list[Row] = found if isinstance(found, list) else found["results"]
        return rows

    def overview(self) -> Row:
        """Return the day in figures."""
        return self.call("GET", f"depots/{self.depot['id']}/days/{self.service_date}")

    def open_changes(self) -> dict[str, set[str]]:
        """Return the plan changes that wait for their driver's word: driver to ids."""
        found: dict[str, set[str]] = {}
        for row in self.rows("plan-changes", acknowledged_at__isnull="true"):
            found.setdefault(row["driver"], set()).add(row["id"])
        return found

    def rest(self, say: Callable[[str], None]) -> Row:
        """Wait until nothing is being thought or done in the background.

        Raises:
            NeverRests: it takes too long.
        """
        began_s = said_s = time.monotonic()
        pause_s = LOOK_EVERY_S
        while True:
            seen = self.overview()
            if not seen["thinking"] and not seen["pending_tasks"]:
                return seen
            now_s = time.monotonic()
            if now_s - began_s > REST_WITHIN_S:
                raise NeverRests(f"Still at work after {REST_WITHIN_S:g} s: {seen}")
            if now_s - said_s > SAY_AFTER_S:
                said_s = now_s
                plan = seen["plan"] or {}
                say(
                    f"the server thinks: {seen['thinking']} plans, "
                    f"{seen['pending_tasks']} tasks {plan.get('progress_text', '')}"
                )
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LOOK_EVERY_MOST_S)

    def cancel_order(self, order_id: str) -> None:
        """Cancel an order: the customer has called."""
        body = {"reason": "cancelled by the customer"}
        self.call("POST", f"orders/{order_id}/cancel", body=body)

    def add_order(self, order: Mapping[str, Any], key: str) -> Row:
        """Take one more order in."""
        body = {
            "depot": self.depot["code"],
            "service_date": self.service_date,
            **order,
        }
        return self.call("POST", "orders", body=body, headers={"Idempotency-Key": key})
