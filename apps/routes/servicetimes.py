"""What is planned for the service of an order: its own time, or the standard, as learned."""

from apps.orders.models import Order
from apps.routes.parameters import Parameters
from apps.routes.servicefactors import (
    PlannedService,
    ServicePlace,
    building_of,
    planned_service,
)


def service_of(order: Order, parameters: Parameters) -> PlannedService:
    """Return the seconds to plan for an order, with the factors that are in force."""
    own_s = order.service_s
    standard_s = parameters.standard_service_s if own_s is None else own_s
    if not parameters.service_factors:
        return PlannedService(standard_s)
    return planned_service(standard_s, place_of(order), parameters.service_factors)


def place_of(order: Order) -> ServicePlace:
    """Return what an order's place is called where factors go by it."""
    building = building_of(order.postcode, order.street, order.house_number)
    return ServicePlace(
        zone=order.zone.name if order.zone is not None else "",
        building=building,
        address=building,
        pieces=order.pieces,
    )
