"""What no replay can see, by kind of choice: what is left undecidable for it, and why. Pure.

Some choices are about more than travel times: a person's rest, a customer's wish, a stop
that waits for another day. What is not measured stands on one side. Where it speaks for
the choice (rest, a wish), figures can show that the choice was right, never that it was
wrong; where it speaks for the recommendation (a customer who was served today), only that
the choice was wrong. And some choices leave no other way that could be driven once more.
"""

from enum import StrEnum
from typing import Final

from apps.verdicts.ways import Ruling


class Beyond(StrEnum):
    """Why a verdict is undecidable for another reason than noise."""

    NO_OTHER_WAY = "no_other_way"
    IN_WORDS = "in_words"
    DOOR_UNKNOWN = "door_unknown"
    NOT_VISITED_SINCE = "not_visited_since"
    NOT_SERVED = "not_served"
    BREAK_NOT_TAKEN = "break_not_taken"
    VEHICLE_OUT = "vehicle_out"
    TRAIL_LOST = "trail_lost"
    REST = "rest"
    WISH = "wish"
    WAITED = "waited"


FOR_THE_CHOICE: Final = frozenset({Beyond.REST, Beyond.WISH})
FOR_THE_RECOMMENDATION: Final = frozenset({Beyond.WAITED})

AT_THE_DOOR: Final = frozenset(
    {"customer_asked", "customer_absent", "access", "safety", "health"}
)
"""Reasons of somebody who saw the door, or spoke with the customer."""

WISHED: Final = frozenset({"customer_asked", "customer_absent"})
BROKEN: Final = frozenset({"load", "safety"})


def unmeasured(kind: str, reason: str) -> Beyond | None:
    """Return what stands on one side of a choice and is measured by nothing."""
    if kind in {"extra_break", "end_shift_early"}:
        return Beyond.REST
    if kind == "change_window" and reason in WISHED:
        return Beyond.WISH
    if kind in {"skip_stop", "take_off"}:
        return Beyond.WAITED
    return None


def barred(kind: str, reason: str) -> Beyond | None:
    """Return why a choice is not replayed at all, where its kind and reason say so."""
    if kind in {"lock_route", "unlock_route"}:
        return Beyond.NO_OTHER_WAY
    if kind == "other":
        return Beyond.IN_WORDS
    if kind in {"skip_stop", "take_off"} and reason in AT_THE_DOOR:
        return Beyond.DOOR_UNKNOWN
    if kind == "change_vehicle" and reason in BROKEN:
        return Beyond.VEHICLE_OUT
    return None


def one_sided(ruling: Ruling, aside: Beyond | None) -> tuple[Ruling, str]:
    """Return a ruling that leaves room for what is not measured, and why it does."""
    held = (ruling == Ruling.WRONG and aside in FOR_THE_CHOICE) or (
        ruling == Ruling.RIGHT and aside in FOR_THE_RECOMMENDATION
    )
    return (Ruling.UNDECIDABLE, str(aside)) if held else (ruling, "")
