"""What the board asks of a depot's day; reads only."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.db.models import Count, Max, Q

from apps.core.models import TaskRun
from apps.depots.models import Depot
from apps.drivers.models import Driver, Position
from apps.drivers.selectors import last_positions
from apps.incidents.models import Incident
from apps.incidents.selectors import open_incidents
from apps.journal.models import Entry, FeedHead
from apps.metrics.standing import Standing, standing_of
from apps.orders.models import Order
from apps.overrides.models import Override
from apps.overrides.states import OverrideState
from apps.routes import board
from apps.routes import selectors as routes
from apps.routes.conditionrows import Condition
from apps.routes.coverage import EtaCoverage, coverage_of_day
from apps.routes.models import Plan, PlanChange, Stop
from apps.routes.modes import ModeNow
from apps.routes.planners import mode_of
from apps.routes.preferences import PreferenceShare, preferences_of_day
from apps.routes.selectors import LeftOut
from apps.routes.states import DONE, StopState

FRESH = timedelta(hours=18)
"""Fixes older than this are of another day."""
SHARES_KEPT_S = 60
SHOWN_INCIDENTS = 20


@dataclass(frozen=True, slots=True)
class DepotDay:
    """A depot in the strip above the board: how far its day is."""

    depot: Depot
    day: date
    stops: int
    done: int
    failed: int

    @property
    def percent(self) -> int:
        """How far it is."""
        return round(100 * self.done / self.stops) if self.stops else 0


@dataclass(frozen=True, slots=True)
class Shares:
    """How far a day keeps to what was told and wished: looked at now and then."""

    eta: EtaCoverage
    wishes: PreferenceShare


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """A depot's day as its supervisor wants to see it, at one instant."""

    depot: Depot
    day: date
    is_today: bool
    plan: Plan | None
    shares: Shares
    orders: int
    standings: Sequence[Standing]
    positions: dict[uuid.UUID, Position]
    changes: Sequence[PlanChange]
    left_out: Sequence[LeftOut]
    thinking: Sequence[Plan]
    conditions: Sequence[Condition]
    mode: ModeNow
    incidents: Sequence[Incident]
    overrides: Sequence[Override]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to show of the day."""
        return not (self.orders or self.standings or self.plan)

    @property
    def stops(self) -> int:
        """How many stops there are."""
        return sum(one.row.total for one in self.standings)

    @property
    def done(self) -> int:
        """How many stops are done."""
        return sum(one.row.done for one in self.standings)

    @property
    def failed(self) -> int:
        """How many stops did not go well."""
        return sum(len(one.failed) for one in self.standings)

    @property
    def late(self) -> int:
        """How many stops ahead are expected after what was promised."""
        return sum(len(one.late) for one in self.standings)

    @property
    def tight(self) -> int:
        """How many stops ahead may be late."""
        return sum(len(one.tight) for one in self.standings)

    @property
    def warned(self) -> int:
        """How many stops ahead a condition of the road touches."""
        return sum(one.row.warned for one in self.standings)

    @property
    def silent(self) -> list[Standing]:
        """The routes of whose devices nothing was heard for long, the longest first."""
        quiet = [one for one in self.standings if one.silent_s]
        return sorted(quiet, key=lambda one: -one.silent_s)

    @property
    def at_risk(self) -> list[Standing]:
        """The routes that are likely to go wrong, the worst first."""
        risky = [one for one in self.standings if one.row.is_at_risk]
        return sorted(risky, key=lambda one: -(one.row.route.risk_percent or 0))


def live_board(depot: Depot, day: date, *, now: datetime) -> LiveBoard:
    """Return all that the board shows of a depot's day."""
    is_today = day == board.today_of(depot, now)
    rows = board.route_rows(board.routes_of_day(depot.pk, day))
    drivers = [row.route.driver_id for row in rows] if is_today else []
    fixes = last_positions(drivers, since=now - FRESH)
    changes = routes.unacknowledged_changes(depot.pk)
    thinking = Plan.objects.filter(
        depot=depot, service_date=day, status__in=routes.THINKING
    )
    return LiveBoard(
        depot=depot,
        day=day,
        is_today=is_today,
        plan=routes.plan_of_day(depot.pk, day),
        shares=_shares(depot.pk, day),
        orders=Order.objects.filter(depot=depot, service_date=day).count(),
        standings=[
            standing_of(
                row,
                now,
                last_word_s=_heard_s(fixes.get(row.route.driver_id)),
                is_today=is_today,
            )
            for row in rows
        ],
        positions=fixes,
        changes=list(changes.filter(route__service_date=day).order_by("made_at")),
        left_out=routes.left_out(depot.pk, day),
        thinking=list(thinking),
        conditions=board.conditions_on(depot, day, now),
        mode=mode_of(depot.pk),
        incidents=list(open_incidents([depot])[:SHOWN_INCIDENTS]),
        overrides=_waiting_overrides(depot),
    )


def _waiting_overrides(depot: Depot) -> list[Override]:
    """Return the changes that wait for somebody's answer, the most urgent first."""
    rows = Override.objects.filter(depot=depot, state=OverrideState.WAITING)
    urgent = rows.select_related("driver").order_by("deadline_at", "id")
    return list(urgent[:SHOWN_INCIDENTS])


def _shares(depot_id: uuid.UUID, day: date) -> Shares:
    """Return the day's shares, at most a minute old: they read every stop's windows."""

    def look() -> Shares:
        return Shares(coverage_of_day(depot_id, day), preferences_of_day(depot_id, day))

    key = f"shares:{depot_id}:{day}"
    found: Shares | None = cache.get_or_set(key, look, SHARES_KEPT_S)
    return found or look()


def _heard_s(fix: Position | None) -> int | None:
    return fix.occurred_ms // 1000 if fix else None


def depot_days(depots: Sequence[Depot], days: Sequence[date]) -> list[DepotDay]:
    """Return how far each depot is on the day beside it, in one query."""
    if not depots:
        return []
    pairs = list(zip(depots, days, strict=True))
    wanted = Q()
    for day in set(days):
        its = [depot.pk for depot, own in pairs if own == day]
        wanted |= Q(route__depot__in=its, route__service_date=day)
    rows = Stop.objects.filter(wanted).order_by().values_list("route__depot_id")
    done = Q(status__in=[str(state) for state in DONE])
    counted = {
        depot_id: counts
        for depot_id, *counts in rows.annotate(
            Count("pk"),
            done=Count("pk", filter=done),
            failed=Count("pk", filter=Q(status=StopState.FAILED)),
        )
    }
    return [
        DepotDay(depot, day, *counted.get(depot.pk, (0, 0, 0))) for depot, day in pairs
    ]


def board_version(
    depot: Depot, day: date, *, now: datetime, seen_as: Iterable[object]
) -> str:
    """Return what changes whenever the board would: cheap to ask, again and again.

    Verbs leave a journal entry, what a device must hear moves its driver's feed, and
    positions and plans in the making are looked at themselves. Ages and the line of the
    present move with the minute. `seen_as` is what the reader may see.
    """
    entry = Entry.objects.filter(depot_id=depot.pk).order_by("-id").values_list("pk")
    drivers = Driver.objects.filter(depot=depot).order_by()
    told = FeedHead.objects.filter(scope__in=drivers.values("pk"))
    making = Plan.objects.filter(depot=depot, status__in=routes.THINKING)
    fixes = last_positions(
        list(drivers.values_list("pk", flat=True)), since=now - FRESH
    )
    parts = [
        depot.pk,
        day,
        now.replace(second=0, microsecond=0),
        entry.first(),
        told.order_by().aggregate(last=Max("moved_at"))["last"],
        sorted(making.values_list("pk", "status", "progress_percent", "progress_text")),
        max((fix.occurred_ms for fix in fixes.values()), default=0),
        dead_tasks(),
        mode_of(depot.pk),
        *seen_as,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def dead_tasks() -> int:
    """Return how many tasks of all depots have given up."""
    return TaskRun.objects.filter(state=TaskRun.State.DEAD).count()


def opening_depot(user: User | AnonymousUser, now: datetime) -> Depot | None:
    """Return the depot that the board opens with: one that drives today, else planned last."""
    depots = list(Depot.objects.visible_to(user))
    days = [board.today_of(depot, now) for depot in depots]
    at_work = next((one.depot for one in depot_days(depots, days) if one.stops), None)
    if at_work is not None or not depots:
        return at_work
    newest = Plan.objects.filter(depot__in=depots).order_by("-service_date")
    last = newest.values_list("depot_id", flat=True).first()
    return next((depot for depot in depots if depot.pk == last), depots[0])
