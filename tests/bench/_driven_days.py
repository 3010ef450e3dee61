"""Composed days, planned without knowing the truth, then driven by it: all in memory.

The planner has its estimates; what really happens is the town's (`TownTruth`), with late
starts and bad roads on top. A drive is looked at when it sets out and when a quarter, a
half and three quarters of its stops are done: what was ahead then, as the office would
know it, and whether it went wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from apps.core.codes import codes_of
from apps.core.units import Point
from apps.routes.conditions import RoadCondition
from apps.routes.courses import Ahead, service_factors
from apps.routes.dayinputs import BreakRule, DayInput, Interval, OrderInput, ShiftInput
from apps.routes.eta import BREAK_EARLY
from apps.routes.etaparts import Outset, Rest, TravelLaw, Visit
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.parameters import DEFAULTS, Parameters
from apps.routes.places import Circle, shares_of_legs
from apps.routes.planning import build_problem
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.solution import RoutePlan
from apps.training.town.chance import draw
from apps.training.town.compose import compose_day
from apps.training.town.day import OrderDraft, ShiftDraft, TownDay, VehicleDraft
from apps.training.town.truth import Mode, TownTruth

NAMES = UUID("6f4b0e52-3c0a-5b0c-9d5f-0d7a3b8e9c11")
OVERTIME_S = 1_800
BIKE_SPEED_PERCENT = 80
LOOKS = (0.0, 0.25, 0.5, 0.75)
LATE_SHARE = 0.25
LATE_S = (300, 2_400)
"""A quarter of the drivers starts late by 5 to 40 minutes, as the simulated fleet does."""

RAIN_SHARE, RAIN_PERCENT = 0.2, (112, 140)
ROADWORKS_SHARE, ROADWORKS_PERCENT, ROADWORKS_M = 0.35, (180, 320), 1_200
"""On so many days it rains, or a road is up: planned without, reported in the morning."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was ahead of a route at one moment, and whether it went wrong."""

    day: date
    route: str
    share_done: float
    ahead: Ahead
    went_wrong: bool


@dataclass(slots=True)
class Experience:
    """Services as they were, by zone: (planned, true) seconds summed, and ratios seen."""

    planned_s: dict[str, float] = field(default_factory=dict)
    true_s: dict[str, float] = field(default_factory=dict)

    def factors(self) -> dict[str, float]:
        """Return by zone how much longer services take there than planned."""
        return service_factors(self.planned_s, self.true_s)

    def add(self, zone: str, planned_s: float, true_s: float) -> None:
        """Remember one service."""
        self.planned_s[zone] = self.planned_s.get(zone, 0.0) + planned_s
        self.true_s[zone] = self.true_s.get(zone, 0.0) + true_s


@dataclass(frozen=True, slots=True)
class _Day:
    """One composed day with what the office knows of it."""

    town_day: TownDay
    origin_at: datetime
    orders: Mapping[str, OrderDraft]
    shifts: Mapping[str, tuple[ShiftDraft, VehicleDraft]]
    conditions: tuple[RoadCondition, ...]


class Driven:
    """Plans and drives the days of one town."""

    def __init__(
        self,
        truth: TownTruth,
        *,
        orders: int,
        drivers: int,
        engine: str,
        rounds: int,
        parameters: Parameters = DEFAULTS,
    ) -> None:
        """Take the town, and how large its days are."""
        self._truth, self._parameters = truth, parameters
        self._orders, self._drivers = orders, drivers
        self._engine, self._rounds = engine, rounds
        self._zone = ZoneInfo(truth.town.time_zone)
        self.experience = Experience()
        site = truth.town.depot
        self._depot = Point(site.lat, site.lon)

    def looks(
        self, on_date: date, seed: int, factors: Mapping[str, float]
    ) -> Iterator[Look]:
        """Plan a day, drive it, and yield what was to be seen of each route."""
        town_day = compose_day(
            self._truth.town,
            on_date,
            orders=self._orders,
            drivers=self._drivers,
            seed=seed,
        )
        vehicles = {vehicle.registration: vehicle for vehicle in town_day.vehicles}
        day = _Day(
            town_day=town_day,
            origin_at=min(s.starts_at for s in town_day.shifts).astimezone(UTC),
            orders={str(_id(o.reference)): o for o in town_day.orders},
            shifts={
                str(_id(s.driver)): (s, vehicles[s.vehicle]) for s in town_day.shifts
            },
            conditions=self._conditions(on_date, seed),
        )
        for plan in self._planned(day):
            yield from self._drive(day, plan, seed, factors)

    # ── the plan ────────────────────────────────────────────────────────────
    def _planned(self, day: _Day) -> tuple[RoutePlan, ...]:
        given = DayInput(
            depot_id=NAMES,
            service_date=day.town_day.date,
            origin_at=day.origin_at,
            shifts=tuple(self._shift(day, key) for key in day.shifts),
            orders=tuple(_order(UUID(key), order) for key, order in day.orders.items()),
            parameters=self._parameters,
        )
        matrix = EstimatedTravelTimes().matrix(given.points())
        problem = build_problem(
            given, durations_s=matrix.durations_s, distances_m=matrix.distances_m
        )
        stop = Stop(solutions=self._rounds, time_limit_s=300)
        return open_engine(self._engine).solve(problem, stop=stop, seed=7).routes

    def _shift(self, day: _Day, key: str) -> ShiftInput:
        shift, vehicle = day.shifts[key]
        driver = next(d for d in day.town_day.drivers if d.reference == shift.driver)
        rest = shift.break_window
        closes_at = min(rest.end, shift.ends_at) - timedelta(seconds=shift.break_s)
        rests = (BreakRule(rest.start, closes_at, shift.break_s),)
        return ShiftInput(
            shift_id=UUID(key),
            shift_version=1,
            driver_id=UUID(key),
            start=self._depot,
            end=self._depot,
            free_at=shift.starts_at,
            ends_at=shift.ends_at,
            max_overtime_s=OVERTIME_S,
            capacities=(
                vehicle.capacity_g,
                vehicle.capacity_ml,
                vehicle.capacity_pieces,
            ),
            on_board=(0, 0, 0),
            capabilities=codes_of([*vehicle.capabilities, *driver.skills]),
            breaks=rests if rest.start <= closes_at else (),
            cost_per_km_minor=30,
            cost_per_hour_minor=2400,
            speed_percent=_speed_percent(vehicle),
            departed=False,
        )

    def _conditions(self, on_date: date, seed: int) -> tuple[RoadCondition, ...]:
        found = []
        key = (self._truth.town.seed, seed, on_date)
        if draw(*key, "rain") < RAIN_SHARE:
            percent = _between(RAIN_PERCENT, draw(*key, "rain percent"))
            found.append(self._condition(on_date, "Rain", None, percent, (7, 20)))
        if draw(*key, "works") < ROADWORKS_SHARE:
            doors = self._truth.town.addresses
            at = doors[int(draw(*key, "works at") * len(doors))]
            place = Circle(Point(at.lat, at.lon), ROADWORKS_M)
            percent = _between(ROADWORKS_PERCENT, draw(*key, "works percent"))
            found.append(self._condition(on_date, "Roadworks", place, percent, (8, 18)))
        return tuple(found)

    def _condition(
        self,
        on_date: date,
        name: str,
        place: Circle | None,
        percent: int,
        hours: tuple[int, int],
    ) -> RoadCondition:
        return RoadCondition(
            condition_id=uuid5(NAMES, f"{on_date} {name}"),
            version=1,
            kind="weather" if place is None else "roadworks",
            place=place,
            from_at=datetime.combine(on_date, time(hours[0]), self._zone),
            until_at=datetime.combine(on_date, time(hours[1]), self._zone),
            percent=percent,
            name=name,
            zone=self._truth.town.time_zone,
        )

    # ── the drive ───────────────────────────────────────────────────────────
    def _drive(
        self, day: _Day, plan: RoutePlan, seed: int, factors: Mapping[str, float]
    ) -> Iterator[Look]:
        shift, _ = day.shifts[plan.vehicle_id]
        route = _Route(self, day, plan, factors)
        late = draw(seed, "late", day.town_day.date, shift.driver)
        late_s = 0
        if late < LATE_SHARE:
            late_s = _between(LATE_S, late / LATE_SHARE)
        departs_at = day.origin_at + timedelta(seconds=plan.departure_s)
        route.at = departs_at + timedelta(seconds=late_s)
        count = len(plan.visits)
        looks = {round(share * count): share for share in LOOKS}
        seen: list[tuple[float, Ahead, int]] = []
        for number in range(count):
            if number in looks:
                seen.append((looks[number], route.ahead(number), number))
            route.visit(number)
        came_home_late = route.come_home() > route.latest_at
        for share, ahead, number in seen:
            yield Look(
                day=day.town_day.date,
                route=plan.vehicle_id,
                share_done=share,
                ahead=ahead,
                went_wrong=came_home_late or any(route.missed[number:]),
            )

    def true_leg_s(
        self, day: _Day, leg: tuple[Point, Point], at: datetime, mode: Mode
    ) -> float:
        """Return how long a leg really takes, with the conditions of the day."""
        here, there = leg
        if here == there:
            return 1.0
        plain_s = self._truth.true_travel_s(
            (here.lat, here.lon), (there.lat, there.lon), at, mode
        )
        more = 0.0
        for condition in day.conditions:
            if condition.is_in_force(at):
                share = 1.0
                if condition.place is not None:
                    share = float(shares_of_legs(condition.place, [here], [there])[0])
                more += share * condition.extra
        return plain_s * (1 + more)

    def true_service_s(self, day: _Day, order: OrderDraft, driver: str) -> float:
        """Return how long a service really takes, and remember it."""
        true_s = self._truth.true_service_s(
            order.address, order.pieces, driver, day.town_day.date
        )
        self.experience.add(order.address.zone, order.planned_service_s, true_s)
        return float(true_s)

    def law(self, vehicle: VehicleDraft) -> TravelLaw:
        """Return how the office reckons travel."""
        return TravelLaw(
            c_s=self._parameters.travel_c_s,
            p=self._parameters.travel_p,
            speed_percent=_speed_percent(vehicle),
            zone=self._truth.town.time_zone,
            travel_cv=self._parameters.eta_travel_cv,
            service_cv=self._parameters.eta_service_cv,
            drift=self._parameters.eta_drift,
        )

    @property
    def depot(self) -> Point:
        """Where routes start and end."""
        return self._depot


class _Route:
    """One route on the road: where it is, and what it has missed."""

    def __init__(
        self,
        driven: Driven,
        day: _Day,
        plan: RoutePlan,
        factors: Mapping[str, float],
    ) -> None:
        self._driven, self._day, self._plan = driven, day, plan
        self._factors = factors
        self._shift, self._vehicle = shift, _ = day.shifts[plan.vehicle_id]
        self.at = shift.starts_at
        self.place = driven.depot
        self.missed: list[bool] = []
        self.latest_at = shift.ends_at + timedelta(seconds=OVERTIME_S)
        self._rests = [_rest(day, plan, number) for number in range(len(plan.breaks))]

    def order(self, number: int) -> OrderDraft:
        return self._day.orders[self._plan.visits[number].job_id]

    def ahead(self, number: int) -> Ahead:
        """Return what the office knows to be ahead before a stop."""
        orders = [self.order(each) for each in range(number, len(self._plan.visits))]
        planned_at = self._day.origin_at + timedelta(
            seconds=self._plan.visits[number - 1].departure_s
            if number
            else self._plan.departure_s
        )
        late_s = round((self.at - planned_at).total_seconds())
        where = f"stop {number}" if number else "the start"
        return Ahead(
            outset=Outset(self.place, self.at, late_s, where),
            visits=tuple(
                Visit(
                    stop_id=_id(order.reference),
                    point=Point(*order.address.place),
                    service_s=order.planned_service_s,
                    windows=tuple(Interval(w.start, w.end) for w in order.windows),
                )
                for order in orders
            ),
            rests=tuple(self._rests),
            conditions=self._day.conditions,
            law=self._driven.law(self._vehicle),
            numbers=tuple(range(number + 1, len(self._plan.visits) + 1)),
            zones=tuple(order.address.zone for order in orders),
            service_factors=self._factors,
            home=self._driven.depot,
            latest_at=self.latest_at,
        )

    def visit(self, number: int) -> None:
        """Drive to a stop, wait for its window, serve it."""
        order = self.order(number)
        self._rest_if_due()
        self._go(Point(*order.address.place))
        self.missed.append(self.at >= order.windows[-1].end)
        opens = [w.start for w in order.windows if w.end > self.at]
        self.at = max(self.at, *opens[:1]) if opens else self.at
        service_s = self._driven.true_service_s(self._day, order, self._shift.driver)
        self.at += timedelta(seconds=service_s)

    def come_home(self) -> datetime:
        """Drive back to the depot; return when it is there."""
        self._go(self._driven.depot)
        return self.at

    def _go(self, place: Point) -> None:
        leg_s = self._driven.true_leg_s(
            self._day, (self.place, place), self.at, self._vehicle.mode
        )
        self.at += timedelta(seconds=leg_s)
        self.place = place

    def _rest_if_due(self) -> None:
        while self._rests:
            rest = self._rests[0]
            if self.at < (rest.planned_at or rest.opens_at) - BREAK_EARLY:
                return
            self.at += timedelta(seconds=rest.duration_s)
            self._rests.pop(0)


def _rest(day: _Day, plan: RoutePlan, number: int) -> Rest:
    placed = plan.breaks[number]
    shift, _ = day.shifts[plan.vehicle_id]
    return Rest(
        opens_at=shift.break_window.start,
        closes_at=shift.break_window.end - timedelta(seconds=shift.break_s),
        duration_s=shift.break_s,
        planned_at=day.origin_at + timedelta(seconds=placed.start_s),
    )


def _order(order_id: UUID, order: OrderDraft) -> OrderInput:
    return OrderInput(
        order_id=order_id,
        order_version=1,
        point=Point(*order.address.place),
        service_s=order.planned_service_s,
        windows=tuple(Interval(w.start, w.end) for w in order.windows),
        demands=(order.weight_g, order.volume_ml, order.pieces),
        requires=codes_of(order.requirements),
        priority=5 if order.priority else 3,
        is_pickup=False,
    )


def _id(reference: str) -> UUID:
    return uuid5(NAMES, reference)


def _speed_percent(vehicle: VehicleDraft) -> int:
    return BIKE_SPEED_PERCENT if vehicle.mode is Mode.CARGO_BIKE else 100


def _between(bounds: tuple[int, int], share: float) -> int:
    low, high = bounds
    return round(low + share * (high - low))


def with_factors(look: Look, factors: Mapping[str, float]) -> Look:
    """Return the same look with other experience of the parts of town."""
    return replace(look, ahead=replace(look.ahead, service_factors=factors))
