"""Is a depot ready for the optimizer? One check a line, red, amber or green. Pure (C28).

A red check stops the switch unless somebody signs it off with a reason. The thresholds
are our first values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

RED: Final = "red"
AMBER: Final = "amber"
GREEN: Final = "green"

UNSURE_RED_PERCENT: Final = 10
"""Of the orders of a day, so many without a trusted place spoil every route."""
NO_SERVICE_TIME_AMBER_PERCENT: Final = 50
SILENT_AMBER_PERCENT: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a depot and the day that it is to be planned for."""

    orders: int
    unsure_places: int
    without_service_time: int
    oversized: int
    vehicles: int
    shifts: int
    devices: int
    silent_devices: int
    travel_source: str
    learned_travel: bool
    engine_failing: bool
    failure: str
    dead_plans: int
    may_plan: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a stable code, its colour, what was found, and what to do."""

    code: str
    title: str
    colour: str
    found: str
    to_do: str = ""


def checks_of(facts: Facts) -> list[Check]:
    """Return all checks, the red ones first."""
    found = [*_of_orders(facts), *_of_fleet(facts), *_of_machine(facts)]
    return sorted(found, key=lambda check: (RED, AMBER, GREEN).index(check.colour))


def blockers(checks: Iterable[Check]) -> list[Check]:
    """Return the checks that stop the switch."""
    return [check for check in checks if check.colour == RED]


def _of_orders(facts: Facts) -> Iterator[Check]:
    if not facts.orders:
        yield Check(
            "orders",
            "Orders",
            AMBER,
            "No open order on the day that was looked at.",
            "Import the orders of a typical day, then look again.",
        )
    unsure = _percent(facts.unsure_places, facts.orders)
    yield Check(
        "places",
        "Places of orders",
        RED if unsure > UNSURE_RED_PERCENT else AMBER if unsure else GREEN,
        f"{facts.unsure_places} of {facts.orders} orders have no trusted place.",
        "Mend their addresses, or import a gazetteer." if unsure else "",
    )
    bare = _percent(facts.without_service_time, facts.orders)
    many = bare > NO_SERVICE_TIME_AMBER_PERCENT
    yield Check(
        "service_times",
        "Service times",
        AMBER if many else GREEN,
        f"{facts.without_service_time} of {facts.orders} orders go by the standard.",
        "Give service times with the orders." if many else "",
    )
    all_oversized = 0 < facts.orders == facts.oversized
    yield Check(
        "loads",
        "Loads",
        RED if all_oversized else AMBER if facts.oversized else GREEN,
        f"{facts.oversized} orders are larger than any vehicle.",
        "Check weights and the vehicles' room." if facts.oversized else "",
    )


def _of_fleet(facts: Facts) -> Iterator[Check]:
    yield Check(
        "vehicles",
        "Vehicles",
        GREEN if facts.vehicles else RED,
        f"{facts.vehicles} vehicles are in use.",
        "" if facts.vehicles else "Enter a vehicle with its room.",
    )
    yield Check(
        "shifts",
        "Shifts",
        GREEN if facts.shifts else RED,
        f"{facts.shifts} shifts on the day that was looked at.",
        "" if facts.shifts else "Enter the day's shifts.",
    )
    silent = _percent(facts.silent_devices, facts.devices)
    colour = AMBER if silent > SILENT_AMBER_PERCENT or not facts.devices else GREEN
    yield Check(
        "devices",
        "Freshness of what devices tell",
        colour,
        f"{facts.silent_devices} of {facts.devices} devices were silent for a day.",
        "Enrol devices, and see that they are on." if colour != GREEN else "",
    )


def _of_machine(facts: Facts) -> Iterator[Check]:
    estimated = facts.travel_source == "estimated"
    yield Check(
        "travel",
        "Travel times",
        AMBER if estimated and not facts.learned_travel else GREEN,
        "Estimated from the great circle" + _learned(facts)
        if estimated
        else f"From a network of roads ({facts.travel_source}).",
        "Build a network of roads." if estimated and not facts.learned_travel else "",
    )
    yield Check(
        "engines",
        "Engines",
        RED if facts.engine_failing else GREEN,
        facts.failure or "No engine is known to fail.",
        "Wait until they answer again, or see why they fail."
        if facts.engine_failing
        else "",
    )
    yield Check(
        "recent_plans",
        "Plans of the last days",
        AMBER if facts.dead_plans else GREEN,
        f"{facts.dead_plans} plans of the last week failed.",
        "Look at them first." if facts.dead_plans else "",
    )
    yield Check(
        "leave",
        "Leave to plan",
        GREEN if facts.may_plan else RED,
        "The machine may plan here."
        if facts.may_plan
        else "A decision point forbids the optimizer to plan here.",
        "" if facts.may_plan else "Change the decision point.",
    )


def _learned(facts: Facts) -> str:
    learned = ", corrected by what was driven" if facts.learned_travel else ""
    return f"{learned}."


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
