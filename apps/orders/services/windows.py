"""The windows of an order: when it must be served, and when its customer likes it best."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from apps.core.problems import FieldError, Invalid
from apps.orders.drafts import OrderChanges, Window, merged
from apps.orders.models import Order, PreferredWindow, TimeWindow

KINDS = ("windows", "preferred_windows")
"""The fields of a draft: what must be, and what is preferred."""


def check_windows(windows: Sequence[Window], name: str = "windows") -> None:
    """Let windows pass that have a length; `name` is the field that they stand in.

    Raises:
        Invalid: one ends before it starts, or as it starts.
    """
    errors = [
        FieldError(
            f"/{name}/{index}/closes_at",
            "window_inverted",
            "The window ends before it starts, or as it starts: mend one of them.",
        )
        for index, window in enumerate(windows)
        if window.closes_at <= window.opens_at
    ]
    if errors:
        raise Invalid(errors[0].detail, errors=errors)


def new_windows(order: Order, changes: OrderChanges) -> dict[str, tuple[Window, ...]]:
    """Return the windows that an order is to have otherwise, by field.

    Raises:
        Invalid: one ends before it starts, or as it starts.
    """
    wanted: dict[str, tuple[Window, ...]] = {}
    for name in changes.fields.intersection(KINDS):
        asked: tuple[Window, ...] = getattr(changes.draft, name)
        check_windows(asked, name)
        if (new := merged(asked)) != _held(order, name):
            wanted[name] = new
    return wanted


def _held(order: Order, name: str) -> tuple[Window, ...]:
    rows = order.windows.all() if name == "windows" else order.preferences.all()
    return tuple(Window(row.opens_at, row.closes_at) for row in rows)


def replace_windows(order: Order, name: str, windows: Sequence[Window]) -> None:
    """Give an order these windows of one kind instead of those it has."""
    if name == "windows":
        order.windows.all().delete()
        TimeWindow.objects.bulk_create(
            TimeWindow(order=order, opens_at=w.opens_at, closes_at=w.closes_at)
            for w in windows
        )
        return
    order.preferences.all().delete()
    PreferredWindow.objects.bulk_create(
        PreferredWindow(
            order=order,
            customer_id=order.customer_id,
            opens_at=w.opens_at,
            closes_at=w.closes_at,
        )
        for w in windows
    )


def hand_preferences_on(order: Order) -> None:
    """Let an order's preferences be those of the customer whom it has now."""
    order.preferences.update(customer_id=order.customer_id)


def move_preferences(order: Order, days: timedelta) -> None:
    """Take an order's preferences along to another day, at the same local times."""
    zone = ZoneInfo(order.depot.time_zone)
    held = _held(order, "preferred_windows")
    if not held or not days:
        return
    moved = [
        Window(
            window.opens_at.astimezone(zone) + days,
            window.closes_at.astimezone(zone) + days,
        )
        for window in held
    ]
    kept = [window for window in moved if window.opens_at < window.closes_at]
    replace_windows(order, "preferred_windows", kept)
