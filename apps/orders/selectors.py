"""Questions to the orders; they never write."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db.models import Q

from apps.core.problems import NotFound
from apps.core.units import Point
from apps.orders.drafts import CustomerDraft, KnownAddress
from apps.orders.models import Address, Customer, ImportRun, Order, QuarantinedRow

CHUNK = 500
WINDOWS = ("windows", "preferences")
"""What is fetched beside orders: when they must be served, and when best."""


class OrderNotFound(NotFound):
    """There is no such order, or not for this caller."""

    type = "/problems/order-not-found"
    title = "There is no such order here."


def order_by_id(order_id: uuid.UUID) -> Order:
    """Return an order with what its representation needs.

    Raises:
        OrderNotFound: there is none.
    """
    rows = Order.objects.select_related("depot", "customer", "zone")
    order = rows.prefetch_related(*WINDOWS).filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound
    return order


def orders_by_id(order_ids: Iterable[uuid.UUID]) -> Sequence[Order]:
    """Return these orders as `order_by_id` would, in order of id."""
    rows = Order.objects.select_related("depot", "customer", "zone")
    return list(
        rows.prefetch_related(*WINDOWS).filter(pk__in=list(order_ids)).order_by("id")
    )


def orders_by_reference(
    depot_id: uuid.UUID, references: Collection[str], *, lock: bool = False
) -> dict[str, Order]:
    """Return the depot's orders with these references; `lock` holds their rows."""
    found: dict[str, Order] = {}
    wanted = sorted(references)
    for start in range(0, len(wanted), CHUNK):
        rows = Order.objects.filter(
            depot_id=depot_id, reference__in=wanted[start : start + CHUNK]
        ).order_by("id")
        if lock:
            rows = rows.select_for_update()
        found |= {order.reference: order for order in rows}
    return found


def customers_like(
    depot_id: uuid.UUID, drafts: Collection[CustomerDraft]
) -> dict[CustomerDraft, uuid.UUID]:
    """Return the depot's customers who are exactly these, by what is known of them."""
    found: dict[CustomerDraft, uuid.UUID] = {}
    wanted = list(drafts)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        phones = {draft.phone for draft in part if draft.phone}
        names = {draft.name for draft in part if not draft.phone}
        rows = Customer.objects.filter(depot_id=depot_id).filter(
            Q(phone__in=phones) | Q(phone="", name__in=names)
        )
        for row in rows:
            key = CustomerDraft(row.name, row.phone, row.email, row.language)
            found.setdefault(key, row.pk)
    return found


def known_addresses(depot_id: uuid.UUID) -> Iterator[KnownAddress]:
    """Yield the depot's gazetteer."""
    rows = Address.objects.filter(depot_id=depot_id).values_list(
        "match_key", "postcode", "city", "latitude", "longitude"
    )
    for key, postcode, city, lat, lon in rows.iterator(chunk_size=5000):
        yield KnownAddress(key, postcode, city, Point(lat, lon))


def quarantine_of(run: ImportRun) -> Sequence[QuarantinedRow]:
    """Return the rows of a run that could not become orders, in the file's order."""
    return list(QuarantinedRow.objects.filter(run=run).order_by("line"))
