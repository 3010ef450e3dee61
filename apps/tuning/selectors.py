"""Questions to proposals and to the parameters that they change; they never write."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.routes import followed, servicefactors, zoneorder
from apps.routes.models import PlanningParameter
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force
from apps.tuning.models import Proposal
from apps.tuning.states import OPEN, ProposalState

STORED: Mapping[str, Callable[[Any], Any]] = {
    "service_factors": servicefactors.stored,
    "zone_order": zoneorder.stored,
    "followed": followed.stored,
}
"""Parameters that are mappings, by how a version stores them."""

FIGURE_KEYS = ("factor", "share")
"""Of an entry of such a mapping this is the figure; the rest is how it is known."""


def stored_value(parameters: Parameters, name: str) -> Any:
    """Return a parameter's value as a version stores it."""
    value = getattr(parameters, name)
    if name in STORED:
        return STORED[name](value)
    return list(value) if isinstance(value, tuple) else value


def values_in_force(
    depot_id: uuid.UUID, names: Iterable[str], at: datetime
) -> dict[str, Any]:
    """Return the values of some parameters that are in force, as versions store them."""
    parameters = parameters_in_force(depot_id, at)
    return {name: stored_value(parameters, name) for name in sorted(names)}


def newest_versions(depot_id: uuid.UUID, names: Iterable[str]) -> dict[str, int]:
    """Return the newest version of some parameters of a depot."""
    rows = PlanningParameter.objects.filter(depot_id=depot_id, name__in=list(names))
    return dict(rows.order_by("version").values_list("name", "version"))


def changed_on(depot_id: uuid.UUID, names: Iterable[str], now: datetime) -> date | None:
    """Return the day on which any of some parameters was last changed; None: never."""
    rows = PlanningParameter.objects.filter(
        depot_id=depot_id, name__in=list(names), valid_from__lte=now
    ).select_related("depot")
    row = rows.order_by("-valid_from").first()
    if row is None:
        return None
    return row.valid_from.astimezone(ZoneInfo(row.depot.time_zone)).date()


def open_proposals(depot_id: uuid.UUID, names: Iterable[str]) -> list[Proposal]:
    """Return the open proposals of a depot that change any of these parameters."""
    wanted = set(names)
    rows = Proposal.objects.filter(depot_id=depot_id, status__in=OPEN)
    return [row for row in rows if wanted & row.values.keys()]


def last_answer(depot_id: uuid.UUID, topic: str, since: datetime) -> Proposal | None:
    """Return the newest proposal of a topic that people declined or had taken back."""
    rows = Proposal.objects.filter(
        depot_id=depot_id,
        topic=topic,
        status__in=[ProposalState.DECLINED, ProposalState.REVERTED],
        decided_at__gte=since,
    )
    return rows.first()


def in_force() -> list[Proposal]:
    """Return the proposals that are in force and watched."""
    rows = Proposal.objects.filter(status=ProposalState.IN_FORCE)
    return list(rows.select_related("depot").order_by("pk"))


def is_alike(one: Any, other: Any, *, share: float) -> bool:
    """Tell whether two values are the same but for a share of them."""
    match one, other:
        case (Mapping(), Mapping()):
            for key in FIGURE_KEYS:
                if key in one and key in other:
                    return is_alike(one[key], other[key], share=share)
            return one.keys() == other.keys() and all(
                is_alike(one[key], other[key], share=share) for key in one
            )
        case (list(), list()):
            return len(one) == len(other) and all(
                is_alike(a, b, share=share) for a, b in zip(one, other, strict=True)
            )
        case (int() | float(), int() | float()):
            return abs(one - other) <= share * max(abs(one), abs(other))
    return bool(one == other)
