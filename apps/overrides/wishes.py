"""What a device says it wants, read as a change; what cannot be read stays in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from apps.core.problems import Invalid
from apps.routes.changes import KINDS, Change, as_wire, from_wire

OTHER: Final = "other"
OLD_NAMES: Final = {"change_order": "move_stop", "swap_driver": "give_stop"}
"""Actions of devices that know the first names alone."""

ACTIONS: Final = (*KINDS, OTHER, *OLD_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants, and why; `change` is None where it is told in words alone.

    `client_id` is the asker's own id of it: a repeat is the same request.
    """

    client_id: str
    change: Change | None
    words: Mapping[str, Any] = field(default_factory=dict)
    reason: str = "other"
    note: str = ""
    recommendation_id: str = ""
    stop_id: str = ""
    """Which stop words are about; a change names its own."""


def read_change(
    action: str, details: Mapping[str, Any], *, stop_id: str, reason: str
) -> Change | None:
    """Return the change that an event asks for; None where its words need a person.

    The event's stop and reason fill in what the details leave out. `details` of the wrong
    shape are not thrown back at the driver: somebody in the office reads them.
    """
    kind = OLD_NAMES.get(action, action)
    shape = KINDS.get(kind)
    if shape is None:
        return None
    names = {one.name for one in fields(shape)}
    values = dict(details)
    if "stop_id" in names and stop_id:
        values.setdefault("stop_id", stop_id)
    if "reason" in names and reason:
        values.setdefault("reason", reason[:300])
    try:
        return from_wire(kind, values)
    except Invalid:
        return None


def stored(wish: Wish) -> dict[str, Any]:
    """Return what a wish asks, as JSON values to be kept."""
    return as_wire(wish.change) if wish.change is not None else dict(wish.words)
