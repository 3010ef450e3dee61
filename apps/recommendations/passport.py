"""A recommendation in words: what was compared, what it costs, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.wording import local_time, money
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import is_of_earlier_version
from apps.recommendations.words import OFFICE, how_to_object, said

PARTS = {
    "fixed_minor": "Vehicles",
    "distance_minor": "Distance",
    "duration_minor": "Time",
    "overtime_minor": "Overtime",
    "unserved_minor": "Orders left out",
    "disruption_minor": "Stops that change their driver",
    "resequence_minor": "Stops that change their place",
    "soft_minor": "Wishes and told times missed",
    "balance_minor": "Uneven routes",
    "zone_order_minor": "Against the learned order of zones (a preference, no money)",
    "total_minor": "Total",
}
ENGINES = {
    "ortools": "Optimizer (OR-Tools)",
    "greedy": "Insertion by rules",
    "repair": "Mending by rules",
    "pyvrp": "Optimizer (PyVRP)",
    "parts": "Optimizer, part by part",
    "propagation": "Times driven in thought",
    "placed": "The cheapest gap of a live route",
    "estimated": "The way from the nearest place",
    "tuning": "What was learned and reported",
    "relearning": "What driven legs teach",
    "plan": "The plan's own times",
    "follow": "Driven as decided",
    "present": "The plan as it is",
    "in_force": "The values in force before",
}


@dataclass(frozen=True, slots=True)
class CostRow:
    """One part of the cost: here, and in each alternative."""

    name: str
    here: str
    others: tuple[str, ...]
    is_total: bool


@dataclass(frozen=True, slots=True)
class Passport:
    """A recommendation as people read it."""

    row: Recommendation
    engine: str
    reasons: tuple[str, ...]
    data_used: tuple[str, ...]
    how_to_object: str
    outcome: str
    checked: str
    alternatives: tuple[str, ...]
    costs: tuple[CostRow, ...]
    gain: str
    details: tuple[tuple[str, str], ...]


def passport_of(row: Recommendation) -> Passport:
    """Return the recommendation in words."""
    currency = row.depot.currency
    gain = row.expected_gain or {}
    against = ENGINES.get(str(gain.get("against")), str(gain.get("against", "")))
    return Passport(
        row=row,
        engine=f"{ENGINES.get(row.engine, row.engine)} {row.engine_version}",
        reasons=tuple(said(reason) for reason in row.reasons),
        data_used=tuple(said(item) for item in row.data_used),
        how_to_object=how_to_object(OFFICE),
        outcome=str(row.outcome.get("text", "")),
        checked=_checked(row),
        alternatives=tuple(
            ENGINES.get(str(item.get("engine")), str(item.get("engine")))
            for item in row.alternatives
        ),
        costs=tuple(
            CostRow(
                name=name,
                here=_amount(row.costs, part, currency),
                others=tuple(
                    _amount(item, part, currency) for item in row.alternatives
                ),
                is_total=part == "total_minor",
            )
            for part, name in PARTS.items()
            if part in row.costs
        ),
        gain=f"{money(int(gain['minor']), currency)} less than: {against}"
        if gain.get("minor")
        else "",
        details=(
            ("Seed", str(row.seed)),
            ("Inputs, SHA-256", row.inputs_hash),
            ("Answer, SHA-256", row.answer_hash),
            *((name, str(value)) for name, value in sorted(row.parameters.items())),
        ),
    )


def _checked(row: Recommendation) -> str:
    """Say when it was made again from its inputs, and how that came out."""
    if row.checked_at is None and is_of_earlier_version(row):
        return "Made by an earlier version of its engine: it is not made again."
    if row.checked_at is None:
        return "Not made again yet."
    at = local_time(row.checked_at, row.depot.time_zone)
    same = "the same answer to the byte" if row.is_identical else "ANOTHER answer"
    return f"Made again {at}: {same}."


def _amount(costs: Mapping[str, Any], part: str, currency: str) -> str:
    return money(int(costs[part]), currency) if part in costs else ""
