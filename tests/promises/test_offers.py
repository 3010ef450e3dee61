"""Slots priced from the live plan, judged by a recomputation that knows no shortcut."""

from datetime import timedelta

import pytest

from apps.orders.models import Order
from apps.promises.offering import offer_slots
from apps.routes.models import Route
from tests.factories import NOW, SERVICE_DATE, TimeWindowFactory
from tests.promises.recomputing import Recomputed
from tests.routes.days import make_day, make_order, publish_day

pytestmark = pytest.mark.django_db

EVENING = NOW - timedelta(hours=10)
"""The evening before the day of service."""


def order_of_yesterday(depot: object, number: int = 30, **values: object) -> Order:
    """Make an order that is to be moved into the day of service."""
    return make_order(
        depot,  # type: ignore[arg-type]
        number,
        service_date=SERVICE_DATE - timedelta(days=1),
        **values,
    )


def test_price_equals_the_recomputed_difference() -> None:
    depot = make_day(orders=14, shifts=3)
    for number in (20, 22):
        TimeWindowFactory(order=make_order(depot, number))
    publish_day(depot)
    order = order_of_yesterday(depot)
    slots = offer_slots(order_id=order.pk, now=EVENING, days=[SERVICE_DATE])
    routes = Route.objects.filter(depot=depot).select_related("shift__vehicle")
    trips = {route.pk: Recomputed(route, order) for route in routes}
    assert len(slots) >= 4
    for slot in slots:
        found = {
            route_id: min(trip.differences(slot), key=lambda t: t.cost_milli)
            for route_id, trip in trips.items()
            if list(trip.differences(slot))
        }
        least = min(found.values(), key=lambda trip: trip.cost_milli)
        assert slot.route_id is not None
        mine = found[slot.route_id]
        assert abs(slot.travel_s - mine.travel_s) <= 1
        assert abs(slot.distance_m - mine.distance_m) <= 5
        assert abs(slot.cost_milli - least.cost_milli) <= trips[slot.route_id].per_s
        assert slot.starts_at is not None
        assert slot.opens_at <= slot.starts_at < slot.closes_at
        assert slot.co2_g == round(slot.distance_m * 230 / 1000)
    dearest = max(slot.cost_milli for slot in slots)
    marked = [slot for slot in slots if slot.is_cheapest]
    assert marked
    assert all(slot.cost_milli < dearest for slot in marked)
