"""Slots of a day that has no plan yet: by its shifts, and what they are to do already."""

from collections.abc import Callable, Sequence
from datetime import date

from apps.core.codes import codes_of
from apps.core.units import Point
from apps.drivers.models import Shift, Vehicle
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.promises.calendar import Rules
from apps.promises.capacity import Booked, Crew, takes
from apps.promises.live import asked_input
from apps.promises.models import Hold
from apps.promises.slotledger import Estimated
from apps.promises.states import HoldState
from apps.routes.dayinputs import Interval
from apps.routes.gateways.base import TravelTimes
from apps.routes.intake import USABLE_SHIFTS
from apps.routes.parameters import Parameters
from apps.routes.servicetimes import service_of
from apps.routes.solver.problem import UNREACHABLE

Quote = tuple[Interval, Estimated, str]


def open_slots(  # noqa: PLR0917
    order: Order,
    rules: Rules,
    day: date,
    wanted: Sequence[Interval],
    holds: Sequence[Hold],
    parameters: Parameters,
    travel: TravelTimes,
) -> list[Quote]:
    """Return the slots that the day's shifts leave room for, priced by the way there.

    Without a plan the price is an estimate: there and back from the nearest place that
    the day goes to anyway.
    """
    shifts = list(
        Shift.objects.filter(
            depot_id=order.depot_id, service_date=day, status__in=USABLE_SHIFTS
        ).select_related("vehicle__type", "driver")
    )
    if not shifts:
        return []
    others = list(
        Order.objects.filter(
            depot_id=order.depot_id, service_date=day, status=OrderState.OPEN
        )
        .exclude(pk=order.pk)
        .select_related("zone")
        .prefetch_related("windows")
    )
    kept = [hold for hold in holds if hold.status == HoldState.HELD]
    visit = asked_input(order, wanted[0], parameters)
    crews = [_crew(shift) for shift in shifts]
    work_s = visit.service_s + rules.stop_travel_s
    booked = [
        *(_booked(one, _windows(one), rules, parameters) for one in others),
        *(_booked(h.order, (_held(h),), rules, parameters) for h in kept),
    ]
    free = [
        window
        for window in wanted
        if takes(
            crews,
            booked,
            window,
            Booked((window,), work_s, visit.demands),
            frozenset(visit.requires),
            rules.fill_percent,
        )
    ]
    if not free:
        return []
    points = [order.depot.point, *(one.point for one in others)]
    prices = _priced(order, points, visit.service_s, shifts[0].vehicle, travel)
    mark = repr([hold.pk.hex for hold in holds])
    return [(window, prices(window), mark) for window in free] if prices else []


def _priced(
    order: Order,
    points: Sequence[Point],
    service_s: int,
    vehicle: Vehicle,
    travel: TravelTimes,
) -> Callable[[Interval], Estimated] | None:
    """Return what a window costs from the nearest point; none where no road leads."""
    spokes = travel.spokes(order.point, points)
    near = int((spokes.there_s.astype(int) + spokes.back_s).argmin())
    if int(spokes.there_s[near]) >= UNREACHABLE:
        return None

    def price(window: Interval) -> Estimated:
        return Estimated(
            there_s=int(spokes.there_s[near]),
            back_s=int(spokes.back_s[near]),
            there_m=int(spokes.there_m[near]),
            back_m=int(spokes.back_m[near]),
            service_s=service_s,
            per_hour_minor=vehicle.cost_per_hour_minor,
            per_km_minor=vehicle.cost_per_km_minor,
            opens_at=window.opens_at,
        )

    return price


def _crew(shift: Shift) -> Crew:
    vehicle = shift.vehicle
    skills = shift.driver.skills if vehicle.type.is_crewed else []
    return Crew(
        Interval(shift.starts_at, shift.ends_at),
        (vehicle.capacity_g, vehicle.capacity_ml, vehicle.capacity_pieces),
        frozenset(codes_of([*vehicle.abilities, *skills])),
    )


def _windows(order: Order) -> tuple[Interval, ...]:
    return tuple(Interval(one.opens_at, one.closes_at) for one in order.windows.all())


def _held(hold: Hold) -> Interval:
    return Interval(hold.opens_at, hold.closes_at)


def _booked(
    order: Order,
    windows: tuple[Interval, ...],
    rules: Rules,
    parameters: Parameters,
) -> Booked:
    stands_s = service_of(order, parameters).seconds
    return Booked(
        windows,
        stands_s + rules.stop_travel_s,
        (order.load_g, order.load_ml, order.pieces),
    )
