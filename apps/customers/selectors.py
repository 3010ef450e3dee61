"""Questions of the anonymous door; they never write."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count

from apps.core.problems import NotFound, Problem
from apps.core.units import Point, epoch_ms
from apps.customers.codes import hash_of, is_code
from apps.customers.models import (
    AddressProposal,
    CustomerPage,
    DeliveryWish,
    Inquiry,
    Link,
    PickupPoint,
)
from apps.customers.states import Channel, ProposalState
from apps.customers.tracking import Facts, Nearness, Tracked, track
from apps.depots.models import Depot
from apps.drivers.selectors import last_position
from apps.drivers.states import ShiftState
from apps.feedback.firsts import DELIVERY
from apps.feedback.models import Survey
from apps.feedback.states import SurveyState
from apps.notifications.selectors import sent_by_kind
from apps.orders.models import Order
from apps.orders.selectors import order_by_id
from apps.routes.models import Stop
from apps.routes.states import DONE, RouteState, StopState

FRESH = timedelta(minutes=10)
"""A position that is older says where the van was, and is not shown."""

OUT_THERE = (ShiftState.STARTED, ShiftState.PAUSED)


class LinkUnknown(NotFound):
    """There is no such link: mistyped, or never made."""

    type = "/problems/link-unknown"
    title = "There is no such link."


class LinkOver(Problem):
    """The link has expired, or was taken back."""

    type = "/problems/link-over"
    title = "This link is over."
    status = 410

    def __init__(self, link: Link) -> None:
        """Keep the link: its page can still say whom to ask."""
        super().__init__()
        self.link = link


@dataclass(frozen=True, slots=True)
class Door:
    """How a depot's pages look, and what they offer."""

    brand: str
    colour: str = "#0f7a67"
    phone: str = ""
    has_logo: bool = False
    near: Nearness = field(default_factory=Nearness)
    offers_safe_place: bool = True
    offers_neighbour: bool = True
    takes_addresses: bool = True
    wish_cutoff_minutes: int = 15


def open_link(code: str, purpose: str, now: datetime) -> Link:
    """Return the link with this code, if it opens anything.

    Raises:
        LinkUnknown: there is none for this purpose.
        LinkOver: it has expired, or was taken back.
    """
    if not is_code(code):
        raise LinkUnknown
    rows = Link.objects.select_related("order__depot", "order__customer")
    link = rows.filter(code_hash=hash_of(code), purpose=purpose).first()
    if link is None:
        raise LinkUnknown
    if link.revoked_at is not None or link.expires_at <= now:
        raise LinkOver(link)
    return link


def door_of(depot: Depot) -> Door:
    """Return how a depot's pages look; the defaults where nobody has set them."""
    row = CustomerPage.objects.filter(depot=depot).first()
    if row is None:
        return Door(depot.name)
    return Door(
        brand=row.brand or depot.name,
        colour=row.colour,
        phone=row.phone,
        has_logo=bool(row.logo),
        near=Nearness(row.near_stops, row.near_minutes, row.coarse_m),
        offers_safe_place=row.offers_safe_place,
        offers_neighbour=row.offers_neighbour,
        takes_addresses=row.takes_addresses,
        wish_cutoff_minutes=row.wish_cutoff_minutes,
    )


def pickup_points(depot: Depot) -> Sequence[PickupPoint]:
    """Return the places where a depot's customers may fetch their parcels."""
    return list(PickupPoint.objects.filter(depot=depot, is_active=True))


def wish_of(order: Order) -> DeliveryWish | None:
    """Return what the customer asked of the driver."""
    return DeliveryWish.objects.filter(order=order).first()


def open_proposal(order: Order) -> AddressProposal | None:
    """Return the address that waits for the office."""
    rows = AddressProposal.objects.filter(order=order, status=ProposalState.PROPOSED)
    return rows.first()


def delivery_survey() -> Survey | None:
    """Return the survey that is asked after a delivery; None while there is none."""
    return Survey.objects.filter(key=DELIVERY, status=SurveyState.LIVE).first()


def where_is(order_id: uuid.UUID, *, now: datetime) -> Tracked:
    """Return where an order is, as its customer may know it, from the live state.

    Raises:
        OrderNotFound: there is no such order.
    """
    order = order_by_id(order_id)
    return track(_facts(order, now), door_of(order.depot).near, now)


def _facts(order: Order, now: datetime) -> Facts:
    stop = (
        Stop.objects.filter(order=order)
        .exclude(status=StopState.CANCELLED)
        .select_related("route__shift")
        .order_by("-id")
        .first()
    )
    windows = [(w.opens_at, w.closes_at) for w in order.windows.all()]
    base = Facts(
        order_status=order.status,
        service_date=order.service_date,
        today=now.astimezone(ZoneInfo(order.depot.time_zone)).date(),
        windows=tuple(windows),
    )
    if stop is None or stop.route is None or stop.route.status == RouteState.DRAFT:
        return base
    is_out = stop.route.shift.status in OUT_THERE
    is_ahead = stop.status not in DONE
    return Facts(
        order_status=base.order_status,
        service_date=base.service_date,
        today=base.today,
        windows=base.windows,
        stop_status=stop.status,
        is_out=is_out,
        stops_before=_before(stop) if is_ahead else 0,
        eta=(stop.eta_at, stop.eta_low_at, stop.eta_high_at),
        done_at=stop.completed_at,
        home=order.point,
        van=_van(stop, now) if is_out and is_ahead else None,
    )


def _before(stop: Stop) -> int:
    rows = Stop.objects.filter(route=stop.route, sequence__lt=stop.sequence)
    return rows.exclude(status__in=DONE).count()


def _van(stop: Stop, now: datetime) -> Point | None:
    """Return where the van was within the last minutes."""
    if stop.route is None:
        return None
    fix = last_position(stop.route.driver_id)
    if fix is None or fix.occurred_ms < epoch_ms(now - FRESH):
        return None
    return Point(fix.lat_e6 / 1e6, fix.lon_e6 / 1e6)


@dataclass(frozen=True, slots=True)
class CustomersDay:
    """What customers of a day asked, and were told; `messages` are those sent, by kind."""

    orders: int
    asked_on_page: int
    asked_by_reply: int
    messages: Mapping[str, int]

    @property
    def asked_per_100(self) -> float | None:
        """Return questions where an order is, per 100 orders (C45); None without orders."""
        asked = self.asked_on_page + self.asked_by_reply
        return round(100 * asked / self.orders, 1) if self.orders else None


def customers_day(depot_id: uuid.UUID, day: date) -> CustomersDay:
    """Return what the customers of a day's orders asked and were told, whenever it was."""
    orders = Order.objects.filter(depot_id=depot_id, service_date=day)
    asked = Inquiry.objects.filter(order__in=orders).order_by()
    by_channel = dict(asked.values_list("channel").annotate(count=Count("pk")))
    order_ids = [str(order_id) for order_id in orders.values_list("pk", flat=True)]
    return CustomersDay(
        orders=len(order_ids),
        asked_on_page=by_channel.get(Channel.PAGE, 0),
        asked_by_reply=by_channel.get(Channel.REPLY, 0),
        messages=sent_by_kind("order", order_ids),
    )
