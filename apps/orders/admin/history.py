"""What the journal knows of an order, in words."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from apps.journal.selectors import entries_about
from apps.orders.models import Order

WORDS = {
    "order.created": "Taken in",
    "order.changed": "Changed",
    "order.cancelled": "Cancelled",
    "order.outcome_set": "Outcome",
}


def history_rows(order: Order) -> list[list[str]]:
    """Return the facts about an order in words, oldest first."""
    zone = ZoneInfo(order.depot.time_zone)
    came = f"line {order.source_line} of {order.source_run}"
    rows = [
        [
            f"{order.received_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            order.source_run.requested_by if order.source_run else "",
            f"Came in: {came}" if order.source_run else "Came in",
        ]
    ]
    for entry in entries_about("order", order.pk):
        said = {
            key: value
            for key, value in entry.payload.items()
            if key not in ("order_id", "service_date")
        }
        more = "; ".join(
            f"{key.replace('_', ' ')}: {_text(v)}" for key, v in said.items()
        )
        word = WORDS.get(entry.kind, entry.kind)
        rows.append(
            [
                f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                entry.actor,
                f"{word} ({more})" if more else word,
            ]
        )
    names = _user_names(row[1] for row in rows)
    return [[when, names.get(who, who), what] for when, who, what in rows]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _user_names(actors: Iterable[str]) -> dict[str, str]:
    ids = {a.removeprefix("user:") for a in actors if a.startswith("user:")}
    users = User.objects.filter(pk__in=[i for i in ids if i.isdigit()])
    return {f"user:{user.pk}": user.get_username() for user in users}
