"""A recomputation that knows no shortcut: a visit is tried everywhere, driven in thought.

Told by stops and clocks alone: leave the depot, drive on, wait for a window, serve, come
home. What a route costs is the way, and the time from the latest departure that still
comes home as early.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.orders.models import Order
from apps.promises.offering import Slot
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.models import Route

FOREVER = timedelta(days=2)


@dataclass(frozen=True)
class Halt:
    """A place of a trip: its number in the table, its window, how long it takes."""

    place: int
    opens_at: datetime
    closes_at: datetime
    service: timedelta


@dataclass(frozen=True)
class Trip:
    """What a driven trip came to."""

    travel_s: int
    distance_m: int
    cost_milli: float


class Recomputed:
    """A route with its table of travel, to be driven with and without a visit."""

    def __init__(self, route: Route, order: Order) -> None:
        shift = route.shift
        self.route, self.order = route, order
        self.leaves_at = shift.starts_at
        self.home_by = shift.ends_at + timedelta(seconds=shift.max_overtime_s)
        stops = list(route.stops.order_by("sequence").select_related("order"))
        places = [order.depot.point, *(s.order.point for s in stops), order.point]
        zone = ZoneInfo(order.depot.time_zone)
        table = EstimatedTravelTimes().matrix(
            places, departs_hour=shift.starts_at.astimezone(zone).hour
        )
        self.durations_s, self.distances_m = table.durations_s, table.distances_m
        self.halts = [
            self._halt(n + 1, s.order, s.service_s) for n, s in enumerate(stops)
        ]
        vehicle = shift.vehicle
        self.per_s = round(vehicle.cost_per_hour_minor * 1000 / 3600)
        self.per_m = vehicle.cost_per_km_minor

    def _halt(self, place: int, order: Order, service_s: int) -> Halt:
        window = order.windows.first()
        opens_at = window.opens_at if window else self.leaves_at - FOREVER
        closes_at = window.closes_at if window else self.leaves_at + FOREVER
        return Halt(place, opens_at, closes_at, timedelta(seconds=service_s))

    def differences(self, slot: Slot) -> Iterator[Trip]:
        """Yield what a visit in this slot adds, at each place where it can be made."""
        visit = Halt(
            len(self.halts) + 1,
            slot.opens_at,
            slot.closes_at,
            timedelta(seconds=self.order.service_s or 0),
        )
        before = self._trip(self.halts)
        assert before is not None
        for leg in range(len(self.halts) + 1):
            after = self._trip([*self.halts[:leg], visit, *self.halts[leg:]])
            if after is not None:
                yield Trip(
                    after.travel_s - before.travel_s,
                    after.distance_m - before.distance_m,
                    after.cost_milli - before.cost_milli,
                )

    def _trip(self, halts: list[Halt]) -> Trip | None:
        if not halts:
            return Trip(0, 0, 0)
        home_at = self._home_at(halts, self.leaves_at)
        if home_at is None or home_at > self.home_by:
            return None
        early, late = timedelta(0), FOREVER
        while late - early > timedelta(seconds=1):
            middle = timedelta(seconds=int((early + late).total_seconds() // 2))
            same = self._home_at(halts, self.leaves_at + middle) == home_at
            early, late = (middle, late) if same else (early, middle)
        legs = list(pairwise([0, *(halt.place for halt in halts), 0]))
        travel_s = sum(int(self.durations_s[a, b]) for a, b in legs)
        distance_m = sum(int(self.distances_m[a, b]) for a, b in legs)
        duration_s = (home_at - self.leaves_at - early).total_seconds()
        cost = duration_s * self.per_s + distance_m * self.per_m
        return Trip(travel_s, distance_m, cost)

    def _home_at(self, halts: list[Halt], at: datetime) -> datetime | None:
        here = 0
        for halt in halts:
            at += timedelta(seconds=int(self.durations_s[here, halt.place]))
            at = max(at, halt.opens_at)
            if at >= halt.closes_at:
                return None
            at += halt.service
            here = halt.place
        return at + timedelta(seconds=int(self.durations_s[here, 0]))
