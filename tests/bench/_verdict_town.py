"""One composed day: planned by the estimates alone, and driven by the town's truth.

It shares no code with the replay that is tested: how both ways are driven, when service
begins and what it costs is written here once more.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.core.units import Point
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.hours import hour_factor
from apps.training.town.chance import bell, draw
from apps.training.town.compose import compose_day
from apps.training.town.day import OrderDraft
from apps.training.town.truth import TownTruth
from apps.verdicts.ways import END, START, Prices

OWN_LUCK = 0.15
"""Spread of one leg on one day about the town's truth: lights, lorries, a parking place."""

ANY_TIME_SHARE = 0.5
"""So many of the orders may be served at any time of the day."""

PRICES = Prices(
    per_s_milli=667.0,
    per_m_milli=30.0,
    overtime_per_s_milli=333.0,
    window_late_per_s_milli=667.0,
)
Times = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is otherwise on one way: windows of stops, a rest, the vehicle and its prices.

    `rest` is from when on a break is due, and its seconds; `pace` how long legs take.
    """

    windows: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    rest: tuple[float, float] | None = None
    pace: float = 1.0
    prices: Prices = PRICES


AS_EVER = Terms()


@dataclass(frozen=True, slots=True)
class Stopped:
    """One visit in the simulated truth, in seconds after the origin.

    `leg_s` is the drive to it, `rested_at_s` when the driver rested before that.
    """

    stop: str
    leg_s: float
    rested_at_s: float | None
    arrived_s: float
    began_s: float
    left_s: float
    late_s: float


@dataclass(slots=True)
class Route:
    shift: str
    begins_at: datetime
    ends_s: float
    stops: list[str] = field(default_factory=list)


class DrivenDay:
    """One day: who drives what by the plan, and how it truly is."""

    def __init__(
        self,
        truth: TownTruth,
        zone: ZoneInfo,
        on_date: date,
        *,
        orders: int,
        drivers: int,
        seed: int,
    ) -> None:
        self._truth, self._date, self._seed, self._zone = truth, on_date, seed, zone
        drafts = compose_day(
            truth.town, on_date, orders=orders, drivers=drivers, seed=seed
        )
        self.orders = {order.reference: order for order in drafts.orders}
        self.origin_at = min(s.starts_at for s in drafts.shifts).astimezone(UTC)
        site = truth.town.depot
        self._places = {ref: o.address.place for ref, o in self.orders.items()}
        self._places |= {START: (site.lat, site.lon), END: (site.lat, site.lon)}
        self.names = list(self._places)
        points = [Point(*self._places[name]) for name in self.names]
        matrix = EstimatedTravelTimes().matrix(points)
        self._law_s, self._law_m = matrix.durations_s, matrix.distances_m
        self._at = {name: number for number, name in enumerate(self.names)}
        vans = [s.driver for s in drafts.shifts]
        self.routes = [
            Route(s.driver, s.starts_at, self.seconds(s.ends_at)) for s in drafts.shifts
        ]
        self._drivers = vans
        self._luck: dict[tuple[str, str], float] = {}
        self._services: dict[str, float] = {}
        self._windows: dict[str, tuple[tuple[float, float], ...]] = {}
        self.law = {(a, b): self.law_s(a, b) for a in self.names for b in self.names}
        self._plan(list(drafts.orders))

    # ── the plan ────────────────────────────────────────────────────────────
    def seconds(self, at: datetime) -> float:
        """Return an instant in seconds after the origin."""
        return (at - self.origin_at).total_seconds()

    def law_s(self, here: str, there: str, at_s: float | None = None) -> float:
        """Return what the office thinks a leg takes."""
        plain = float(self._law_s[self._at[here], self._at[there]])
        if at_s is None:
            return plain
        at = (self.origin_at + timedelta(seconds=at_s)).astimezone(self._zone)
        return plain * hour_factor(at.hour)

    def _plan(self, orders: Sequence[OrderDraft]) -> None:
        """Sweep the town about the depot; put each order where it costs least."""
        lat, lon = self._places[START]
        around = sorted(
            orders,
            key=lambda o: math.atan2(
                o.address.place[0] - lat, o.address.place[1] - lon
            ),
        )
        share = math.ceil(len(around) / len(self.routes))
        law = self.law
        for number, route in enumerate(self.routes):
            mine = around[number * share : (number + 1) * share]
            for order in sorted(
                mine, key=lambda o: (self.windows(o.reference)[:1], o.reference)
            ):
                best = min(
                    range(len(route.stops) + 1),
                    key=lambda at: (
                        self.cost(
                            route,
                            [
                                *route.stops[:at],
                                order.reference,
                                *route.stops[at:],
                            ],
                            law,
                            planned=True,
                        ),
                        at,
                    ),
                )
                route.stops.insert(best, order.reference)

    # ── the truth ───────────────────────────────────────────────────────────
    def true_leg_s(self, here: str, there: str, at_s: float) -> float:
        """Return how long a leg truly takes on this day."""
        a, b = self._places[here], self._places[there]
        if a == b:
            return 20.0
        at = self.origin_at + timedelta(seconds=at_s)
        if (here, there) not in self._luck:
            drawn = bell(self._seed, "luck", self._date, here, there)
            self._luck[here, there] = OWN_LUCK * drawn
        luck = self._luck[here, there]
        plain = self._truth.true_travel_s(a, b, at)
        return plain * math.exp(luck - OWN_LUCK**2 / 2) + 10.0

    def true_service_s(self, stop: str) -> float:
        """Return how long a service truly takes: all of a day's drivers are equally quick."""
        if stop not in self._services:
            order, pace = self.orders[stop], self._drivers[0]
            self._services[stop] = float(
                self._truth.true_service_s(
                    order.address, order.pieces, pace, self._date
                )
            )
        return self._services[stop]

    def windows(self, stop: str) -> tuple[tuple[float, float], ...]:
        """Return a stop's windows in seconds; some may be served at any time."""
        if stop not in self._windows:
            is_free = draw(self._seed, "any time", stop) < ANY_TIME_SHARE
            given = () if is_free else self.orders[stop].windows
            self._windows[stop] = tuple(
                (self.seconds(w.start), self.seconds(w.end)) for w in given
            )
        return self._windows[stop]

    def drive(
        self,
        route: Route,
        stops: Sequence[str],
        legs: Times | None = None,
        *,
        planned: bool = False,
        terms: Terms = AS_EVER,
    ) -> tuple[list[Stopped], float]:
        """Drive a sequence: by the truth, or with legs that somebody names."""
        at, here, seen = self.seconds(route.begins_at), START, []
        rest = terms.rest
        for stop in stops:
            rested_at = None
            if rest is not None and at >= rest[0]:
                rested_at, at, rest = at, at + rest[1], None
            took = legs[here, stop] if legs else self.true_leg_s(here, stop, at)
            at += took * terms.pace
            windows = terms.windows.get(stop, self.windows(stop))
            began, late = begun(at, windows)
            if planned:
                left = began + self.orders[stop].planned_service_s
            else:
                left = began + self.true_service_s(stop)
            leg_s = took * terms.pace
            seen.append(Stopped(stop, leg_s, rested_at, at, began, left, late))
            at, here = left, stop
        took = legs[here, END] if legs else self.true_leg_s(here, END, at)
        return seen, at + took * terms.pace + (rest[1] if rest else 0.0)

    def cost(
        self,
        route: Route,
        stops: Sequence[str],
        legs: Times | None = None,
        roads: Times | None = None,
        *,
        planned: bool = False,
        terms: Terms = AS_EVER,
    ) -> float:
        """Return what a sequence costs in minor units: time, distance, being late."""
        if not stops:
            return 0.0
        seen, ends = self.drive(route, stops, legs, planned=planned, terms=terms)
        took = ends - self.seconds(route.begins_at)
        late = math.fsum(one.late_s for one in seen)
        metres = math.fsum(
            roads[a, b] if roads else self.metres(a, b, planned=legs is not None)
            for a, b in zip([START, *stops], [*stops, END], strict=True)
        )
        prices = terms.prices
        return (
            took * prices.per_s_milli
            + metres * prices.per_m_milli
            + max(0.0, ends - route.ends_s) * prices.overtime_per_s_milli
            + late * prices.window_late_per_s_milli
        ) / 1000

    def metres(self, here: str, there: str, *, planned: bool) -> float:
        """Return how far it is: on the office's map, or truly."""
        if planned:
            return float(self._law_m[self._at[here], self._at[there]])
        a, b = self._places[here], self._places[there]
        return float(self._truth.true_path(a, b).distance_m) if a != b else 0.0


def begun(at: float, windows: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return when service begins, and how late that is: drivers wait, or ring late."""
    ends = [closes for _, closes in windows if closes <= at]
    ahead = [max(at, opens) for opens, closes in windows if closes > at]
    if not ahead and not ends:
        return at, 0.0
    wait = min(ahead) - at if ahead else math.inf
    late = at - max(ends) if ends else math.inf
    return (at + wait, 0.0) if wait <= late else (at, late)
