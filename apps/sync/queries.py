"""A pull's query, read: the literal `null` of client libraries stands for nothing."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from apps.core.problems import FieldError, Invalid, Problem
from apps.sync import schema, selectors
from apps.sync.selectors import PullRequest, Since

CURSOR = re.compile(r"e([0-9]{1,9})\.([0-9]{1,18})")


class TooOld(Problem):
    """The app's schema is older than any that we can serve."""

    type = "/problems/upgrade-required"
    title = "This app is too old to be served: update it. What it holds may be sent."
    status = 426


def pull_request(query: Mapping[str, str]) -> PullRequest:
    """Return what a pull's query asks; the literal `null` stands for nothing.

    Raises:
        Invalid: a parameter cannot be read.
        TooOld: the schema is older than any that we serve.
    """
    given = {key: value for key, value in query.items() if value not in {"", "null"}}
    version = min(
        whole_number(given, "schema_version", schema.SCHEMA_VERSION),
        schema.SCHEMA_VERSION,
    )
    if version < schema.OLDEST_VERSION:
        raise TooOld
    tables = given.get("tables")
    limit = whole_number(given, "limit", selectors.DEFAULT_LIMIT)
    return PullRequest(
        since=_since(given),
        schema_version=version,
        whole_tables=_migrated(given.get("migration")),
        tables=None if tables is None else frozenset(tables.split(",")),
        limit=min(max(limit, 1), selectors.MAX_LIMIT),
        full_deletes=given.get("deleted_rows") == "full",
    )


def _since(given: Mapping[str, str]) -> Since:
    """Read the cursor, or the number alone; a cursor of another make is another epoch."""
    cursor = given.get("cursor")
    if cursor is not None:
        parts = CURSOR.fullmatch(cursor)
        return Since(int(parts[2]), int(parts[1])) if parts else Since(0, 0)
    number = whole_number(given, "last_pulled_at", 0)
    return Since(number or None)


def whole_number(given: Mapping[str, str], name: str, default: int) -> int:
    """Return a parameter that is a whole number.

    Raises:
        Invalid: it is none.
    """
    text = given.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Invalid(errors=[FieldError(f"/{name}", "invalid", "A whole number.")])
    return int(text)


class _Migration(msgspec.Struct, frozen=True):
    tables: list[str] = []
    columns: list[dict[str, Any]] = []


def _migrated(text: str | None) -> frozenset[str]:
    """Return the tables that a device's migration made or added columns to."""
    if text is None:
        return frozenset()
    try:
        migration = msgspec.json.decode(text, type=_Migration | None)
    except msgspec.MsgspecError as fault:
        error = FieldError("/migration", "invalid", str(fault))
        raise Invalid(errors=[error]) from fault
    if migration is None:
        return frozenset()
    widened = {str(column.get("table")) for column in migration.columns}
    return frozenset({*migration.tables, *widened})
