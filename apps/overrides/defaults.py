"""The decision rights that a new house begins with, and how long each kind may wait. Pure.

Costs are minor units of a depot's money (500 is 5.00 in euros). They are meant to be
changed: what they come from is how a depot is usually run, not a measurement.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from apps.overrides.rights import ADMINISTRATOR, Limits, Outcome

DRIVER, COORDINATOR, PLANNER, SUPERVISOR = (
    "Driver",
    "Coordinator",
    "Route planner",
    "Supervisor",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Minutes for an answer, and after how many of them the next role is asked."""

    answer_within: int
    escalate_after: int


PATIENCE: Final[Mapping[str, Patience]] = {
    "move_stop": Patience(20, 7),
    "pin_stop": Patience(30, 10),
    "give_stop": Patience(30, 10),
    "take_off": Patience(45, 15),
    "skip_stop": Patience(10, 4),
    "change_window": Patience(60, 20),
    "lock_route": Patience(60, 20),
    "unlock_route": Patience(60, 20),
    "take_alternative": Patience(45, 15),
    "end_shift_early": Patience(45, 15),
    "change_vehicle": Patience(30, 10),
    "extra_break": Patience(15, 5),
    "other": Patience(60, 20),
}
"""Skipping and resting cannot wait; what concerns tomorrow's customer can."""

KINDS: Final = tuple(PATIENCE)
SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The first rules hold for every day that a house has, past ones replayed included."""


@dataclass(frozen=True, slots=True)
class Default:
    """One first rule of the house."""

    kind: str
    role: str
    outcome: Outcome
    approver: str
    limits: Limits


def _limits(
    minutes: int | None = None,
    cost_minor: int | None = None,
    stops: int | None = None,
    windows: int | None = None,
    departure: int | None = None,
) -> Limits:
    return Limits(
        minutes=minutes,
        cost_minor=cost_minor,
        stops=stops,
        windows_broken=windows,
        minutes_to_departure=departure,
    )


NO_LIMIT: Final = _limits()
SMALL: Final = _limits(10, 500, 40, 0)
REST: Final = _limits(25, 1500, None, 0)
MEDIUM: Final = _limits(30, 2500, 80, 1)
LARGE: Final = _limits(60, 6000, 150, 3)
HUGE: Final = _limits(240, 30_000, None, 15)

DriversRight = tuple[str, Limits | None, tuple[tuple[str, Limits], ...]]
FOR_DRIVERS: Final[tuple[DriversRight, ...]] = (
    ("move_stop", SMALL, ((COORDINATOR, MEDIUM), (SUPERVISOR, NO_LIMIT))),
    ("pin_stop", SMALL, ((COORDINATOR, MEDIUM), (SUPERVISOR, NO_LIMIT))),
    ("give_stop", None, ((COORDINATOR, MEDIUM), (SUPERVISOR, NO_LIMIT))),
    ("take_off", None, ((COORDINATOR, MEDIUM), (SUPERVISOR, NO_LIMIT))),
    ("skip_stop", None, ((COORDINATOR, NO_LIMIT),)),
    ("change_window", None, ((COORDINATOR, MEDIUM), (SUPERVISOR, NO_LIMIT))),
    ("lock_route", None, ((PLANNER, NO_LIMIT),)),
    ("unlock_route", None, ((PLANNER, NO_LIMIT),)),
    ("take_alternative", SMALL, ((PLANNER, LARGE), (SUPERVISOR, NO_LIMIT))),
    ("end_shift_early", None, ((SUPERVISOR, NO_LIMIT),)),
    ("change_vehicle", None, ((SUPERVISOR, NO_LIMIT),)),
    ("extra_break", REST, ((COORDINATOR, NO_LIMIT),)),
    ("other", None, ((COORDINATOR, NO_LIMIT),)),
)
"""Kind, what drivers may by themselves, and who is asked up to where."""

FOR_THE_OFFICE: Final = (
    (COORDINATOR, MEDIUM, SUPERVISOR),
    (PLANNER, LARGE, SUPERVISOR),
    (SUPERVISOR, HUGE, ADMINISTRATOR),
)
"""Role, what it may by itself, and who is asked beyond."""

SUPERVISORS_MATTER: Final = ("end_shift_early", "change_vehicle")
PLANNERS_MATTER: Final = ("lock_route", "unlock_route", "take_alternative")


def default_rights() -> Iterator[Default]:
    """Yield the first rules of the house, driver to administrator."""
    for kind, own, asked in FOR_DRIVERS:
        if own is not None:
            yield Default(kind, DRIVER, Outcome.ALLOWED, "", own)
        for approver, limits in asked:
            yield Default(kind, DRIVER, Outcome.APPROVAL, approver, limits)
    for role, own, approver in FOR_THE_OFFICE:
        for kind in KINDS:
            if kind == "other":
                continue
            first = _first_asked(role, kind)
            if first:
                yield Default(kind, role, Outcome.APPROVAL, first, NO_LIMIT)
                continue
            yield Default(kind, role, Outcome.ALLOWED, "", own)
            yield Default(kind, role, Outcome.APPROVAL, approver, NO_LIMIT)
    for kind in KINDS:
        if kind != "other":
            yield Default(kind, ADMINISTRATOR, Outcome.ALLOWED, "", NO_LIMIT)


def _first_asked(role: str, kind: str) -> str:
    """Return who is always asked, since the matter is another's; empty for nobody."""
    if role == COORDINATOR and kind in PLANNERS_MATTER:
        return PLANNER
    if role in (COORDINATOR, PLANNER) and kind in SUPERVISORS_MATTER:
        return SUPERVISOR
    return ""


def make_first_rights(right: Any, *, now: datetime) -> int:
    """Write the first rules where there is none; return how many.

    The argument is the model `DecisionRight`, as a migration has it.
    """
    if right.objects.exists():
        return 0
    rows = [
        right(
            kind=one.kind,
            role=one.role,
            outcome=str(one.outcome),
            approver=one.approver,
            max_minutes=one.limits.minutes,
            max_cost_minor=one.limits.cost_minor,
            max_stops=one.limits.stops,
            max_windows_broken=one.limits.windows_broken,
            min_minutes_to_departure=one.limits.minutes_to_departure,
            valid_from=SINCE,
            why="The house begins with it.",
            created_at=now,
            created_by="system",
        )
        for one in default_rights()
    ]
    right.objects.bulk_create(rows)
    return len(rows)
