"""Keys of estimates in words, as the office reads them. Pure."""

from apps.learning.shapes import ADHERENCE, SERVICE, SUCCESS, TRAVEL, ZONE_ORDER

MEANINGS = {
    SERVICE: "How long services take, as a factor on what is planned for them.",
    TRAVEL: "How long drives take, as a factor on the travel law's first values.",
    SUCCESS: "How probable it is that a delivery succeeds.",
    ZONE_ORDER: "How probable it is that one zone is rightly driven before another.",
    ADHERENCE: "How probable it is that a recommendation is followed.",
}
"""What a figure of each kind says."""

FACTORS = (SERVICE, TRAVEL)
"""Kinds whose figures are factors; the others are probabilities."""


STAYS = {
    "stays:driven": "A zone is not left while it has stops to come, as driven",
    "stays:planned": "A zone is not left while it has stops to come, as planned",
}


def key_in_words(kind: str, key: str) -> str:
    """Name what a figure is about."""
    if key in STAYS:
        return STAYS[key]
    if kind == ZONE_ORDER:
        one, _, other = key.partition(">")
        return f"{one} before {other}"
    what, _, name = key.partition(":")
    name, _, more = name.partition("@")
    if what == "pair":
        name = name.replace(">", " to ", 1)
    if what == "hour":
        return hour_in_words(name)
    place = name if what in {"pair", "building", "address"} else f"{what} {name}"
    if key == "depot":
        return "Everything"
    if what == "parcels":
        place = "1 parcel" if name == "1" else f"{name} parcels"
    if not more:
        return place
    return f"{place}, {hour_in_words(more) if more.isdigit() else more}"


def hour_in_words(hour: str) -> str:
    """Name an hour of the day."""
    return f"{int(hour):02}–{(int(hour) + 1) % 24:02} h"


def figure_in_words(kind: str, mean: float) -> str:
    """Write a figure as it is read: × 1.25, or 92 %."""
    return f"× {mean:.2f}" if kind in FACTORS else f"{100 * mean:.1f} %"
