"""Which slots an order can have, and what each would cost: asked of the live plans.

It fetches travel times, so that it runs outside any transaction; whoever keeps a slot
checks its mark again under the day's lock.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from apps.core.ids import uuid7
from apps.core.problems import Conflict
from apps.orders.models import Order
from apps.orders.selectors import order_by_id
from apps.orders.services import OrderClosed
from apps.orders.states import OrderState
from apps.promises.calendar import Rules, days_of, slots_of
from apps.promises.live import LiveDay, asked_input, live_day, without
from apps.promises.models import Hold
from apps.promises.selectors import binding_holds, movable_stop, rules_of
from apps.promises.slotledger import Basis, estimate, placed
from apps.promises.slots import Place, Visit, able, short_list
from apps.promises.standing import Price, Standing, lay, price_at
from apps.promises.unplanned import open_slots
from apps.routes.dayinputs import Interval, OrderInput
from apps.routes.gateways.base import Spokes, TravelTimes
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force, published_plan
from apps.routes.solving import travel_times_of
from apps.routes.states import UNDER_WAY

Best = tuple[int, Price, Callable[[], Basis]]
"""The route that a slot costs least on, its price, and what that follows from."""

NO_CO2 = ("cargo-bike", "bike", "foot")
"""Types of vehicle that burn nothing; others go by the depot's rules."""

CLOSE_PERCENT = 110
"""A slot is marked as cheap or green up to this much of the least."""


class TooLate(Conflict):
    """The delivery is too near to be moved."""

    type = "/problems/too-late-to-move"
    title = "The delivery is too near to be moved."


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot that an order can have, and what it adds to the day."""

    service_date: date
    opens_at: datetime
    closes_at: datetime
    route_id: uuid.UUID | None
    mark: str
    """What has to be unchanged for the price to hold."""
    travel_s: int
    distance_m: int
    cost_milli: int
    co2_g: int
    starts_at: datetime | None
    """When service would begin by the live plan; None on a day without one."""
    price: Price
    basis: Callable[[], Basis] = field(compare=False, repr=False)
    """What the price follows from, written down when somebody holds the slot."""
    is_cheapest: bool = False
    is_greenest: bool = False

    @property
    def window(self) -> Interval:
        """The slot as an interval."""
        return Interval(self.opens_at, self.closes_at)

    @property
    def is_estimate(self) -> bool:
        """Tell whether the day has no plan yet."""
        return self.route_id is None


def offer_slots(
    *, order_id: uuid.UUID, now: datetime, days: Iterable[date] | None = None
) -> tuple[Slot, ...]:
    """Return the slots that an order can have now, by the live plans, in their order.

    `days` None means all that the depot offers. The cheapest and those with the least
    CO2 are marked.

    Raises:
        OrderNotFound: there is no such order.
        OrderClosed: it is delivered or cancelled.
        TooLate: the driver is about to come.
    """
    order = order_by_id(order_id)
    rules = rules_of(order.depot)
    check_movable(order, rules, now)
    found: list[Slot] = []
    for day in days if days is not None else days_of(rules, now):
        wanted = slots_of(rules, day, now)
        found += slots_on(order, rules, day, wanted, now)
    return _marked(found)


def price_slot(
    order: Order,
    rules: Rules,
    wanted: Interval,
    now: datetime,
    *,
    chosen_at: datetime | None = None,
) -> Slot | None:
    """Return one slot as it stands now; None where it cannot be had any more.

    Its lead time is counted from when it was chosen (None: now).
    """
    at = chosen_at or now
    for day in days_of(rules, at):
        if wanted in slots_of(rules, day, at):
            return next(iter(slots_on(order, rules, day, [wanted], now)), None)
    return None


def check_movable(order: Order, rules: Rules, now: datetime) -> None:
    """Let an order pass that may still be moved.

    Raises:
        OrderClosed: it is delivered or cancelled.
        TooLate: the driver is on the way to it, or due within the cut-off.
    """
    if order.status in (OrderState.DELIVERED, OrderState.CANCELLED):
        raise OrderClosed(f"The order is {order.get_status_display().lower()}.")
    stop = movable_stop(order)
    if stop is None or stop.route is None:
        return
    due_within = timedelta(minutes=rules.cutoff_minutes)
    is_due = stop.eta_at is not None and stop.eta_at < now + due_within
    if stop.status in UNDER_WAY or is_due:
        raise TooLate


@dataclass(frozen=True, slots=True)
class _Asking:
    """One order's question, with what it is answered by."""

    order: Order
    rules: Rules
    parameters: Parameters
    travel: TravelTimes
    now: datetime

    def variant(self, window: Interval, shift_id: uuid.UUID | None) -> OrderInput:
        """Return the order with one slot; each variant is a job of its own."""
        return asked_input(
            self.order, window, self.parameters, shift_id=shift_id, job_id=uuid7()
        )


def slots_on(
    order: Order, rules: Rules, day: date, wanted: Sequence[Interval], now: datetime
) -> list[Slot]:
    """Return those of the wanted slots of one day that the order can have."""
    if not wanted:
        return []
    parameters = parameters_in_force(order.depot_id, now)
    asking = _Asking(order, rules, parameters, travel_times_of(parameters), now)
    holds = list(binding_holds(order.depot_id, day, now, but=order.pk))
    if published_plan(order.depot_id, day) is not None:
        return _live_slots(asking, day, wanted, holds)
    quotes = open_slots(order, rules, day, wanted, holds, parameters, asking.travel)
    return [
        _slot(
            day,
            window,
            None,
            mark,
            estimate(basis),
            rules.co2_g_per_km,
            partial(_as_it_is, basis),
        )
        for window, basis, mark in quotes
    ]


def _as_it_is(basis: Basis) -> Basis:
    return basis


def _live_slots(
    asking: _Asking, day: date, wanted: Sequence[Interval], holds: Sequence[Hold]
) -> list[Slot]:
    order, travel = asking.order, asking.travel
    live = live_day(
        order.depot_id,
        day,
        holds,
        parameters=asking.parameters,
        travel=travel,
        now=asking.now,
    )
    live, home = without(live, order.pk, travel)
    visit = _visit(asking, live, home)
    places = short_list(
        live.table,
        visit,
        _spokes(live, visit, travel),
        able(live.routes, visit),
        [(_after(live, one.opens_at), _after(live, one.closes_at)) for one in wanted],
        _after(live, asking.now),
    )
    priced = _exactly(asking, live, visit, wanted, places)
    grams = _grams(live.routes, asking.rules)
    found = []
    for row, (number, price, basis) in sorted(priced.items()):
        route_id = live.routes[number].route_id
        mark, g_per_km = live.marks[route_id], grams[route_id]
        found.append(_slot(day, wanted[row], route_id, mark, price, g_per_km, basis))
    return found


def _visit(asking: _Asking, live: LiveDay, home: int | None) -> Visit:
    """State an order as a visit; a parcel that is out in a van stays in that van."""
    window = Interval(live.since, live.since)
    asked = asked_input(asking.order, window, asking.parameters)
    aboard = home is not None and live.routes[home].departed
    return Visit(
        point=asked.point,
        service_s=asked.service_s,
        demands=asked.demands,
        requires=frozenset(asked.requires),
        is_pickup=asked.is_pickup,
        on_board_of=home if aboard else None,
    )


def _after(live: LiveDay, at: datetime) -> int:
    return int((at - live.since).total_seconds())


def _spokes(live: LiveDay, visit: Visit, travel: TravelTimes) -> Spokes:
    """Fetch travel to and from the place, by the hour of most routes."""
    hours = [one.hour for one in live.routes]
    hour = max(set(hours), key=hours.count) if hours else None
    return travel.spokes(visit.point, live.table.points, departs_hour=hour)


def _exactly(
    asking: _Asking,
    live: LiveDay,
    visit: Visit,
    wanted: Sequence[Interval],
    places: Sequence[Sequence[Place]],
) -> dict[int, Best]:
    """Time the places on the short list; return each slot's best: route, price, basis."""
    by_route: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row, listed in enumerate(places):
        for place in listed:
            by_route[place.route].append((row, place.leg))
    best: dict[int, Best] = {}
    for number, tries in sorted(by_route.items()):
        one = _from_now_on(live.routes[number], asking.now)
        shift_id = one.day.shifts[0].shift_id if visit.on_board_of == number else None
        rows = sorted({row for row, _ in tries})
        asked = [asking.variant(wanted[row], shift_id) for row in rows]
        laid = lay(one.day, one.held, asked, asking.travel, one.jobs)
        if laid is None:
            continue
        for row, leg in tries:
            job = laid.asked[rows.index(row)]
            price = price_at(laid, job, leg, one.day.origin_at)
            if price is None:
                continue
            if row not in best or price.cost_milli < best[row][1].cost_milli:
                basis = partial(placed, laid, job, leg, one.day.origin_at)
                best[row] = (number, price, basis)
    return best


def _from_now_on(one: Standing, now: datetime) -> Standing:
    """Return a route that can do nothing in the past."""
    shift = one.day.shifts[0]
    if shift.free_at >= now:
        return one
    late = replace(shift, free_at=now)
    day = replace(one.day, shifts=(late,), origin_at=now.replace(microsecond=0))
    return replace(one, day=day, jobs={})


def _grams(routes: Sequence[Standing], rules: Rules) -> dict[uuid.UUID, int]:
    """Return the CO2 of each route's vehicle, in grams a kilometre."""
    return {
        one.route_id: 0 if one.vehicle_type in NO_CO2 else rules.co2_g_per_km
        for one in routes
    }


def _slot(  # noqa: PLR0917
    day: date,
    window: Interval,
    route_id: uuid.UUID | None,
    mark: str,
    price: Price,
    g_per_km: int,
    basis: Callable[[], Basis],
) -> Slot:
    return Slot(
        service_date=day,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        route_id=route_id,
        mark=mark,
        travel_s=price.travel_s,
        distance_m=price.distance_m,
        cost_milli=price.cost_milli,
        co2_g=round(price.distance_m * g_per_km / 1000),
        starts_at=price.starts_at if route_id else None,
        price=price,
        basis=basis,
    )


def _marked(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Mark what costs least and what burns least, where there is any choice."""
    if len(slots) < 2:
        return tuple(slots)
    cheap = _bound(one.cost_milli for one in slots)
    green = _bound(one.co2_g for one in slots)
    return tuple(
        replace(
            one,
            is_cheapest=one.cost_milli <= cheap,
            is_greenest=one.co2_g <= green,
        )
        for one in slots
    )


def _bound(values: Iterable[int]) -> float:
    """Return up to what a value counts as the least; nowhere where all are alike."""
    known = list(values)
    least = min(known)
    if max(known) <= least * CLOSE_PERCENT / 100:
        return least - 1
    return max(least * CLOSE_PERCENT / 100, least)
