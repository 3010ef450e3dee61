"""What is known of a depot before the optimizer is switched on; never writes."""

import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, Q

from apps.depots.models import Depot
from apps.drivers.models import Device, Shift, Vehicle
from apps.drivers.states import DeviceState
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.intake import USABLE_SHIFTS
from apps.routes.models import Plan, PlanningParameter
from apps.routes.moderows import DepotMode
from apps.routes.planners import may_act
from apps.routes.readiness import Check, Facts, checks_of
from apps.routes.states import Act, PlanState

TRUSTED_CONFIDENCE = 0.5
"""A place that was found with less is not where the order goes."""

LOOKED_BACK = timedelta(days=7)
SILENT_FOR = timedelta(days=1)


def readiness_of(depot: Depot, now: datetime) -> list[Check]:
    """Return the checks of a depot, for the next day that has orders or shifts."""
    return checks_of(facts_of(depot, now))


def facts_of(depot: Depot, now: datetime) -> Facts:
    """Read what is known of a depot."""
    day = next_day(depot, now)
    orders = Order.objects.filter(depot=depot, service_date=day, status=OrderState.OPEN)
    vehicles = Vehicle.objects.filter(depot=depot, is_active=True)
    shifts = Shift.objects.filter(
        depot=depot, service_date=day, status__in=USABLE_SHIFTS
    )
    devices = Device.objects.filter(depot=depot, status=DeviceState.ACTIVE)
    heard = devices.filter(last_seen_at__gt=now - SILENT_FOR)
    learned = PlanningParameter.objects.filter(
        depot=depot, name__in=["travel_by_hour", "roads_factor"]
    )
    failed = Plan.objects.filter(
        depot=depot,
        status=PlanState.FAILED,
        requested_at__gt=now - LOOKED_BACK,
    )
    row = DepotMode.objects.filter(pk=depot.pk).first()
    return Facts(
        orders=orders.count(),
        unsure_places=orders.filter(location_confidence__lt=TRUSTED_CONFIDENCE).count(),
        without_service_time=orders.filter(service_s=None).count(),
        oversized=_oversized(depot.pk, day),
        vehicles=vehicles.count(),
        shifts=shifts.count(),
        devices=devices.count(),
        silent_devices=devices.count() - heard.count(),
        travel_source=settings.ROADS_SOURCE,
        learned_travel=learned.exists(),
        engine_failing=row is not None and row.open_until is not None,
        failure=row.failure if row and row.open_until else "",
        dead_plans=failed.count(),
        may_plan=may_act(Act.PLAN, depot.pk, now, was_asked=True),
    )


def next_day(depot: Depot, now: datetime) -> date:
    """Return the first day from today on that has an order; today where none has."""
    today = now.astimezone(ZoneInfo(depot.time_zone)).date()
    ahead = Order.objects.filter(
        depot=depot, status=OrderState.OPEN, service_date__gte=today
    )
    found = ahead.order_by("service_date").values_list("service_date", flat=True)
    return found.first() or today


def _oversized(depot_id: uuid.UUID, day: date) -> int:
    """Count the orders that no vehicle in use has room for."""
    most = Vehicle.objects.filter(depot=depot_id, is_active=True).aggregate(
        g=Max("capacity_g"), ml=Max("capacity_ml"), pieces=Max("capacity_pieces")
    )
    if most["g"] is None:
        return 0
    orders = Order.objects.filter(
        depot=depot_id, service_date=day, status=OrderState.OPEN
    )
    return orders.filter(
        Q(load_g__gt=most["g"])
        | Q(load_ml__gt=most["ml"])
        | Q(pieces__gt=most["pieces"])
    ).count()
