"""Driven routes to learn from, the smallest that are valid."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.learning.learners.facts import Clocks, RouteFact, StopFact
from apps.learning.learners.sketch import Added, Sketch, grown

MORNING = datetime(2026, 3, 16, 8, tzinfo=UTC)
TODAY = grown(MORNING + timedelta(days=1))
SENT = timedelta(seconds=2)


def visit(**fields: Any) -> StopFact:
    """Return a delivery that took `took_s`, planned with 100 s."""
    at = fields.pop("at", MORNING)
    end = at + timedelta(seconds=fields.pop("took_s", 100))
    known = {
        "stop_id": "stop",
        "zone": "North",
        "building": "1",
        "address": "1",
        "parcels": 1,
        "planned_s": 100,
        "is_delivered": True,
        "arrived": Clocks(at, at + SENT),
        "completed": Clocks(end, end + SENT),
        "left_at": None,
        "hour": at.hour,
        "opens_at": None,
        "planned_after": "",
        "planned_at": None,
        "leg_km": 1.0,
        "leg_hour": at.hour,
    }
    return StopFact(**(known | fields))


def route(stops: Sequence[StopFact], **fields: Any) -> RouteFact:
    """Return a route of these stops."""
    known: dict[str, Any] = {
        "route_id": "route",
        "driver_class": "van",
        "speed": 1.0,
        "rests": (),
    }
    return RouteFact(stops=tuple(stops), **(known | fields))


def visits(count: int, **fields: Any) -> list[StopFact]:
    """Return so many visits, one every ten minutes."""
    start = fields.pop("at", MORNING)
    return [
        visit(at=start + timedelta(minutes=10 * n), **{"stop_id": f"s{n}"} | fields)
        for n in range(count)
    ]


def tallied(rows: Sequence[Added], kind: str) -> dict[str, Sketch]:
    """Return the tallies of a kind."""
    found: dict[str, Sketch] = {}
    for row in rows:
        if row.kind == kind:
            found.setdefault(row.key, Sketch()).add(row)
    return found
