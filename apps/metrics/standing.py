"""How a route stands at an instant: what is late, what may be, and what is silent. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.core.wording import duration
from apps.drivers.states import ShiftState
from apps.routes.board import RouteRow
from apps.routes.states import DONE, RouteState, StopState
from apps.routes.stopfacts import StopFact

SILENT_S = 20 * 60
"""After so long without a fix or a report of a started route, somebody should call."""
LATE_START_S = 10 * 60
"""So long after its begin a shift that has not started is worth a word."""

Words = tuple[str, str]
"""A tone (`bad`, `warn`, `info`, `good`), and what is said in it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One route as it stands; stops in their order, durations in seconds."""

    row: RouteRow
    next_stop: StopFact | None
    late: tuple[StopFact, ...]
    tight: tuple[StopFact, ...]
    failed: tuple[StopFact, ...]
    overdue_s: int
    silent_s: int
    words: tuple[Words, ...]

    @property
    def is_calm(self) -> bool:
        """Tell whether nobody has to look at it."""
        return not any(tone in {"bad", "warn"} for tone, _ in self.words)


def expected_s(stop: StopFact, now_s: int) -> int | None:
    """Return when a stop ahead is expected: never before the present instant."""
    return None if stop.eta_s is None else max(stop.eta_s, now_s)


def late_by_s(stop: StopFact, now_s: int) -> int:
    """Return by how much a stop ahead is expected after what was promised."""
    at_s = expected_s(stop, now_s)
    if at_s is None or stop.closes_s is None:
        return 0
    return max(0, at_s - stop.closes_s)


def may_be_late(stop: StopFact) -> bool:
    """Tell whether the ETA's interval, which holds nine times in ten, passes the end."""
    if stop.eta_high_s is None or stop.closes_s is None:
        return False
    return stop.eta_high_s > stop.closes_s


def standing_of(
    row: RouteRow, now: datetime, *, last_word_s: int | None, is_today: bool
) -> Standing:
    """Return how a route stands; `last_word_s` is when its device was heard of last."""
    now_s = int(now.timestamp())
    ahead = [stop for stop in row.stops if stop.status not in DONE]
    late, tight = [], []
    for stop in ahead:
        if late_by_s(stop, now_s):
            late.append(stop)
        elif may_be_late(stop):
            tight.append(stop)
    failed = [stop for stop in row.stops if stop.status == StopState.FAILED]
    following = ahead[0] if ahead else None
    overdue_s = 0
    if following is not None and following.eta_s is not None:
        waits = following.status != StopState.ARRIVED
        overdue_s = max(0, now_s - following.eta_s) if waits else 0
    silent_s = _silence_s(row, ahead, now_s, last_word_s) if is_today else 0
    return Standing(
        row=row,
        next_stop=following,
        late=tuple(late),
        tight=tuple(tight),
        failed=tuple(failed),
        overdue_s=overdue_s,
        silent_s=silent_s,
        words=(
            *_of_the_shift(row, ahead, now, is_today=is_today),
            *_of_the_stops(late, tight, failed, now_s),
            *((("bad", f"silent for {duration(silent_s)}"),) if silent_s else ()),
            *_of_the_road(row),
        ),
    )


def _silence_s(
    row: RouteRow, ahead: Sequence[StopFact], now_s: int, last_word_s: int | None
) -> int:
    if row.route.shift.status != ShiftState.STARTED or not ahead:
        return 0
    reports = [at for stop in row.stops for at in (stop.arrived_s, stop.completed_s)]
    begun = row.route.shift.started_at
    heard = [last_word_s, int(begun.timestamp()) if begun else None, *reports]
    since_s = now_s - max(at for at in heard if at is not None)
    return since_s if since_s > SILENT_S else 0


def _of_the_shift(
    row: RouteRow, ahead: Sequence[StopFact], now: datetime, *, is_today: bool
) -> list[Words]:
    route = row.route
    if route.status == RouteState.DRAFT:
        return [("info", "not published")]
    if row.total and not ahead:
        return [("good", "all stops done")]
    if route.shift.status == ShiftState.PLANNED and is_today:
        late_s = int((now - route.starts_at).total_seconds())
        if late_s > LATE_START_S:
            return [("bad", f"not begun, {duration(late_s)} late")]
        return [("info", "not begun")]
    resting = route.shift.status == ShiftState.PAUSED
    if route.break_starts_at and route.break_ends_at:
        resting |= route.break_starts_at <= now < route.break_ends_at and is_today
    return [("info", "on a break")] if resting else []


def _of_the_stops(
    late: Sequence[StopFact],
    tight: Sequence[StopFact],
    failed: Sequence[StopFact],
    now_s: int,
) -> list[Words]:
    words: list[Words] = []
    if late:
        worst = max(late_by_s(stop, now_s) for stop in late)
        words.append(("bad", f"{len(late)} late, up to {duration(worst)}"))
    if tight:
        words.append(("warn", f"{len(tight)} may be late"))
    if failed:
        words.append(("bad", f"{len(failed)} failed"))
    return words


def _of_the_road(row: RouteRow) -> list[Words]:
    words: list[Words] = []
    if row.warned:
        plural = "" if row.warned == 1 else "s"
        words.append(("warn", f"{row.warned} road warning{plural}"))
    if row.is_at_risk:
        words.append(("warn", f"risk {row.route.risk_percent} %"))
    return words
