"""How the office's pages write times, durations, distances and money."""

from datetime import datetime
from typing import Any

from django import template

from apps.core import wording
from apps.core.ties import ties_of

register = template.Library()


@register.filter
def clock(at: datetime | None, zone: str) -> str:
    """Return the time of day on the depot's wall."""
    return wording.local_time(at, zone, "%H:%M")


@register.filter
def moment(at: datetime | None, zone: str) -> str:
    """Return day and time on the depot's wall."""
    return wording.local_time(at, zone)


@register.filter
def lasting(seconds: int | None) -> str:
    """Return a duration."""
    return wording.NOTHING if seconds is None else wording.duration(seconds)


@register.filter
def far(metres: int | None) -> str:
    """Return a distance."""
    return wording.NOTHING if metres is None else wording.distance(metres)


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Return an amount."""
    return wording.NOTHING if minor is None else wording.money(minor, currency)


@register.filter
def words(code: str) -> str:
    """Return a code as words."""
    return code.replace("_", " ").replace(".", " ")


@register.inclusion_tag("core/ties.html", takes_context=True)
def ties(context: Any, row: Any) -> dict[str, Any]:
    """Show what a page's subject is tied to in the rooms above."""
    return {"ties": ties_of(row, context["request"].user)}
