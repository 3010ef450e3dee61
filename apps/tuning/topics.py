"""What a proposal is about: its topic, the figure that it goes by, and it in words. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from apps.routes.followed import followed_from
from apps.routes.servicefactors import factors_from, key_in_words
from apps.routes.zoneorder import SEP, order_from

TRAVEL: Final = ("travel_c_s", "travel_p", "travel_by_hour", "roads_factor")
SERVICE: Final = ("service_factors", "standard_service_s")
ZONES: Final = ("zone_order", "zone_order_minor", "zone_leave_minor")
INTERVAL: Final = "eta_interval"
EXPECTED: Final = ("followed", "expected_late_minor_per_min")

SPEAKS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "service_ratio": SERVICE,
    "travel_ratio": TRAVEL,
    "coverage": ("eta_interval",),
}
"""Figure of the model monitor → the parameters that its drift speaks of; others speak of
causes that no one parameter has."""

SERVICE_ERROR: Final = "service_error_s"
LEG_ERROR: Final = "leg_error_s"
START_ERROR: Final = "start_error_s"
ORDER_ERROR: Final = "order_error_pct"
INTERVAL_SCORE: Final = "interval_score_s"
LATE: Final = "late_s"

FIGURES: Final[Mapping[str, str]] = {
    SERVICE_ERROR: "Mean error of a planned service, s",
    LEG_ERROR: "Mean error of a planned leg, s",
    START_ERROR: "Mean error of a planned begin of service, s",
    ORDER_ERROR: "Zones planned in another order than driven, % of pairs",
    INTERVAL_SCORE: "Interval score of a told time (width, and twenty times a miss), s",
    LATE: "Late a stop, s",
}

REPLAYED: Final = frozenset(
    {
        *TRAVEL,
        *SERVICE,
        *ZONES,
        *EXPECTED,
        *("engine", "seed", "day_rounds", "rules_day_rounds", "day_solutions"),
        "eta_interval",
    }
)
"""What a replay of past days can tell apart; other parameters change no first plan."""


def topic_of(names: Collection[str]) -> str:
    """Return what these parameters are about together."""
    if set(names) <= set(TRAVEL):
        return "travel"
    return "+".join(sorted(names))[:60]


def figures_about(names: Collection[str]) -> list[str]:
    """Name the monitor's figures whose drift speaks of any of these parameters."""
    wanted = set(names)
    return [figure for figure, about in SPEAKS_OF.items() if wanted & set(about)]


def error_of(topic: str) -> str:
    """Name the figure by which a change of a topic is judged and watched."""
    if topic == "travel":
        return LEG_ERROR
    if any(name in topic.split("+") for name in SERVICE):
        return SERVICE_ERROR
    if set(topic.split("+")) & set(ZONES):
        return ORDER_ERROR
    return INTERVAL_SCORE if topic == INTERVAL else START_ERROR


def in_words(topic: str) -> str:
    """Name a topic as the office reads it."""
    known = {
        "travel": "Travel times",
        "service_factors": "Service times by place and parcels",
        "zone_order": "Order of zones",
        "zone_leave_minor": "Price of leaving a zone",
        "followed": "How plans are followed",
        "eta_interval": "Width of told times",
    }
    return known.get(topic, topic.replace("_", " ").capitalize())


def changes_in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say what would change, a sentence a parameter or place."""
    said: list[str] = []
    for name in sorted(after):
        if name == "service_factors":
            said += _service_changes(before.get(name) or {}, after[name])
        elif name == "zone_order":
            said += _order_changes(before.get(name) or {}, after[name])
        elif name == "followed":
            said += _followed_changes(before.get(name) or {}, after[name])
        elif name == "travel_by_hour":
            said += _hour_changes(before.get(name) or (), after[name])
        elif before.get(name) != after[name]:
            said.append(
                f"{name}: {_short(before.get(name))} becomes {_short(after[name])}."
            )
    return said


def _service_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = factors_from(before), factors_from(after)
    said = []
    for key in sorted(old.keys() | new.keys()):
        was = old[key].factor if key in old else None
        becomes = new[key].factor if key in new else None
        if was == becomes:
            continue
        place = key_in_words(key)
        if becomes is None:
            said.append(f"Services at {place} are planned by the broader place again.")
        else:
            words = (
                f"{was:g} times" if was is not None else "as the broader place has it"
            )
            said.append(
                f"Services at {place} are planned at {becomes:g} times their standard;"
                f" until now {words}."
            )
    return said


def _order_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = order_from(before), order_from(after)
    said = []
    for key in sorted(old.keys() | new.keys()):
        one, _, other = key.partition(SEP)
        if key not in new:
            said.append(f"{one} and {other} have no order any more.")
        elif key not in old or old[key].share != new[key].share:
            sure = f"{100 * new[key].share:.0f} %"
            until = f"; until now {100 * old[key].share:.0f} %" if key in old else ""
            said.append(f"{one} had better come before {other}: {sure} sure{until}.")
    return said


def _followed_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = followed_from(before), followed_from(after)
    said = []
    for key in sorted(new):
        was = old[key].share if key in old else None
        if was != new[key].share:
            where = f"in {key.partition(':')[2]}" if ":" in key else "of the depot"
            until = "as usual" if was is None else f"{100 * was:.0f} %"
            said.append(
                f"Stops {where} are expected to be gone to when they are next"
                f" {100 * new[key].share:.0f} % of the times; until now {until}."
            )
    return said


def _hour_changes(before: Sequence[float], after: Sequence[float]) -> list[str]:
    if list(before) == list(after):
        return []
    slow = max(range(len(after)), key=lambda hour: after[hour]) if after else 0
    return [
        f"Travel by the hour: 24 factors anew, the slowest hour is {slow}:00"
        f" with {after[slow]:.2f}."
        if after
        else "Travel by the hour: as built in."
    ]


def _short(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
