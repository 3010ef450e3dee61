"""A device's copy of what the server told it: tables of rows, and how far it has come.

Pure: pages go in as the wire has them, rows come out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Tables = dict[str, dict[str, Row]]


@dataclass(slots=True)
class Store:
    """Server-owned tables by name and id; `number` is the last page's."""

    tables: Tables = field(default_factory=dict)
    number: int | None = None
    cursor: str = ""

    def apply(self, page: Mapping[str, Any]) -> None:
        """Take one page of a pull: a full set replaces all, rows replace their like."""
        if page.get("reset"):
            self.tables = {}
        for name, change in page["changes"].items():
            rows = self.tables.setdefault(name, {})
            for row in (*change["created"], *change["updated"]):
                rows[row["id"]] = dict(row)
            for row_id in change["deleted"]:
                rows.pop(row_id, None)
        self.number, self.cursor = page["timestamp"], page["cursor"]

    def rows(self, table: str) -> dict[str, Row]:
        """Return a table's rows by id."""
        return self.tables.get(table, {})

    def is_behind(self, head: int) -> bool:
        """Tell whether the server has told more than this store has heard."""
        return self.number is None or head > self.number


def differences(mine: Tables, theirs: Tables) -> list[str]:
    """Return where two copies differ, a line a row; empty when they are equal."""
    found = []
    for table in sorted(mine.keys() | theirs.keys()):
        left, right = mine.get(table, {}), theirs.get(table, {})
        for row_id in sorted(left.keys() | right.keys()):
            ours, other = left.get(row_id), right.get(row_id)
            if ours == other:
                continue
            if ours is None or other is None:
                where = "device" if ours is None else "server"
                found.append(f"{table} {row_id}: missing on the {where}")
                continue
            names = [
                name
                for name in sorted(ours.keys() | other.keys())
                if ours.get(name) != other.get(name)
            ]
            found.append(f"{table} {row_id}: {', '.join(names)}")
    return found
