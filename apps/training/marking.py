"""What a demo leaves in the data directory: its mark, and its log-ins."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from apps.core import roles

ADMINISTRATOR = "admin"
STAFF: dict[str, str] = {
    "supervisor": roles.SUPERVISOR,
    "planner": roles.ROUTE_PLANNER,
    "coordinator": roles.COORDINATOR,
    "analyst": roles.DATA_ANALYST,
    "steward": roles.DATA_STEWARD,
    "monitor": roles.MODEL_MONITOR,
}
"""The demo's office users: user name and role."""


@dataclass(frozen=True, slots=True)
class DemoDay:
    """What a composed day was made from; the same numbers make it again."""

    date: str
    orders: int
    drivers: int
    seed: int


@dataclass(frozen=True, slots=True)
class DemoMark:
    """What a demo was made from."""

    depot_code: str
    town_seed: int
    days: tuple[DemoDay, ...] = field(default=())

    def day(self, on_date: date) -> DemoDay | None:
        """Return what the day of a date was made from, if it is composed."""
        text = on_date.isoformat()
        return next((day for day in self.days if day.date == text), None)

    def with_day(self, day: DemoDay) -> "DemoMark":
        """Return the mark with one day more, or with the day made anew."""
        others = [known for known in self.days if known.date != day.date]
        days = tuple(sorted((*others, day), key=lambda known: known.date))
        return DemoMark(self.depot_code, self.town_seed, days)


def read_mark(path: Path) -> DemoMark | None:
    """Return the mark of a data directory; None where there is no demo."""
    try:
        held = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    days = tuple(DemoDay(**day) for day in held["days"])
    return DemoMark(held["depot_code"], held["town_seed"], days)


def write_mark(path: Path, mark: DemoMark) -> None:
    """Put the mark into a data directory, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(mark), indent=1))
    fresh.replace(path)


def read_logins(path: Path) -> dict[str, str]:
    """Return user name and password of the demo's log-ins; empty without a demo."""
    try:
        held: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return held


def write_logins(path: Path, passwords: dict[str, str]) -> None:
    """Write the log-ins for their owner's eyes alone."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(passwords, file, indent=1)
    fresh.replace(path)
