"""What a change is about: whose depot and day, which route and stop, whose work."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final

from apps.core.problems import NotFound
from apps.drivers.models import Shift
from apps.recommendations.models import Recommendation
from apps.routes.changes import (
    Change,
    ChangeVehicle,
    EndShiftEarly,
    ExtraBreak,
    LockRoute,
    TakeAlternative,
    UnlockRoute,
)
from apps.routes.models import Plan, Route, Stop
from apps.routes.selectors import parse_id

NO_ID: Final = uuid.UUID(int=0)
"""Stands for what cannot be an id: no row has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a change takes place; `driver_id` is whose route or shift it is."""

    depot_id: uuid.UUID
    service_date: date
    route_id: uuid.UUID | None = None
    stop_id: uuid.UUID | None = None
    driver_id: uuid.UUID | None = None
    recommendation_id: uuid.UUID | None = None


def target_of(change: Change) -> Target:
    """Return what a change is about.

    Raises:
        NotFound: there is no such stop, route, shift or recommendation.
    """
    if isinstance(change, LockRoute | UnlockRoute):
        return _of_route(change.route_id)
    if isinstance(change, EndShiftEarly | ChangeVehicle | ExtraBreak):
        return _of_shift(change.shift_id)
    if isinstance(change, TakeAlternative):
        return _of_recommendation(change.recommendation_id)
    return target_of_stop(change.stop_id)


def target_of_stop(stop_id: str) -> Target:
    """Return what belongs to a stop.

    Raises:
        NotFound: there is no such stop.
    """
    rows = Stop.objects.select_related("route", "order")
    stop = rows.filter(pk=parse_id(stop_id) or NO_ID).first()
    if stop is None:
        raise NotFound("There is no such stop.")
    return Target(
        depot_id=stop.order.depot_id,
        service_date=stop.route.service_date if stop.route else stop.order.service_date,
        route_id=stop.route_id,
        stop_id=stop.pk,
        driver_id=stop.route.driver_id if stop.route else None,
    )


def _of_route(route_id: str) -> Target:
    route = Route.objects.filter(pk=parse_id(route_id) or NO_ID).first()
    if route is None:
        raise NotFound("There is no such route.")
    return Target(
        depot_id=route.depot_id,
        service_date=route.service_date,
        route_id=route.pk,
        driver_id=route.driver_id,
    )


def _of_shift(shift_id: str) -> Target:
    shift = Shift.objects.filter(pk=parse_id(shift_id) or NO_ID).first()
    if shift is None:
        raise NotFound("There is no such shift.")
    route = Route.objects.filter(shift=shift).only("pk").first()
    return Target(
        depot_id=shift.depot_id,
        service_date=shift.service_date,
        route_id=route.pk if route else None,
        driver_id=shift.driver_id,
    )


def _of_recommendation(recommendation_id: str) -> Target:
    row = Recommendation.objects.filter(pk=parse_id(recommendation_id) or NO_ID).first()
    plan = Plan.objects.filter(recommendation=row).first() if row else None
    if row is None or plan is None:
        raise NotFound("There is no such recommendation of a plan.")
    return Target(
        depot_id=plan.depot_id,
        service_date=plan.service_date,
        recommendation_id=row.pk,
    )
