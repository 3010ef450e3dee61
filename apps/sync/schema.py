"""The tables and columns that a device sees, by the version of the schema. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final

SCHEMA_VERSION: Final = 8
"""The newest; a change of tables or columns takes the next number (`since=`)."""

OLDEST_VERSION: Final = 1
"""Devices of a schema before it have to be updated (426)."""

TEXT, NUMBER, FLAG = "string", "number", "boolean"
EMPTY: Mapping[str, Any] = {TEXT: "", NUMBER: 0, FLAG: False}


@dataclass(frozen=True, slots=True)
class Column:
    """A scalar: its type, how to read it, and since which version it is there."""

    name: str
    type: str = TEXT
    optional: bool = False
    form: str = ""
    since: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the wire; every row has an `id` beside these columns."""

    name: str
    columns: tuple[Column, ...]
    since: int = 1

    def columns_at(self, version: int) -> list[Column]:
        """Return the columns that a device of a version knows."""
        return [column for column in self.columns if column.since <= version]


def _text(name: str, *, optional: bool = False) -> Column:
    return Column(name, TEXT, optional)


def _number(name: str, *, optional: bool = False) -> Column:
    return Column(name, NUMBER, optional)


def _instant(name: str, *, optional: bool = False) -> Column:
    return Column(name, NUMBER, optional, "epoch-ms")


def _json(name: str) -> Column:
    return Column(name, TEXT, optional=False, form="json")


ROUTES = Table(
    "routes",
    (
        Column("service_date", TEXT, form="date"),
        _text("status"),
        _number("version"),
        _instant("starts_at"),
        _instant("ends_at"),
        _number("distance_m"),
        _number("duration_s"),
        _text("travel_quality"),
        _text("depot_name"),
        _number("depot_lat"),
        _number("depot_lon"),
        _text("time_zone"),
        _text("vehicle_name"),
        _instant("break_starts_at", optional=True),
        _instant("break_ends_at", optional=True),
        _text("shift_id"),
        _text("shift_status"),
        Column("planning_mode", TEXT, optional=True, since=5),
        Column("is_locked", FLAG, optional=True, since=7),
        Column("locked_by", TEXT, optional=True, since=7),
        Column("locked_until_at", NUMBER, optional=True, form="epoch-ms", since=7),
        Column("lock_text", TEXT, optional=True, since=7),
    ),
)
STOPS = Table(
    "stops",
    (
        _text("route_id"),
        _text("order_id"),
        _number("sequence"),
        _text("status"),
        _text("reason"),
        _instant("eta_at", optional=True),
        _instant("planned_arrival_at", optional=True),
        _number("service_s"),
        _number("version"),
        _instant("arrived_at", optional=True),
        _instant("completed_at", optional=True),
        Column("eta_low_at", NUMBER, optional=True, form="epoch-ms", since=3),
        Column("eta_high_at", NUMBER, optional=True, form="epoch-ms", since=3),
        Column("eta_reason", TEXT, optional=True, since=3),
        Column("road_warning", TEXT, optional=True, since=3),
        Column("road_warning_text", TEXT, optional=True, since=3),
        Column("pins", TEXT, optional=True, form="json", since=7),
        Column("pin_text", TEXT, optional=True, since=7),
    ),
)
ORDERS = Table(
    "orders",
    (
        _text("reference"),
        _text("kind"),
        Column("is_cancelled", FLAG),
        _text("customer_name"),
        _text("customer_phone"),
        _text("street"),
        _text("house_number"),
        _text("postcode"),
        _text("city"),
        _number("lat"),
        _number("lon"),
        _json("windows"),
        _json("requires"),
        _json("proof"),
        _text("notes"),
        _number("pieces"),
        _number("load_g"),
        _number("load_ml"),
        _number("priority"),
        _number("service_s", optional=True),
    ),
)
PLAN_CHANGES = Table(
    "plan_changes",
    (
        _text("route_id"),
        _number("route_version"),
        _json("added"),
        _json("removed"),
        _json("moved"),
        _json("eta_moved"),
        _text("why"),
        _instant("made_at"),
        _instant("acknowledged_at", optional=True),
        Column("recommendation_id", TEXT, optional=True, since=5),
        Column("how_to_object", TEXT, optional=True, since=5),
    ),
)
RECOMMENDATIONS = Table(
    "recommendations",
    (
        _text("kind"),
        _text("engine"),
        _text("mode"),
        _json("reasons"),
        _instant("issued_at"),
        Column("why", TEXT, optional=True, form="json", since=5),
        Column("data_used", TEXT, optional=True, form="json", since=5),
        Column("how_to_object", TEXT, optional=True, since=5),
        Column("reason_codes", TEXT, optional=True, form="json", since=5),
    ),
)
EVENT_RESULTS = Table(
    "event_results",
    (
        _text("kind"),
        _text("stop_id"),
        _text("result"),
        _text("code"),
        _text("detail"),
        _instant("received_at"),
        _instant("occurred_at"),
        Column("rule", TEXT, optional=True, since=4),
        Column("yours", TEXT, optional=True, since=4),
        Column("ours", TEXT, optional=True, since=4),
        Column("ours_at", NUMBER, optional=True, form="epoch-ms", since=4),
        Column("winner", TEXT, optional=True, since=4),
        Column("advice", TEXT, optional=True, since=4),
        Column("corrects", TEXT, optional=True, since=4),
    ),
)
ATTACHMENTS = Table(
    "attachments",
    (
        _text("event_id"),
        _text("stop_id"),
        _text("status"),
        _text("detail"),
        _number("size_bytes"),
        _number("received_bytes"),
        _instant("stored_at", optional=True),
    ),
    since=2,
)
FEEDBACK_ANSWERS = Table(
    "feedback_answers",
    (
        _text("recommendation_id"),
        _number("rating", optional=True),
        _text("reason"),
        _text("text"),
        Column("objects", FLAG),
        _text("status"),
        _text("status_text"),
        _text("answer"),
        _instant("given_at"),
        _instant("answered_at", optional=True),
    ),
    since=5,
)
SURVEYS = Table(
    "surveys",
    (
        _text("key"),
        _number("version"),
        _text("title"),
        _json("questions"),
        _instant("asked_at"),
        _instant("expires_at"),
    ),
    since=5,
)
OVERRIDES = Table(
    "overrides",
    (
        _text("kind"),
        _text("state"),
        _text("detail"),
        _text("event_id"),
        _text("stop_id"),
        _text("route_id"),
        _text("approver"),
        _json("impact"),
        _instant("asked_at"),
        _instant("deadline_at", optional=True),
        _instant("answered_at", optional=True),
    ),
    since=6,
)
VERDICTS = Table(
    "verdicts",
    (
        _text("kind"),
        _text("ruling"),
        _text("text"),
        _text("data_used"),
        _text("how_to_object"),
        _text("event_id"),
        _text("route_id"),
        _text("recommendation_id"),
        _number("gained_s"),
        _instant("judged_at"),
    ),
    since=8,
)

TABLES: Final = (
    ROUTES,
    STOPS,
    ORDERS,
    PLAN_CHANGES,
    RECOMMENDATIONS,
    EVENT_RESULTS,
    ATTACHMENTS,
    FEEDBACK_ANSWERS,
    SURVEYS,
    OVERRIDES,
    VERDICTS,
)

EVENTS: Final = "events"
"""The one table that devices write."""


def tables_at(version: int, tables: Iterable[Table] = TABLES) -> dict[str, Table]:
    """Return the tables that a device of a version knows, by name."""
    return {table.name: table for table in tables if table.since <= version}


@cache
def shaper(table: Table, version: int) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what gives of a row the columns that a device of a version knows."""
    names = ("id", *(column.name for column in table.columns_at(version)))
    values_of = itemgetter(*names)  # every table has a column beside its id
    return lambda row: dict(zip(names, values_of(row), strict=True))


def shaped(row: Mapping[str, Any], table: Table, version: int) -> dict[str, Any]:
    """Return a row with the columns alone that a device of a version knows."""
    return shaper(table, version)(row)


def emptied(row_id: str, table: Table, version: int) -> dict[str, Any]:
    """Return a deleted row with its required columns filled, for clients that check."""
    row: dict[str, Any] = {"id": row_id, "_deleted": True}
    for column in table.columns_at(version):
        row[column.name] = None if column.optional else _blank(column)
    return row


def _blank(column: Column) -> Any:
    return "[]" if column.form == "json" else EMPTY[column.type]


def described(version: int) -> dict[str, Any]:
    """Return the schema of a version as a device's app may read it."""
    return {
        "version": version,
        "tables": [
            {
                "name": table.name,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "isOptional": column.optional,
                        "format": column.form,
                    }
                    for column in table.columns_at(version)
                ],
            }
            for table in tables_at(version).values()
        ],
    }
