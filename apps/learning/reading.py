"""Reads driven routes out of the tables, some at a time and in few queries; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Min, Q, QuerySet

from apps.core.units import Point, great_circle_m
from apps.depots.models import Depot
from apps.drivers.models import ShiftBreak
from apps.journal.models import Entry
from apps.learning.learners.facts import Clocks, RouteFact, StopFact
from apps.orders.models import TimeWindow
from apps.routes.models import Route, Stop, StopEvent
from apps.routes.servicefactors import building_of
from apps.routes.states import StopState
from apps.routes.zoneorder import wave_of

VISITED = (StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL)
STOP_FACTS = (
    *("stop.enroute", "stop.arrived", "stop.succeeded", "stop.failed"),
    *("stop.partial", "stop.reopened", "stop.corrected"),
)
"""Entries of the journal after which a route is counted anew."""

SETTLED = "recommendation.settled"

ROUTE = "route:"

OVERLAP = timedelta(minutes=10)
"""So far behind the newest entry reading begins again: numbers can commit out of order,
and no transaction lasts as long."""

NEW_FOR = timedelta(days=30)
"""So long after the account was made a driver is new."""

LEAST_DRIVERS = 3
"""Of a class with fewer drivers there is no figure: it would be one about people."""

BATCH = 2000

Verdicts = Mapping[uuid.UUID, str]
"""By route that was driven in another sequence than planned: who was right."""

Judged = Callable[[uuid.UUID, datetime, datetime], Verdicts]
"""Returns the verdicts on a depot's routes that were given in [since, until)."""


def first_start(route_ids: Sequence[uuid.UUID]) -> datetime | None:
    """Return when the earliest of some routes began; no verdict on them is older."""
    starts = [
        Route.objects.filter(pk__in=route_ids[first : first + BATCH]).aggregate(
            at=Min("starts_at")
        )["at"]
        for first in range(0, len(route_ids), BATCH)
    ]
    return min((at for at in starts if at is not None), default=None)


class _Row(NamedTuple):
    """A visited stop as it is read."""

    pk: uuid.UUID
    order_id: uuid.UUID
    route_id: uuid.UUID
    status: str
    leg_from: uuid.UUID | None
    planned_arrival_at: datetime | None
    enroute_at: datetime | None
    arrived_at: datetime
    completed_at: datetime
    zone: str | None
    postcode: str
    street: str
    house_number: str
    lat: float
    lon: float
    pieces: int
    service_s: int | None


STOP_FIELDS = (
    *("pk", "order_id", "route_id", "status", "leg_from", "planned_arrival_at"),
    *("enroute_at", "arrived_at", "completed_at", "order__zone__name"),
    *("order__postcode", "order__street", "order__house_number", "order__latitude"),
    *("order__longitude", "order__pieces", "order__service_s"),
)


NOTHING_READ = uuid.UUID(int=0)
"""Comes before every entry of the journal."""


class RoutePlace(NamedTuple):
    """A route, and where it stands among a depot's: as text, in the order of days."""

    pk: uuid.UUID
    service_date: date

    @property
    def place(self) -> str:
        """Where reading stands once it was read."""
        return f"{self.service_date} {self.pk}"


def _behind(depot_id: uuid.UUID, place: str) -> QuerySet[Route]:
    rows = Route.objects.filter(depot_id=depot_id)
    if not place:
        return rows
    day, _, pk = place.partition(" ")
    return rows.filter(
        Q(service_date__gt=day) | Q(service_date=day, pk__gt=uuid.UUID(pk))
    )


def routes_after(depot_id: uuid.UUID, place: str, most: int) -> list[RoutePlace]:
    """Return a depot's routes behind a place, the oldest first; empty: from the first."""
    rows = _behind(depot_id, place).order_by("service_date", "pk")
    return [RoutePlace(*row) for row in rows.values_list("pk", "service_date")[:most]]


def routes_left(depot_id: uuid.UUID, place: str) -> int:
    """Return how many routes stand behind a place."""
    return _behind(depot_id, place).count()


def subject_of(route_id: uuid.UUID | str) -> str:
    """Return what a route is called among the things that are counted."""
    return f"{ROUTE}{route_id}"


def _reports(depot_id: uuid.UUID, after: uuid.UUID, to: uuid.UUID) -> QuerySet[Entry]:
    return Entry.objects.filter(
        depot_id=depot_id,
        pk__gt=after,
        pk__lte=to,
        kind__in=STOP_FACTS,
        subject_type="stop",
    )


def reports_left(depot_id: uuid.UUID, after: uuid.UUID, to: uuid.UUID) -> int:
    """Return how many reports of visits lie behind an entry, up to another."""
    return _reports(depot_id, after, to).count()


def day_end(after: uuid.UUID, to: uuid.UUID, zone: ZoneInfo) -> uuid.UUID:
    """Return which number an entry at the end of another's day would have; `to` at most."""
    at = datetime.fromtimestamp((after.int >> 80) / 1000, zone)
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), zone)
    return min(to, uuid.UUID(int=round(midnight.timestamp() * 1000) << 80))


def silent_until(depot_id: uuid.UUID, after: uuid.UUID, to: uuid.UUID) -> uuid.UUID:
    """Return behind which number the next report comes; `to` where none does."""
    rows = _reports(depot_id, after, to).order_by("pk")
    first = rows.values_list("pk", flat=True).first()
    return to if first is None else uuid.UUID(int=first.int - 1)


def reported_routes(
    depot_id: uuid.UUID, after: uuid.UUID, to: uuid.UUID
) -> list[uuid.UUID]:
    """Return the routes of which something was reported behind an entry, up to another."""
    rows = _reports(depot_id, after, to).order_by()
    stops = sorted(set(rows.values_list("subject_id", flat=True)))
    found: set[uuid.UUID] = set()
    for first in range(0, len(stops), BATCH):
        routes = Stop.objects.filter(
            pk__in=stops[first : first + BATCH], route__isnull=False
        )
        found |= {
            route_id
            for route_id in routes.order_by().values_list("route_id", flat=True)
            if route_id is not None
        }
    return sorted(found)


def newest_entry(depot_id: uuid.UUID) -> uuid.UUID:
    """Return the newest entry of a depot's journal that tells of what is counted."""
    rows = Entry.objects.filter(depot_id=depot_id, kind__in=[*STOP_FACTS, SETTLED])
    rows = rows.order_by("-pk")
    return rows.values_list("pk", flat=True).first() or NOTHING_READ


def before(number: uuid.UUID, by: timedelta) -> uuid.UUID:
    """Return the smallest UUIDv7 of so long before another."""
    at_ms = (number.int >> 80) - round(by.total_seconds() * 1000)
    return uuid.UUID(int=max(0, at_ms) << 80)


def route_facts(
    depot: Depot,
    route_ids: Sequence[uuid.UUID],
    *,
    standard_s: int,
    verdicts: Verdicts,
) -> list[RouteFact]:
    """Return routes as they were driven: six queries, however many they are.

    `standard_s` is planned for a service whose order names no time: not what the plan
    made of it by learned factors, or these would be learned on top of themselves.
    """
    rows = _visited(route_ids)
    received = _received(route_ids)
    opens = _windows(row for each in rows.values() for row in each)
    rests = _rests(route_ids)
    routes = Route.objects.filter(pk__in=route_ids).select_related(
        "driver__user", "shift__vehicle__type"
    )
    zone = ZoneInfo(depot.time_zone)
    return [
        RouteFact(
            route_id=str(route.pk),
            driver_class=_class(route),
            speed=route.shift.vehicle.travel_speed_percent / 100,
            stops=_stops(rows[route.pk], received, opens, zone, standard_s),
            rests=tuple(rests[route.shift_id]),
            verdict=verdicts.get(route.pk, ""),
        )
        for route in sorted(routes, key=lambda each: each.pk)
        if rows[route.pk]
    ]


def shown_classes(depot_id: uuid.UUID, *, now: datetime) -> set[str]:
    """Return the classes in which enough people drove in the last quarter."""
    since = (now - timedelta(days=90)).date()
    rows = Route.objects.filter(depot_id=depot_id, service_date__gte=since)
    people: dict[str, set[uuid.UUID]] = defaultdict(set)
    for route in rows.select_related("driver__user", "shift__vehicle__type"):
        people[_class(route)].add(route.driver_id)
    return {name for name, them in people.items() if len(them) >= LEAST_DRIVERS}


def _class(route: Route) -> str:
    """Return what a driver drives, and whether he is new: never who it is."""
    name = route.shift.vehicle.type.code
    joined_at = route.driver.user.date_joined
    is_new = joined_at <= route.starts_at < joined_at + NEW_FOR
    return f"{name}, new" if is_new else name


def _visited(route_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[_Row]]:
    rows = Stop.objects.filter(
        route__in=route_ids,
        status__in=VISITED,
        arrived_at__isnull=False,
        completed_at__isnull=False,
    )
    found: dict[uuid.UUID, list[_Row]] = defaultdict(list)
    for values in rows.order_by("arrived_at", "pk").values_list(*STOP_FIELDS):
        row = _Row(*values)
        found[row.route_id].append(row)
    return found


def _received(
    route_ids: Sequence[uuid.UUID],
) -> dict[tuple[uuid.UUID, datetime], datetime]:
    """Return when each fact reached us, by stop and when it happened."""
    rows = StopEvent.objects.filter(stop__route__in=route_ids).order_by()
    return {
        (stop_id, occurred_at): received_at
        for stop_id, occurred_at, received_at in rows.values_list(
            "stop_id", "occurred_at", "received_at"
        )
    }


def _windows(rows: Any) -> dict[uuid.UUID, list[tuple[datetime, datetime]]]:
    ids = [row.order_id for row in rows]
    found: dict[uuid.UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for first in range(0, len(ids), BATCH):
        windows = TimeWindow.objects.filter(order__in=ids[first : first + BATCH])
        for order_id, opens_at, closes_at in windows.order_by("opens_at").values_list(
            "order_id", "opens_at", "closes_at"
        ):
            found[order_id].append((opens_at, closes_at))
    return found


def _rests(route_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[datetime]]:
    rows = ShiftBreak.objects.filter(shift__route__in=route_ids, taken_at__isnull=False)
    found: dict[uuid.UUID, list[datetime]] = defaultdict(list)
    for shift_id, taken_at in rows.values_list("shift_id", "taken_at"):
        if taken_at is not None:
            found[shift_id].append(taken_at)
    return found


def _stops(
    rows: Sequence[_Row],
    received: Mapping[tuple[uuid.UUID, datetime], datetime],
    opens: Mapping[uuid.UUID, Sequence[tuple[datetime, datetime]]],
    zone: ZoneInfo,
    standard_s: int,
) -> tuple[StopFact, ...]:
    def clocks(row: _Row, at: datetime) -> Clocks:
        return Clocks(at, received.get((row.pk, at), at))

    found = []
    for before_it, row in pairwise([None, *rows]):
        if row is None:
            continue
        building = building_of(row.postcode, row.street, row.house_number)
        left_at = row.enroute_at or (before_it.completed_at if before_it else None)
        found.append(
            StopFact(
                stop_id=str(row.pk),
                zone=row.zone or "",
                building=building,
                address=building,
                parcels=row.pieces,
                planned_s=standard_s if row.service_s is None else row.service_s,
                is_delivered=row.status != StopState.FAILED,
                arrived=clocks(row, row.arrived_at),
                completed=clocks(row, row.completed_at),
                left_at=row.enroute_at,
                hour=row.arrived_at.astimezone(zone).hour,
                opens_at=next(
                    (a for a, b in opens.get(row.order_id, ()) if b > row.arrived_at),
                    None,
                ),
                planned_after=str(row.leg_from) if row.leg_from else "",
                planned_at=row.planned_arrival_at,
                leg_km=_km(before_it, row) if before_it else 0.0,
                leg_hour=(left_at or row.arrived_at).astimezone(zone).hour,
                wave=wave_of(windows[0][0], zone)
                if (windows := opens.get(row.order_id))
                else "",
            )
        )
    return tuple(found)


def _km(start: _Row, end: _Row) -> float:
    here, there = Point(start.lat, start.lon), Point(end.lat, end.lon)
    return great_circle_m(here, there) / 1000
