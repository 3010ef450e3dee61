"""What customers' forms send, read into what the verbs take."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from apps.core.problems import FieldError, Invalid
from apps.core.units import Point
from apps.customers.pinning import PinMap
from apps.customers.services import Correction, Wish
from apps.orders.drafts import MAX_LENGTHS, AddressDraft
from apps.routes.dayinputs import Interval

LONGEST_SLOT = timedelta(hours=12)


def interval_of(text: str) -> Interval:
    """Read a slot as a form sends it: two instants with a slash between them (ISO 8601).

    Raises:
        Invalid: it is none.
    """
    opens, _, closes = text.partition("/")
    try:
        slot = Interval(datetime.fromisoformat(opens), datetime.fromisoformat(closes))
        length = slot.closes_at - slot.opens_at
    except (ValueError, TypeError):
        raise _choose() from None
    if slot.opens_at.tzinfo is None or not timedelta(0) < length <= LONGEST_SLOT:
        raise _choose()
    return slot


def _choose() -> Invalid:
    text = str(gettext_lazy("Please choose a time first."))
    return Invalid(text, errors=[FieldError("/slot", "required", text)])


def wish_from(form: Mapping[str, Any]) -> Wish:
    """Read what is asked of the driver."""
    kind, _, point = str(form.get("kind", "")).partition(":")
    try:
        point_id = uuid.UUID(point) if point else None
    except ValueError:
        point_id = None
    place = form.get(f"place_{kind}", "")
    return Wish(
        kind, _short(place, 120), _short(form.get("instructions", ""), 300), point_id
    )


def correction_of(form: Mapping[str, Any], shown: PinMap) -> Correction:
    """Read a corrected address; a tap on the map sends where on it, in pixels."""
    draft = AddressDraft(
        *(
            _short(form.get(name, ""), MAX_LENGTHS[name])
            for name in ("street", "house_number", "postcode", "city")
        )
    )
    return Correction(draft, _pin(form, shown), _short(form.get("note", ""), 300))


def _pin(form: Mapping[str, Any], shown: PinMap) -> Point | None:
    try:
        x, y = int(form.get("pin.x", "")), int(form.get("pin.y", ""))
    except ValueError:
        return None
    return shown.point_at(x, y)


def _short(text: Any, most: int) -> str:
    """Return a field's text without line breaks, and no longer than its column."""
    return " ".join(str(text).split())[:most]


def answers_of(
    form: Mapping[str, Any], questions: Mapping[str, bool]
) -> dict[str, Any]:
    """Read a survey's answers; `questions` says of each id whether it is a number."""
    found: dict[str, Any] = {}
    for name, is_number in questions.items():
        text = str(form.get(f"q_{name}", "")).strip()[:2000]
        if not text:
            continue
        found[name] = int(text) if is_number and text.isdecimal() else text
    return found
