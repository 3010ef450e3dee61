"""The kinds of incidents: how much each matters, whose it is, and until when. Pure.

A ladder names the roles that have it, one after the other: what is left past its deadline
goes to the next one, and the last one keeps it. Minutes are our first values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.core.roles import (
    COORDINATOR,
    DATA_STEWARD,
    MODEL_MONITOR,
    ROUTE_PLANNER,
    SUPERVISOR,
)
from apps.incidents.states import Severity

ADMINISTRATOR: Final = "Administrator"
"""The end of every ladder: whoever may do everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: its name for people, how much it matters, whose it is until when.

    `playbook` is the code of the list of steps that fits it, where there is one.
    """

    title: str
    severity: Severity
    minutes: int
    ladder: tuple[str, ...]
    playbook: str = ""


DAY: Final = (COORDINATOR, SUPERVISOR, ADMINISTRATOR)
ROAD: Final = (SUPERVISOR, COORDINATOR, ADMINISTRATOR)
PLANS: Final = (ROUTE_PLANNER, SUPERVISOR, ADMINISTRATOR)
DATA: Final = (DATA_STEWARD, SUPERVISOR, ADMINISTRATOR)
MODELS: Final = (MODEL_MONITOR, SUPERVISOR, ADMINISTRATOR)

BREAKDOWN, CLOSURE, AI_DOWN, SURGE = "breakdown", "closure", "ai_down", "surge"
RECOVERY = "recovery"

KINDS: Final[Mapping[str, Kind]] = {
    "unsafe": Kind(
        title="Driver is not safe",
        severity=Severity.CRITICAL,
        minutes=5,
        ladder=ROAD,
    ),
    "vehicle": Kind(
        title="Trouble with a vehicle",
        severity=Severity.HIGH,
        minutes=10,
        ladder=ROAD,
        playbook=BREAKDOWN,
    ),
    "hours": Kind(
        title="Driver's hours run out",
        severity=Severity.HIGH,
        minutes=10,
        ladder=ROAD,
    ),
    "no_access": Kind(
        title="No access at a stop",
        severity=Severity.MEDIUM,
        minutes=10,
        ladder=DAY,
    ),
    "no_parking": Kind(
        title="No place to park at a stop",
        severity=Severity.LOW,
        minutes=30,
        ladder=DAY,
    ),
    "wrong_address": Kind(
        title="Wrong address",
        severity=Severity.MEDIUM,
        minutes=30,
        ladder=DATA,
    ),
    "road": Kind(
        title="Driver reports a closed road",
        severity=Severity.MEDIUM,
        minutes=15,
        ladder=DAY,
        playbook=CLOSURE,
    ),
    "needs_review": Kind(
        title="A driver's report waits for a decision",
        severity=Severity.MEDIUM,
        minutes=60,
        ladder=ROAD,
    ),
    "after_reassign": Kind(
        title="A stop was dealt with by the driver before",
        severity=Severity.LOW,
        minutes=60,
        ladder=ROAD,
    ),
    "failed_solve": Kind(
        title="A plan failed",
        severity=Severity.HIGH,
        minutes=10,
        ladder=PLANS,
    ),
    "ai_down": Kind(
        title="The optimizer is failing",
        severity=Severity.HIGH,
        minutes=15,
        ladder=PLANS,
        playbook=AI_DOWN,
    ),
    "machine_asks": Kind(
        title="The machine asks for leave",
        severity=Severity.MEDIUM,
        minutes=15,
        ladder=ROAD,
    ),
    "machine_refused": Kind(
        title="The machine was refused an act",
        severity=Severity.LOW,
        minutes=8 * 60,
        ladder=MODELS,
    ),
    "task_dead": Kind(
        title="Background work gave up",
        severity=Severity.HIGH,
        minutes=15,
        ladder=ROAD,
    ),
    "unacknowledged": Kind(
        title="A driver has not seen a change",
        severity=Severity.MEDIUM,
        minutes=10,
        ladder=DAY,
    ),
    "late_shift": Kind(
        title="A shift has not begun",
        severity=Severity.HIGH,
        minutes=10,
        ladder=ROAD,
    ),
    "silent_device": Kind(
        title="Nothing is heard from a driver",
        severity=Severity.MEDIUM,
        minutes=15,
        ladder=DAY,
    ),
    "stale_roads": Kind(
        title="Travel times are a rough estimate",
        severity=Severity.MEDIUM,
        minutes=60,
        ladder=PLANS,
    ),
    "over_reliance": Kind(
        title="Plans are waved through",
        severity=Severity.MEDIUM,
        minutes=24 * 60,
        ladder=MODELS,
    ),
    "drift": Kind(
        title="A figure has left its usual course",
        severity=Severity.MEDIUM,
        minutes=24 * 60,
        ladder=MODELS,
    ),
    "surge": Kind(
        title="More orders than the day can take",
        severity=Severity.HIGH,
        minutes=30,
        ladder=PLANS,
        playbook=SURGE,
    ),
    "missed": Kind(
        title="A customer was missed",
        severity=Severity.MEDIUM,
        minutes=120,
        ladder=DAY,
        playbook=RECOVERY,
    ),
    "learned_waits": Kind(
        title="A learned change waits for a decision",
        severity=Severity.LOW,
        minutes=48 * 60,
        ladder=PLANS,
    ),
    "learned_on": Kind(
        title="A learned change is in force",
        severity=Severity.LOW,
        minutes=16 * 24 * 60,
        ladder=ROAD,
    ),
    "learned_off": Kind(
        title="A learned change was taken back",
        severity=Severity.MEDIUM,
        minutes=24 * 60,
        ladder=ROAD,
    ),
    "other": Kind(
        title="Something else",
        severity=Severity.MEDIUM,
        minutes=30,
        ladder=DAY,
    ),
}


def deadline_of(kind: str, from_at: datetime) -> datetime:
    """Return until when whoever has it now should have dealt with it."""
    return from_at + timedelta(minutes=KINDS[kind].minutes)


def role_at(kind: str, level: int) -> str:
    """Return whose it is after so many escalations: the last of the ladder keeps it."""
    ladder = KINDS[kind].ladder
    return ladder[min(level, len(ladder) - 1)]


def is_at_the_top(kind: str, level: int) -> bool:
    """Tell whether nobody comes after the role that has it."""
    return level >= len(KINDS[kind].ladder) - 1
