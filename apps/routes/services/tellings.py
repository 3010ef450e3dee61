"""What was told of stops is kept, scored when drivers arrive, and learned every night."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.routes.calibrating import calibration_in_force, tellings_in, today_of
from apps.routes.calibrationrows import EtaCalibration, EtaLearning, StopTelling
from apps.routes.coverage import service_begins
from apps.routes.etaparts import Expected
from apps.routes.models import Stop
from apps.routes.outlook import Outlook, zone_name
from apps.routes.sketches import Scored, Sketches, fold, table
from apps.routes.states import RouteState
from apps.routes.tellings import Telling, kept, learn_arrival, scores_of, telling_of

KEPT_FOR: Final = timedelta(days=90)
"""What was told is of no use after so long: it has become margins and figures."""


class Shown(NamedTuple):
    """A route's outlook, what is expected of it, and the stops whose time moved."""

    outlook: Outlook
    expected: Sequence[Expected]
    moved: Sequence[Stop]


def keep_tellings(shown: Sequence[Shown]) -> None:
    """Keep what drivers were shown anew; it belongs to the verb that shows it."""
    rows = StopTelling.objects.in_bulk([s.pk for one in shown for s in one.moved])
    fresh = []
    for outlook, expected, moved in shown:
        if outlook.route.status == RouteState.DRAFT:
            continue
        times = {each.stop_id: each for each in expected}
        fresh += [_row(outlook, stop, times[stop.pk], rows) for stop in moved]
    StopTelling.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["stop"],
        update_fields=["depot", "route_id", "zone", "told"],
    )


def _row(
    outlook: Outlook,
    stop: Stop,
    expected: Expected,
    rows: dict[uuid.UUID, StopTelling],
) -> StopTelling:
    row, known = rows.get(stop.pk), {}
    if row is not None and row.route_id == outlook.route.pk:
        known = msgspec.convert(row.told, dict[str, Telling])
    told = kept(known, telling_of(expected, outlook.law))
    return StopTelling(
        stop=stop,
        depot_id=outlook.route.depot_id,
        route_id=outlook.route.pk,
        zone=zone_name(stop),
        told={band: asdict(each) for band, each in told.items()},
    )


def score_arrivals(route_ids: Collection[uuid.UUID], *, now: datetime) -> int:
    """Let the newest arrivals of these routes say what today is like; return how many.

    One arrival costs the same whatever the history. A depot's row is locked for as long.
    """
    waiting = StopTelling.objects.filter(
        stop__route__in=route_ids, scored_at=None, stop__arrived_at__isnull=False
    )
    return _score(list(waiting.select_related("stop", "depot")), now)


def _score(rows: Sequence[StopTelling], now: datetime) -> int:
    by_depot: dict[Depot, list[StopTelling]] = defaultdict(list)
    for row in rows:
        by_depot[row.depot].append(row)
    begins = service_begins([row.stop for row in rows])
    for row in rows:
        row.arrived_at, row.began_at = row.stop.arrived_at, begins[row.stop_id]
        row.scored_at = now
    for depot in sorted(by_depot, key=lambda each: each.pk):
        with transaction.atomic():
            _learn_today(depot, by_depot[depot], now)
    return len(rows)


def _learn_today(depot: Depot, rows: Sequence[StopTelling], now: datetime) -> None:
    day = now.astimezone(ZoneInfo(depot.time_zone)).date()
    EtaLearning.objects.get_or_create(depot=depot, defaults={"day": day})
    learning = EtaLearning.objects.select_for_update().get(depot=depot)
    ids = [row.pk for row in rows]
    mine = StopTelling.objects.filter(pk__in=ids, scored_at=None)
    unscored = set(mine.values_list("pk", flat=True))
    known = replace(
        calibration_in_force(depot, now), today=today_of(learning, depot, now)
    )
    fresh = [row for row in rows if row.pk in unscored]
    for row in sorted(fresh, key=lambda each: (each.arrived_at or now, each.pk)):
        if row.arrived_at is not None:
            told = tellings_in(row.told)
            known = learn_arrival(known, row.zone, told, row.arrived_at)
    learning.day, learning.today = day, [asdict(each) for each in known.today]
    learning.save(update_fields=["day", "today"])
    StopTelling.objects.bulk_update(fresh, ["arrived_at", "began_at", "scored_at"])


def calibrate_etas(depot: Depot, *, by: Actor, now: datetime) -> EtaCalibration | None:
    """Fold what was scored since the last time into a new version of a depot's margins.

    The cost grows with the new arrivals only. Where nothing new was scored there is no
    new version, so doing it twice changes nothing. Whether intervals go by the margins
    at all is a planning parameter (`eta_interval`).
    """
    late = StopTelling.objects.filter(
        depot=depot, scored_at=None, stop__arrived_at__isnull=False
    )
    _score(list(late.select_related("stop", "depot")), now)
    with writing(by=by, now=now) as journal:
        learning = EtaLearning.objects.select_for_update().filter(depot=depot).first()
        if learning is None:
            return None
        scores = _scores_since(depot, learning, now)
        if not scores:
            return None
        sketches = fold(_read(learning.sketches), scores)
        learning.sketches, learning.folded_at = _written(sketches), now
        learning.save(update_fields=["sketches", "folded_at"])
        row = EtaCalibration.objects.create(
            depot=depot,
            version=calibration_in_force(depot, now).version + 1,
            made_at=now,
            count=len(scores),
            margins={
                name: [round(end, 4) for end in (m.low, m.high, m.high_alone)]
                for name, m in table(sketches).items()
            },
        )
        journal.record(
            "eta.calibrated",
            depot,
            depot_id=depot.pk,
            version=row.version,
            count=row.count,
        )
        StopTelling.objects.filter(depot=depot, scored_at__lt=now - KEPT_FOR).delete()
    return row


def _scores_since(depot: Depot, learning: EtaLearning, now: datetime) -> list[Scored]:
    rows = StopTelling.objects.filter(depot=depot, scored_at__lte=now)
    if learning.folded_at is not None:
        rows = rows.filter(scored_at__gt=learning.folded_at)
    known = calibration_in_force(depot, now)
    return [
        scored
        for row in rows.order_by("scored_at", "pk")
        if row.arrived_at is not None
        for scored in scores_of(known, row.zone, tellings_in(row.told), row.arrived_at)
    ]


def _read(sketches: dict[str, dict[str, float]]) -> Sketches:
    return {
        name: {int(at): weight for at, weight in bins.items()}
        for name, bins in sketches.items()
    }


def _written(sketches: Sketches) -> dict[str, dict[str, float]]:
    return {
        name: {str(at): round(weight, 3) for at, weight in bins.items()}
        for name, bins in sketches.items()
    }
