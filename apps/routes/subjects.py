"""What a change is about: its stop, route and shift as they stand; refusals in words."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models

from apps.core.problems import Conflict, NotFound
from apps.drivers.models import Shift
from apps.orders.states import OrderState
from apps.recommendations.models import Recommendation
from apps.routes.changes import (
    Change,
    ChangeVehicle,
    EndShiftEarly,
    ExtraBreak,
    GiveStop,
    LockRoute,
    MoveStop,
    PinStop,
    SkipStop,
    TakeAlternative,
    UnlockRoute,
)
from apps.routes.intake import USABLE_SHIFTS
from apps.routes.models import Plan, Route, Stop
from apps.routes.pinned import RouteLock
from apps.routes.refusals import sentence
from apps.routes.selectors import parse_id, published_plan
from apps.routes.states import DONE, UNDER_WAY, RouteState

NO_ID = uuid.UUID(int=0)


class CannotChange(Conflict):
    """The day does not allow this change; the sentence says what would be allowed."""

    type = "/problems/cannot-change"
    title = "The plan cannot be changed like this."

    @classmethod
    def of(cls, code: str, **figures: Any) -> "CannotChange":
        """Return a refusal by its code, to be said in any language: see `refusals`."""
        said = sentence(code, figures)
        return cls(said, refusal={"code": code, **figures})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change is about."""

    depot_id: uuid.UUID
    service_date: date
    currency: str
    zone: str
    route: Route | None = None
    stop: Stop | None = None
    shift: Shift | None = None
    recommendation: Recommendation | None = None

    @property
    def home(self) -> uuid.UUID | None:
        """The shift whose plan is changed first of all."""
        if self.shift is not None:
            return self.shift.pk
        return self.route.shift_id if self.route is not None else None

    @property
    def about(self) -> models.Model:
        """What the change is about, as the ledger names it."""
        found = self.stop or self.route or self.shift or self.recommendation
        if found is None:
            raise TypeError("A change is about something.")
        return found

    def own_stop(self) -> Stop:
        """Return the stop of a change that has one."""
        if self.stop is None:
            raise TypeError("This kind of change is not about a stop.")
        return self.stop


def subject_of(change: Change) -> Subject:
    """Read what a change is about, and refuse what is over or was never planned.

    Raises:
        NotFound: there is no such stop, route, shift or recommendation.
        CannotChange: it is done, under way, over, or not published yet.
    """
    if isinstance(change, LockRoute | UnlockRoute):
        found = _of_route(change)
    elif isinstance(change, EndShiftEarly | ChangeVehicle | ExtraBreak):
        found = _of_shift(change.shift_id)
    elif isinstance(change, TakeAlternative):
        found = _of_recommendation(change)
    else:
        found = _of_stop(change.stop_id)
        _check_stop(change, found.own_stop())
    if published_plan(found.depot_id, found.service_date) is None:
        raise CannotChange.of("not_published")
    return found


def known_id(text: str) -> uuid.UUID:
    """Return an id; a text that is none stands for a row that does not exist."""
    return parse_id(text) or NO_ID


def _of_stop(stop_id: str) -> Subject:
    rows = Stop.objects.select_related("order__depot", "route__shift")
    stop = rows.filter(pk=known_id(stop_id)).first()
    if stop is None:
        raise NotFound("There is no such stop.")
    order = stop.order
    return Subject(
        depot_id=order.depot_id,
        service_date=order.service_date,
        currency=order.depot.currency,
        zone=order.depot.time_zone,
        route=stop.route,
        stop=stop,
    )


def _check_stop(change: Change, stop: Stop) -> None:
    """Refuse what is done, under way, or on no route although it must be on one."""
    loose = "" if stop.route is not None else "loose_"
    number = stop.sequence
    if stop.status in DONE:
        status = stop.get_status_display().lower()
        raise CannotChange.of(f"{loose}stop_over", number=number, status=status)
    if stop.status in UNDER_WAY:
        raise CannotChange.of("under_way", number=number)
    if stop.order.status != OrderState.OPEN:
        status = stop.order.get_status_display().lower()
        raise CannotChange.of(f"{loose}order_closed", number=number, status=status)
    if stop.route is None and isinstance(change, MoveStop | SkipStop | PinStop):
        raise CannotChange.of("nobody_has_it")


def _of_route(change: LockRoute | UnlockRoute) -> Subject:
    rows = Route.objects.select_related("depot", "shift")
    route = rows.filter(pk=known_id(change.route_id)).first()
    if route is None:
        raise NotFound("There is no such route.")
    if route.status == RouteState.FINISHED:
        raise CannotChange.of("route_over")
    is_locked = RouteLock.objects.filter(route=route, ended_at=None).exists()
    if isinstance(change, UnlockRoute) and not is_locked:
        raise CannotChange.of("not_locked")
    return Subject(
        depot_id=route.depot_id,
        service_date=route.service_date,
        currency=route.depot.currency,
        zone=route.depot.time_zone,
        route=route,
        shift=route.shift,
    )


def _of_shift(shift_id: str) -> Subject:
    shift = usable_shift(shift_id)
    return Subject(
        depot_id=shift.depot_id,
        service_date=shift.service_date,
        currency=shift.depot.currency,
        zone=shift.depot.time_zone,
        route=Route.objects.filter(shift=shift).first(),
        shift=shift,
    )


def usable_shift(shift_id: str) -> Shift:
    """Return a shift that is planned or running.

    Raises:
        NotFound: there is no such shift.
        CannotChange: it is over, or was cancelled.
    """
    rows = Shift.objects.select_related("depot", "driver", "vehicle__type")
    shift = rows.filter(pk=known_id(shift_id)).first()
    if shift is None:
        raise NotFound("There is no such shift.")
    if shift.status not in USABLE_SHIFTS:
        raise CannotChange.of("shift_over", status=shift.get_status_display().lower())
    return shift


def _of_recommendation(change: TakeAlternative) -> Subject:
    rows = Recommendation.objects.select_related("depot")
    row = rows.filter(pk=known_id(change.recommendation_id)).first()
    if row is None:
        raise NotFound("There is no such recommendation.")
    if change.alternative >= len(row.alternatives):
        raise CannotChange.of("no_such_alternative", count=len(row.alternatives))
    plan = Plan.objects.filter(recommendation=row).first()
    if plan is None or not row.alternatives[change.alternative].get("routes"):
        raise CannotChange.of("no_routes_kept")
    return Subject(
        depot_id=row.depot_id,
        service_date=plan.service_date,
        currency=row.depot.currency,
        zone=row.depot.time_zone,
        recommendation=row,
    )


def given_to(change: GiveStop, subject: Subject) -> Shift:
    """Return the shift that a stop is to be given to.

    Raises:
        NotFound: there is no such shift.
        CannotChange: it is over, another day's or depot's, or has the stop already.
    """
    shift = usable_shift(change.shift_id)
    if (shift.depot_id, shift.service_date) != (subject.depot_id, subject.service_date):
        raise CannotChange.of("another_day")
    if subject.route is not None and subject.route.shift_id == shift.pk:
        raise CannotChange.of("has_it_already")
    return shift


def shown_numbers(depot_id: uuid.UUID, service_date: date) -> Mapping[uuid.UUID, int]:
    """Return the number of each stop of a day as its driver sees it."""
    rows = Stop.objects.filter(
        route__depot_id=depot_id, route__service_date=service_date
    )
    return dict(rows.values_list("pk", "sequence"))
