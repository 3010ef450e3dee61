"""From checked fields to what the verbs of orders take."""

from typing import Any

from apps.core.codes import codes_of
from apps.core.units import Point
from apps.orders.drafts import (
    AddressDraft,
    CustomerDraft,
    OrderChanges,
    OrderDraft,
    Window,
)


def draft_of(fields: dict[str, Any]) -> OrderDraft:
    """Make the draft of a checked `NewOrder`."""
    values = _values(fields)
    return OrderDraft(
        reference=fields["reference"], service_date=fields["service_date"], **values
    )


def changes_of(fields: dict[str, Any]) -> OrderChanges:
    """Make the change of a checked `OrderChange`."""
    return OrderChanges.of(**_values(fields))


def windows_of(items: list[dict[str, Any]]) -> tuple[Window, ...]:
    """Make windows of checked ones."""
    return tuple(Window(item["opens_at"], item["closes_at"]) for item in items)


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    values = {
        name: value
        for name, value in fields.items()
        if name not in ("depot", "reference", "service_date", "location")
    }
    if location := fields.get("location"):
        lon, lat = location["coordinates"]
        values["point"] = Point(lat, lon)
    if "customer" in values:
        values["customer"] = _customer(values["customer"])
    if "address" in values:
        values["address"] = AddressDraft(**values["address"])
    for name in ("windows", "preferred_windows"):
        if name in values:
            values[name] = windows_of(values[name])
    if "requires" in values:
        values["requires"] = codes_of(values["requires"])
    if "proof" in values:
        values["proof"] = tuple(dict.fromkeys(values["proof"]))
    return values


def _customer(fields: dict[str, Any] | None) -> CustomerDraft | None:
    if not fields or not any(fields.values()):
        return None
    return CustomerDraft(**fields)
