"""The promises' verbs."""

from apps.promises.services.holding import (
    HoldOver,
    SlotGone,
    TooManyAtOnce,
    expire_holds,
    hold_slot,
    release_hold,
    take_slot,
)
from apps.promises.services.rules import keep_rules

__all__ = [
    "HoldOver",
    "SlotGone",
    "TooManyAtOnce",
    "expire_holds",
    "hold_slot",
    "keep_rules",
    "release_hold",
    "take_slot",
]
