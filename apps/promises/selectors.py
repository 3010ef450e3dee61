"""Questions to rules, holds and the live day; they never write."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from apps.core.problems import NotFound
from apps.depots.models import Depot
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.promises.calendar import Rules
from apps.promises.models import Hold, SlotRules
from apps.promises.states import HoldState
from apps.routes.models import Route, Stop
from apps.routes.selectors import OUT_THERE
from apps.routes.states import DONE

RULE_FIELDS = (
    *("opens", "closes", "slot_minutes", "days_ahead", "lead_minutes"),
    *("cutoff_minutes", "hold_minutes", "fill_percent", "stop_travel_s"),
    "co2_g_per_km",
)


class HoldNotFound(NotFound):
    """There is no such hold."""

    type = "/problems/hold-not-found"
    title = "There is no such hold here."


def rules_of(depot: Depot) -> Rules:
    """Return a depot's rules, or the first values."""
    row = SlotRules.objects.filter(depot=depot).first()
    if row is None:
        return Rules(depot.time_zone)
    return Rules(depot.time_zone, **{name: getattr(row, name) for name in RULE_FIELDS})


def hold_by_id(hold_id: uuid.UUID) -> Hold:
    """Return a hold with its order and depot.

    Raises:
        HoldNotFound: there is none.
    """
    rows = Hold.objects.select_related("order__depot", "depot", "route")
    hold = rows.filter(pk=hold_id).first()
    if hold is None:
        raise HoldNotFound
    return hold


def open_hold_of(order_id: uuid.UUID, now: datetime) -> Hold | None:
    """Return the slot that is kept for an order, if one is."""
    rows = Hold.objects.filter(
        order_id=order_id, status=HoldState.HELD, expires_at__gt=now
    )
    return rows.first()


def binding_holds(
    depot_id: uuid.UUID, day: date, now: datetime, *, but: uuid.UUID
) -> QuerySet[Hold]:
    """Return the holds of a day that use its room up, but for one order's.

    Those that somebody keeps, and those that were taken and that no route has yet.
    """
    routed = Stop.objects.filter(
        order=OuterRef("order"), route__service_date=OuterRef("service_date")
    ).exclude(status__in=DONE)
    waiting = Q(
        ~Exists(routed),
        status=HoldState.TAKEN,
        order__status=OrderState.OPEN,
        order__service_date=F("service_date"),
    )
    kept = Q(status=HoldState.HELD, expires_at__gt=now)
    rows = Hold.objects.filter(kept | waiting, depot_id=depot_id, service_date=day)
    return rows.exclude(order_id=but).select_related("order", "route").order_by("id")


def marks_of_day(
    depot_id: uuid.UUID, day: date, holds: Sequence[Hold]
) -> Mapping[uuid.UUID, str]:
    """Return of each live route what changes whenever its sequence or load does."""
    rows = Route.objects.filter(
        depot_id=depot_id, service_date=day, status__in=OUT_THERE
    )
    states = {
        row[0]: row[1:]
        for row in rows.values_list("pk", "version", "shift__version", "shift__status")
    }
    sums = (
        Stop.objects.filter(route__in=rows)
        .order_by()
        .values_list("route_id")
        .annotate(Count("pk"), Sum("version"), Sum("order__version"))
    )
    stops = {row[0]: row[1:] for row in sums}
    held: dict[uuid.UUID | None, list[str]] = defaultdict(list)
    for hold in holds:
        held[hold.route_id].append(hold.pk.hex)
    return {
        route_id: repr((state, stops.get(route_id), held[route_id]))
        for route_id, state in states.items()
    }


def movable_stop(order: Order) -> Stop | None:
    """Return the order's stop that is not over yet, with its route."""
    rows = Stop.objects.filter(order=order).exclude(status__in=DONE)
    return rows.select_related("route__shift").first()
