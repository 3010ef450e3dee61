"""The journal's kinds and payloads in words. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.core.wording import duration, local_time

MOST = 8
"""Of a long list so many values are named."""

TITLES = {
    "order.created": "Taken in",
    "order.changed": "Changed",
    "order.cancelled": "Cancelled",
    "order.outcome_set": "Outcome",
    "orders.imported": "Orders imported",
    "driver.hired": "Hired",
    "vehicle.added": "Added",
    "zone.drawn": "Drawn",
    "plan.gave_way": "Gave way to a later plan",
    "plan.engine_failed": "An engine failed",
    "task.run_again": "Run again by hand",
    "stop.enroute": "On the way to the stop",
    "stop.arrived": "Arrived at the stop",
    "stop.succeeded": "Stop succeeded",
    "stop.failed": "Stop failed",
    "stop.released": "Stop taken off its route",
    "plan_change.acknowledged": "Driver confirmed the change",
    "api_token.issued": "API token given",
    "api_token.withdrawn": "API token withdrawn",
    "demo_login.given": "Log-in of the demo given",
}
Told = tuple[str, str]
"""The name of a detail, and what it is."""


def title_of(kind: str) -> str:
    """Return what an entry's kind says: `driver.changed` → `Driver changed`."""
    if kind in TITLES:
        return TITLES[kind]
    text = kind.replace(".", " ").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def details_of(payload: Mapping[str, Any], zone: str) -> tuple[Told, ...]:
    """Return a payload's details as people read them; ids say nothing to anybody."""
    return tuple(
        (_name(key), text)
        for key, value in payload.items()
        if not key.endswith(("_id", "_ids", "_hash"))
        and (text := _text(key, value, zone))
    )


def _name(key: str) -> str:
    plain = key.removesuffix("_s").removesuffix("_at").removesuffix("_minor")
    return plain.replace("_", " ")


def _text(key: str, value: Any, zone: str) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = details_of(value, zone)
        return ", ".join(f"{name} {text}" for name, text in parts)
    if isinstance(value, list):
        texts = [_text("", item, zone) for item in value[:MOST]]
        more = f" and {len(value) - MOST} more" if len(value) > MOST else ""
        return ", ".join(text for text in texts if text) + more
    if isinstance(value, str):
        return _moment(value, zone)
    return duration(value) if key.endswith("_s") else str(value)


def _moment(text: str, zone: str) -> str:
    """Return an instant by the depot's clock; what is none, as words."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text.replace("_", " ")
    return local_time(at, zone) if at.tzinfo else text
