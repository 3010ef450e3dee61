"""The ETAs of a running route, made anew after each event: no solver, no network."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from apps.core import queue
from apps.core.actors import Actor
from apps.core.statements import Statement, read_uuid
from apps.journal.services import writing
from apps.routes.eta import propagate
from apps.routes.etaparts import Expected
from apps.routes.marks import NOT_WARNED, Warned, warnings_for
from apps.routes.models import Route, Stop
from apps.routes.outlook import Outlook, outlooks
from apps.routes.planners import may_act
from apps.routes.services.leaves import note_refusal
from apps.routes.services.risks import note_risks
from apps.routes.services.tellings import Shown, keep_tellings, score_arrivals
from apps.routes.services.times import note_times
from apps.routes.states import Act, RouteState

VISIBLE_ETA_MOVE_S = 60
"""A stop's row is sent again when its ETA moved by at least this much."""

VISIBLE_INTERVAL_MOVE_S = 300
"""… or an end of its interval by this much: intervals narrow with every stop."""

LONGEST_WAIT = timedelta(minutes=2)
"""A route whose ETAs have been due for so long is queued anew."""

DUE = Statement(
    """
    UPDATE routes_route SET etas_due_at = %s
     WHERE (id IN (SELECT route_id FROM routes_stop WHERE id IN %s) OR id IN %s)
       AND (etas_due_at IS NULL OR etas_due_at < %s)
    RETURNING id
    """,
    read_uuid,
)

_KEPT = [
    *("eta_at", "eta_low_at", "eta_high_at", "eta_reason"),
    *("told_low_at", "told_high_at"),
    *("road_warning", "road_warning_text", "version"),
]


def note_etas_due(
    stop_ids: Collection[uuid.UUID], route_ids: Collection[uuid.UUID], *, now: datetime
) -> None:
    """Have a task make anew the ETAs of the routes that hold these stops, and of these.

    It belongs to a verb that holds the routes' drivers. A route that waits already is
    not queued again: its task waits for the same lock, and will see what is written
    here. One that has waited too long has lost its task, and gets another.
    """
    given_up_at = now - LONGEST_WAIT
    due = DUE.rows(now, stop_ids, route_ids, given_up_at)
    if due:
        ids = sorted(str(route_id) for (route_id,) in due)
        queue.enqueue("apps.routes.tasks.refresh_etas", route_ids=ids)


def refresh_due_etas(
    route_ids: Collection[uuid.UUID], *, by: Actor, now: datetime
) -> list[uuid.UUID]:
    """Make the ETAs anew of those of the routes that wait for it."""
    rows = Route.objects.filter(pk__in=route_ids, etas_due_at__isnull=False)
    due = list(rows.values_list("pk", flat=True))
    score_arrivals(due, now=now)
    return refresh_etas(due, by=by, now=now) if due else []


def refresh_etas(
    route_ids: Collection[uuid.UUID],
    *,
    told: Collection[uuid.UUID] = (),
    by: Actor,
    now: datetime,
) -> list[uuid.UUID]:
    """Make ETAs, road warnings and risks of these routes anew; return the stops told of.

    What moved too little to be seen stays as it was, and is not told. Where the machine
    may not say when somebody comes, all stay as they are. The times of the routes in
    `told`, whose drivers are just being told of a plan, go into the ledger.
    """
    route_ids = _let(route_ids, by, now)
    held = Route.objects.filter(pk__in=route_ids).values_list("driver_id", flat=True)
    with writing(by=by, now=now, scopes=list(held)) as journal:
        waiting = Route.objects.filter(pk__in=route_ids, etas_due_at__isnull=False)
        waiting.update(etas_due_at=None)
        moved: list[Stop] = []
        shown: list[Shown] = []
        found = outlooks(route_ids, now=now)
        note_risks(route_ids, found, now=now)
        times = {outlook.route.pk: _expected(outlook) for outlook in found}
        note_times(
            [(each, times[each.route.pk]) for each in found if each.route.pk in told],
            by=by,
            now=now,
        )
        for outlook in found:
            fresh = _moved(outlook, times[outlook.route.pk], now)
            moved += fresh
            shown.append(Shown(outlook, times[outlook.route.pk], fresh))
            if outlook.route.status != RouteState.DRAFT:
                journal.changed(
                    outlook.route.driver_id, "stops", *(stop.pk for stop in fresh)
                )
        _save(moved)
        keep_tellings(shown)
    return [stop.pk for stop in moved]


def _let(route_ids: Collection[uuid.UUID], by: Actor, now: datetime) -> list[uuid.UUID]:
    """Return the routes of the depots in which the machine may make ETAs anew."""
    rows = Route.objects.filter(pk__in=route_ids).values_list("depot_id", "pk")
    let: dict[uuid.UUID, bool] = {}
    for depot_id, _ in rows:
        if depot_id in let:
            continue
        let[depot_id] = by.kind != "system" or may_act(Act.ETA, depot_id, now)
        if not let[depot_id]:
            note_refusal(Act.ETA, depot_id, at_most_hourly=True, by=by, now=now)
    return [route_id for depot_id, route_id in rows if let[depot_id]]


def _expected(outlook: Outlook) -> list[Expected]:
    return propagate(
        outlook.outset,
        outlook.visits,
        outlook.rests,
        outlook.conditions,
        outlook.law,
    )


def _moved(outlook: Outlook, expected: Sequence[Expected], now: datetime) -> list[Stop]:
    """Return the stops whose ETA or warning moved visibly, with the new one."""
    warned = warnings_for(
        outlook.outset.point, outlook.visits, expected, outlook.conditions, now=now
    )
    is_told = outlook.route.status != RouteState.DRAFT
    moved = []
    for stop, fresh in zip(outlook.stops, expected, strict=True):
        mark = warned.get(stop.pk, NOT_WARNED)
        is_first = is_told and stop.told_low_at is None
        if not is_first and not _is_visible(stop, fresh, mark):
            continue
        if is_first:
            stop.told_low_at, stop.told_high_at = fresh.low_at, fresh.high_at
        stop.eta_at, stop.eta_reason = fresh.eta_at, fresh.reason
        stop.eta_low_at, stop.eta_high_at = fresh.low_at, fresh.high_at
        stop.road_warning, stop.road_warning_text = mark.kind, mark.text
        stop.version += 1
        moved.append(stop)
    return moved


def _is_visible(stop: Stop, fresh: Expected, mark: Warned) -> bool:
    if (stop.road_warning, stop.road_warning_text) != (mark.kind, mark.text):
        return True
    return (
        _apart_s(stop.eta_at, fresh.eta_at) >= VISIBLE_ETA_MOVE_S
        or _apart_s(stop.eta_low_at, fresh.low_at) >= VISIBLE_INTERVAL_MOVE_S
        or _apart_s(stop.eta_high_at, fresh.high_at) >= VISIBLE_INTERVAL_MOVE_S
    )


def _apart_s(old: datetime | None, new: datetime) -> float:
    return float("inf") if old is None else abs((old - new).total_seconds())


def _save(stops: list[Stop]) -> None:
    """Write rows that exist: one statement by the key, where an update of each is 120."""
    Stop.objects.bulk_create(
        stops, update_conflicts=True, unique_fields=["id"], update_fields=_KEPT
    )
