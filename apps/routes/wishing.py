"""From a change, as people ask for it, to the day that it wants: one function a kind."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from apps.core.problems import NotFound
from apps.core.wording import local_time
from apps.drivers.models import Vehicle
from apps.routes import wanted as wishes
from apps.routes.changes import (
    Change,
    ChangeVehicle,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    GiveStop,
    LockRoute,
    MoveStop,
    PinStop,
    SkipStop,
    TakeAlternative,
    TakeOff,
    UnlockRoute,
)
from apps.routes.cheapest import cheapest_place, fitting_place
from apps.routes.dayinputs import BreakRule, Interval
from apps.routes.holding import pinned_windows
from apps.routes.pinned import Pin
from apps.routes.shiftinputs import abilities, capacities
from apps.routes.subjects import CannotChange, Subject, given_to, known_id
from apps.routes.wanted import Live, Wanted

Wish = Callable[[Any, Subject, Live, datetime], Wanted]


def wanted(change: Change, subject: Subject, live: Live, now: datetime) -> Wanted:
    """Return the day as a change wants it.

    Raises:
        NotFound: there is no such shift or vehicle.
        CannotChange: it makes no sense on this day; the sentence says what would.
        Unfit: it does not fit the live plan.
    """
    return WISHES[type(change)](change, subject, live, now)


def _move(change: MoveStop, subject: Subject, live: Live, now: datetime) -> Wanted:
    del now
    return wishes.moved(live, change, subject.own_stop().pk)


def _pin(change: PinStop, subject: Subject, live: Live, now: datetime) -> Wanted:
    del now
    stop = subject.own_stop()
    order = live.order(stop.pk)
    home = [order.shift_id] if order.shift_id else []
    if change.is_released:
        return wishes.unmoved(live, home, f"Stop {stop.sequence} without its pins")
    if change.from_at is None and change.until_at is None:
        return wishes.unmoved(live, home, f"Stop {stop.sequence} pinned")
    pin = Pin(opens_at=change.from_at, closes_at=change.until_at)
    windows = pinned_windows(pin, order.windows)
    ends = [
        f"{word} {_clock(at, subject)}"
        for word, at in (("from", change.from_at), ("before", change.until_at))
        if at is not None
    ]
    lead = f"pinned to begin {' and '.join(ends)}"
    fresh = replace(order, windows=windows, has_pinned_time=True)
    return wishes.rewindowed(live, fresh, lead, fitting_place, at_place=change.at_place)


def _give(change: GiveStop, subject: Subject, live: Live, now: datetime) -> Wanted:
    del now
    given_to(change, subject)
    return wishes.given(live, change, subject.own_stop().pk, cheapest_place)


def _take_off(change: TakeOff, subject: Subject, live: Live, now: datetime) -> Wanted:
    del change, now
    return wishes.left_out(live, subject.own_stop().pk, "off today")


def _skip(change: SkipStop, subject: Subject, live: Live, now: datetime) -> Wanted:
    del change, now
    return wishes.left_out(live, subject.own_stop().pk, "skipped")


def _window(
    change: ChangeWindow, subject: Subject, live: Live, now: datetime
) -> Wanted:
    if change.closes_at <= now:
        raise CannotChange.of("window_over")
    window = Interval(change.opens_at, change.closes_at)
    lead = f"from {_clock(window.opens_at, subject)} to {_clock(window.closes_at, subject)}"
    fresh = replace(live.order(subject.own_stop().pk), windows=(window,))
    return wishes.rewindowed(live, fresh, lead, fitting_place, at_place=False)


def _lock(change: LockRoute, subject: Subject, live: Live, now: datetime) -> Wanted:
    if change.until_at is not None and change.until_at <= now:
        raise CannotChange.of("lock_over")
    return wishes.unmoved(live, _home(subject), "Route locked")


def _unlock(change: UnlockRoute, subject: Subject, live: Live, now: datetime) -> Wanted:
    del change, now
    return wishes.unmoved(live, _home(subject), "Route unlocked")


def _alternative(
    change: TakeAlternative, subject: Subject, live: Live, now: datetime
) -> Wanted:
    del now
    row = subject.recommendation
    if row is None:
        raise TypeError("This kind of change is about a recommendation.")
    chosen = row.alternatives[change.alternative]
    lead = f"Alternative {change.alternative + 1}"
    return wishes.alternative(live, chosen["routes"], lead)


def _end_early(
    change: EndShiftEarly, subject: Subject, live: Live, now: datetime
) -> Wanted:
    shift = subject.shift
    if shift is None:
        raise TypeError("This kind of change is about a shift.")
    if change.ends_at <= now:
        raise CannotChange.of("end_over")
    if change.ends_at >= shift.ends_at:
        raise CannotChange.of("ends_anyway", at=_clock(shift.ends_at, subject))
    if change.ends_at <= shift.starts_at:
        raise CannotChange.of("ends_before_begin")
    fresh = wishes.ended_early(live.shift(shift.pk), change.ends_at)
    return wishes.reshifted(
        live, fresh, f"Shift ends at {_clock(change.ends_at, subject)}"
    )


def _vehicle(
    change: ChangeVehicle, subject: Subject, live: Live, now: datetime
) -> Wanted:
    del now
    shift = subject.shift
    if shift is None:
        raise TypeError("This kind of change is about a shift.")
    rows = Vehicle.objects.select_related("type")
    vehicle = rows.filter(pk=known_id(change.vehicle_id)).first()
    if vehicle is None:
        raise NotFound("There is no such vehicle.")
    if vehicle.pk == shift.vehicle_id:
        raise CannotChange.of("has_vehicle")
    fresh = replace(
        live.shift(shift.pk),
        capacities=capacities(vehicle),
        capabilities=abilities(vehicle, shift.driver),
        cost_per_km_minor=vehicle.cost_per_km_minor,
        cost_per_hour_minor=vehicle.cost_per_hour_minor,
        speed_percent=vehicle.travel_speed_percent,
    )
    return wishes.reshifted(live, fresh, f"Driven with {vehicle.name}")


def _rest(change: ExtraBreak, subject: Subject, live: Live, now: datetime) -> Wanted:
    shift = subject.shift
    if shift is None:
        raise TypeError("This kind of change is about a shift.")
    if change.until_at < now:
        raise CannotChange.of("break_over")
    if not shift.starts_at <= change.from_at <= change.until_at <= shift.ends_at:
        raise CannotChange.of(
            "break_outside",
            from_at=_clock(shift.starts_at, subject),
            until_at=_clock(shift.ends_at, subject),
        )
    rule = BreakRule(change.from_at, change.until_at, change.duration_s)
    fresh = wishes.rested(live.shift(shift.pk), rule)
    return wishes.reshifted(live, fresh, f"{change.duration_s // 60} min of rest more")


def _home(subject: Subject) -> list[Any]:
    return [subject.home] if subject.home is not None else []


def _clock(at: datetime, subject: Subject) -> str:
    return local_time(at, subject.zone, "%H:%M")


WISHES: Final[Mapping[type, Wish]] = {
    MoveStop: _move,
    PinStop: _pin,
    GiveStop: _give,
    TakeOff: _take_off,
    SkipStop: _skip,
    ChangeWindow: _window,
    LockRoute: _lock,
    UnlockRoute: _unlock,
    TakeAlternative: _alternative,
    EndShiftEarly: _end_early,
    ChangeVehicle: _vehicle,
    ExtraBreak: _rest,
}
"""What makes a day of each kind of change."""
