"""What is judged: the question, when a shift is over, and what was visited; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from apps.drivers.models import Shift, Vehicle
from apps.drivers.states import ShiftState
from apps.overrides.models import Override
from apps.recommendations.models import Recommendation
from apps.routes.models import Route, Stop
from apps.routes.services.settling import LEFT_OPEN
from apps.routes.states import StopState
from apps.verdicts.beyond import Beyond

VISITED: Final = (StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL)

Sequences = Mapping[str, tuple[str, ...]]
"""By shift the stops ahead, in one sequence; both by id."""

Windows = Mapping[str, tuple[tuple[datetime, datetime], ...]]
"""By stop the windows that it has in one way alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One choice to be judged: what was recommended, what was chosen instead, and when.

    `barred` says why it is not replayed, `aside` what no figure measures. `windows` are
    those of the recommended and of the chosen way, where they differ from the order's;
    `vehicles` what the recommended way is driven with, `shift_ends` when shifts should
    have ended, both by shift; `extra_rest` is a break that only the chosen way has.
    """

    kind: str
    role: str
    route: Route
    at: datetime
    recommended: Sequences
    chosen: Sequences
    override: Override | None = None
    recommendation: Recommendation | None = None
    barred: Beyond | None = None
    aside: Beyond | None = None
    windows: tuple[Windows, Windows] = ({}, {})
    vehicles: Mapping[str, Vehicle] = field(default_factory=dict)
    shift_ends: Mapping[str, datetime] = field(default_factory=dict)
    extra_rest: int | None = None


def is_over(shift: Shift, now: datetime) -> bool:
    """Tell whether a shift is over: it ended, or should have long ago."""
    return shift.status == ShiftState.ENDED or shift.ends_at + LEFT_OPEN <= now


def visited_stops(routes: Sequence[Route]) -> list[Stop]:
    """Return what was visited of routes, in the order of the visits.

    A stop that was passed by was not visited; one of which only the end was told was.
    What has no instant at all has no place in the sequence.
    """
    rows = Stop.objects.filter(route__in=routes, status__in=VISITED)
    rows = rows.select_related("order", "route").prefetch_related("order__windows")
    visited = [
        stop
        for stop in rows
        if stop.arrived_at is not None
        or (stop.completed_at is not None and stop.status != StopState.FAILED)
    ]
    return sorted(visited, key=_when)


def _when(stop: Stop) -> tuple[float, int, str]:
    at = stop.arrived_at or stop.completed_at
    return at.timestamp() if at else 0.0, stop.sequence, str(stop.pk)
