"""The watched days of a change, and the days before, in figures by hour; reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.routes.driven import driven_legs
from apps.routes.models import Plan, Stop
from apps.routes.parameters import DEFAULTS, Parameters, with_overrides
from apps.routes.relearning import usual_hours
from apps.routes.selectors import parameters_in_force
from apps.routes.servicetimes import service_of
from apps.routes.zoneorder import wave_of
from apps.tuning.judging import Against, Watched, against_old, watched
from apps.tuning.models import Proposal
from apps.tuning.nearness import zone_pairs
from apps.tuning.pastdays import (
    SeenService,
    driven_dates,
    driven_routes,
    driven_stops,
    seen_services,
)
from apps.tuning.topics import LEG_ERROR, ORDER_ERROR, SERVICE_ERROR, error_of

BASE_DAYS = 10
MOST_DAYS = 21
RECENT_DAYS = 3
"""By so many of the newest watched days it is judged: what was good for a week and is
no more must not live on its past."""
Hours = dict[int, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One driven day: errors and lateness by the depot's hour."""

    service_date: date
    error: Hours
    late: Hours

    def mean(self, hours: Hours) -> float:
        """Return the mean of a figure over the day."""
        count = sum(pair[0] for pair in hours.values())
        return round(sum(p[1] for p in hours.values()) / count, 1) if count else 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """All that is known of a change since it is in force."""

    base: tuple[DayFigures, ...]
    days: tuple[DayFigures, ...]
    error: Watched
    late: Watched
    against: Against

    @property
    def has_fallen(self) -> bool:
        """Tell whether any of its figures fell beyond the noise."""
        return self.error.has_fallen or self.late.has_fallen or self.against.has_fallen


@dataclass(slots=True)
class _Sums:
    """Counts and sums by hour, in the making."""

    by_hour: dict[int, list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0.0, 0.0])
    )

    def add(self, hour: int, value: float) -> None:
        self.by_hour[hour][0] += 1
        self.by_hour[hour][1] += value

    def done(self) -> Hours:
        return {h: (int(n), round(s, 1)) for h, (n, s) in sorted(self.by_hour.items())}


def watch_of(row: Proposal, *, now: datetime) -> Watch:
    """Return how a change does, as of now."""
    if row.in_force_at is None:
        raise ValueError(f"Proposal {row.pk} is not in force.")
    zone = ZoneInfo(row.depot.time_zone)
    today, began = now.astimezone(zone).date(), row.in_force_at.astimezone(zone).date()
    base = [
        day_figures(row, day)
        for day in driven_dates(row.depot_id, until=began, most=BASE_DAYS)
    ]
    later = driven_dates(row.depot_id, until=today, most=MOST_DAYS)
    planned_anew = _planned_since(row)
    dates = [day for day in later if day >= began and day in planned_anew]
    days = [day_figures(row, day) for day in dates]
    newest, recent = dates[-RECENT_DAYS:], days[-RECENT_DAYS:]
    pairs = [pair for day in newest for pair in _pairs(row, day)]
    return Watch(
        tuple(base),
        tuple(days),
        watched([day.error for day in base], [day.error for day in recent]),
        watched([day.late for day in base], [day.late for day in recent]),
        against_old(pairs, len(newest)),
    )


def _planned_since(row: Proposal) -> set[date]:
    """Return the days whose first plan was made with the values in force."""
    plans = Plan.objects.filter(
        depot=row.depot_id,
        kind=Plan.Kind.DAY,
        published_at__isnull=False,
        requested_at__gte=row.in_force_at,
    )
    return set(plans.values_list("service_date", flat=True))


def day_figures(row: Proposal, service_date: date) -> DayFigures:
    """Return a driven day's figures by the hour in which a service began."""
    stops = driven_stops(row.depot_id, service_date)
    zone = ZoneInfo(row.depot.time_zone)
    error, late = _Sums(), _Sums()
    name = error_of(row.topic)
    for one, stop in _served(stops):
        hour = one.began_at.astimezone(zone).hour
        late.add(hour, _late_s(stop, one.began_at))
        if name == SERVICE_ERROR:
            error.add(hour, abs(one.took_s - stop.service_s))
        elif name not in {LEG_ERROR, ORDER_ERROR} and stop.plan_eta_at is not None:
            error.add(hour, abs((one.began_at - stop.plan_eta_at).total_seconds()))
    if name == ORDER_ERROR:
        for hour, wrong_pct in _turned_pairs(row, stops, zone):
            error.add(hour, wrong_pct)
    if name == LEG_ERROR:
        begins = datetime.combine(service_date, datetime.min.time(), zone)
        parameters = parameters_in_force(row.depot_id, begins + timedelta(hours=12))
        for hour, _, now_s in _legs(row, service_date, parameters, parameters):
            error.add(hour, now_s)
    return DayFigures(service_date, error.done(), late.done())


def _turned_pairs(
    row: Proposal, stops: Sequence[Stop], zone: ZoneInfo
) -> list[tuple[int, float]]:
    """Return by route its middle hour, and how many pairs were turned, per cent.

    Pairs are of zones, and of the hours in which windows open.
    """
    stop_of = {str(one.order_id): one for one in stops}
    zones = {key: each.order.zone for key, each in stop_of.items()}
    opens = {
        key: min((one.opens_at for one in each.order.windows.all()), default=None)
        for key, each in stop_of.items()
    }
    groupings = (
        {key: each.name if each else "" for key, each in zones.items()},
        {key: wave_of(at, zone) if at else "" for key, at in opens.items()},
    )
    found = []
    for route in driven_routes(row.depot_id, stops):
        known = [job for job in route.jobs if stop_of[job].planned_arrival_at]
        planned = sorted(
            known, key=lambda job: (str(stop_of[job].planned_arrival_at), job)
        )
        pairs = [
            zone_pairs([names[job] for job in planned], [names[job] for job in known])
            for names in groupings
        ]
        count, wrong = (sum(each) for each in zip(*pairs, strict=True))
        middle = stop_of[known[len(known) // 2]].arrived_at if known else None
        if count and route.weight and middle is not None:
            found.append((middle.astimezone(zone).hour, 100 * wrong / count))
    return found


def _served(stops: Sequence[Stop]) -> list[tuple[SeenService, Stop]]:
    by_order = {str(stop.order_id): stop for stop in stops}
    return [(one, by_order[one.job_id]) for one in seen_services(stops)]


def _late_s(stop: Stop, began_at: datetime) -> float:
    windows = stop.order.windows.all()
    if not windows or any(one.opens_at <= began_at < one.closes_at for one in windows):
        return 0.0
    last = max(one.closes_at for one in windows)
    return max(0.0, (began_at - last).total_seconds())


def _pairs(row: Proposal, service_date: date) -> list[tuple[float, float]]:
    """Return errors of the same stops or legs, under the values before and those now."""
    held = parameters_in_force(row.depot_id, row.in_force_at or row.proposed_at)
    old = replace(held, **_read(row.before))
    new = replace(held, **_read(row.values))
    name = error_of(row.topic)
    if name == SERVICE_ERROR:
        stops = driven_stops(row.depot_id, service_date)
        return [
            (
                abs(one.took_s - service_of(stop.order, old).seconds),
                abs(one.took_s - service_of(stop.order, new).seconds),
            )
            for one, stop in _served(stops)
        ]
    if name == LEG_ERROR:
        return [(a, b) for _, a, b in _legs(row, service_date, old, new)]
    return []


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """Return stored values as planning holds them."""
    whole = with_overrides(values)
    return {name: getattr(whole, name) for name in values}


def _legs(
    row: Proposal, service_date: date, old: Parameters, new: Parameters
) -> list[tuple[int, float, float]]:
    """Return each driven leg's hour, and its error under two laws."""
    zone = ZoneInfo(row.depot.time_zone)
    begins = datetime.combine(service_date, datetime.min.time(), zone)
    legs = driven_legs(row.depot, begins, begins + timedelta(days=1))
    found = []
    for leg in legs:
        told = []
        for law in (old, new):
            hourly = usual_hours(law.travel_by_hour)[leg.hour]
            clear = law.travel_c_s * leg.crow_km**law.travel_p
            if leg.free_s is not None:
                clear = law.roads_factor * leg.free_s / DEFAULTS.roads_factor
            told.append(abs(clear * hourly - leg.took_s))
        found.append((leg.hour, told[0], told[1]))
    return found
