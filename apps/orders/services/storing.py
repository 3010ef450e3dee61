"""Drafts into tables, many at once: what is new, what changed, what may not change."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.depots.selectors import ZoneFinder, zone_finder
from apps.journal.services import Writer
from apps.orders.drafts import CustomerDraft, Fault, Location, OrderDraft
from apps.orders.models import Customer, ImportRun, Order, PreferredWindow, TimeWindow
from apps.orders.selectors import customers_like, orders_by_reference
from apps.orders.states import OrderState

CHUNK = 1000

_CONTENT_FIELDS = (
    *("kind", "customer", "service_date", "street", "house_number", "postcode", "city"),
    *("latitude", "longitude", "location_source", "location_confidence", "zone"),
    *("priority", "pieces", "load_g", "load_ml", "service_s", "requires", "proof"),
    *("notes", "version", "content_hash", "source_run", "source_line", "changed_at"),
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A draft that has its place, and the line of the file that it comes from."""

    draft: OrderDraft
    location: Location
    line: int | None = None


@dataclass(slots=True)
class Sorted:
    """What is to be done with incoming drafts, beside the orders there are."""

    new: list[Incoming] = field(default_factory=list)
    changed: list[tuple[Incoming, Order]] = field(default_factory=list)
    unchanged: list[tuple[Incoming, Order]] = field(default_factory=list)
    closed: list[tuple[Incoming, Order]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was done."""

    created: list[Order]
    updated: list[Order]
    service_dates: set[date]


def sort_incoming(
    depot_id: uuid.UUID, incoming: Sequence[Incoming], *, lock: bool
) -> Sorted:
    """Tell new from changed from unchanged; an order that is no longer open is closed.

    An order is unchanged when it was last filled from the same content, whatever the
    office has done to it since: a file sent twice takes back nobody's correction.
    """
    references = [item.draft.reference for item in incoming]
    known = orders_by_reference(depot_id, references, lock=lock)
    found = Sorted()
    for item in incoming:
        order = known.get(item.draft.reference)
        if order is None:
            found.new.append(item)
        elif order.content_hash == item.draft.content_hash():
            found.unchanged.append((item, order))
        elif order.status == OrderState.OPEN:
            found.changed.append((item, order))
        else:
            found.closed.append((item, order))
    return found


def closed_fault(column: str, order: Order) -> Fault:
    """Return why a row may not change its order."""
    return Fault(
        column,
        "duplicate_reference",
        f"The order {order.reference!r} is {order.get_status_display().lower()} and "
        "cannot be changed by a file: give this row a new reference, or take it out.",
    )


def store(
    found: Sorted,
    *,
    depot: Depot,
    writer: Writer,
    run: ImportRun | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Stored:
    """Store what is new and what changed, in chunks; the caller owns the transaction."""
    now = writer.now
    finder = zone_finder(depot.pk)
    drafts = [*found.new, *(item for item, _ in found.changed)]
    customers = _customers(depot, drafts)
    dates = {item.draft.service_date for item in drafts}
    dates |= {order.service_date for _, order in found.changed}
    created = []
    for item in found.new:
        order = Order(
            depot=depot, reference=item.draft.reference, received_at=now, version=0
        )
        fill(order, item, finder=finder, customers=customers, run=run, now=now)
        created.append(order)
    for item, order in found.changed:
        fill(order, item, finder=finder, customers=customers, run=run, now=now)
    updated = [order for _, order in found.changed]
    _insert(created, progress)
    _update(updated)
    TimeWindow.objects.bulk_create(
        [
            TimeWindow(order=order, opens_at=w.opens_at, closes_at=w.closes_at)
            for order, item in _pairs(created, updated, found)
            for w in item.draft.windows
        ],
        batch_size=CHUNK,
    )
    PreferredWindow.objects.bulk_create(
        [
            PreferredWindow(
                order=order,
                customer_id=order.customer_id,
                opens_at=w.opens_at,
                closes_at=w.closes_at,
            )
            for order, item in _pairs(created, updated, found)
            for w in item.draft.preferred_windows
        ],
        batch_size=CHUNK,
    )
    return Stored(created, updated, dates)


def fill(
    order: Order,
    item: Incoming,
    *,
    finder: ZoneFinder,
    customers: dict[CustomerDraft, uuid.UUID],
    run: ImportRun | None,
    now: datetime,
) -> None:
    """Give an order its draft's content, and the next version."""
    draft, location = item.draft, item.location
    order.service_date, order.kind = draft.service_date, draft.kind
    order.customer_id = customers[draft.customer] if draft.customer else None
    order.street, order.house_number = draft.address.street, draft.address.house_number
    order.postcode, order.city = draft.address.postcode, draft.address.city
    order.latitude, order.longitude = location.point.lat, location.point.lon
    order.location_source = location.source
    order.location_confidence = location.confidence
    order.zone_id = finder.find(location.point)
    order.priority, order.pieces = draft.priority, draft.pieces
    order.load_g, order.load_ml = draft.load_g, draft.load_ml
    order.service_s = draft.service_s
    order.requires, order.proof = list(draft.requires), list(draft.proof)
    order.notes = draft.notes
    order.content_hash = draft.content_hash()
    if run is not None:
        order.source_run, order.source_line = run, item.line
    order.version += 1
    order.changed_at = now


def find_or_add_customer(depot: Depot, draft: CustomerDraft | None) -> uuid.UUID | None:
    """Return the depot's customer who is exactly this one, new or known."""
    if draft is None:
        return None
    known = customers_like(depot.pk, [draft])
    return known.get(draft) or _add_customers(depot, [draft])[draft]


def _customers(
    depot: Depot, items: Sequence[Incoming]
) -> dict[CustomerDraft, uuid.UUID]:
    wanted = {item.draft.customer for item in items if item.draft.customer}
    known = customers_like(depot.pk, wanted)
    return known | _add_customers(depot, [d for d in wanted if d not in known])


def _add_customers(
    depot: Depot, drafts: Sequence[CustomerDraft]
) -> dict[CustomerDraft, uuid.UUID]:
    added = {draft: uuid7() for draft in drafts}
    Customer.objects.bulk_create(
        [
            Customer(
                id=added[draft],
                depot=depot,
                name=draft.name,
                phone=draft.phone,
                email=draft.email,
                language=draft.language,
            )
            for draft in drafts
        ],
        batch_size=CHUNK,
    )
    return added


def _insert(orders: list[Order], progress: Callable[[int], None]) -> None:
    for start in range(0, len(orders), CHUNK):
        Order.objects.bulk_create(orders[start : start + CHUNK])
        progress(min(start + CHUNK, len(orders)))


def _update(orders: list[Order]) -> None:
    """Write changed orders as one upsert a chunk; their rows are locked."""
    for start in range(0, len(orders), CHUNK):
        part = orders[start : start + CHUNK]
        Order.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["depot", "reference"],
            update_fields=_CONTENT_FIELDS,
        )
        changed = [order.pk for order in part]
        TimeWindow.objects.filter(order__in=changed).delete()
        PreferredWindow.objects.filter(order__in=changed).delete()


def _pairs(
    created: list[Order], updated: list[Order], found: Sorted
) -> list[tuple[Order, Incoming]]:
    return [
        *zip(created, found.new, strict=True),
        *zip(updated, (item for item, _ in found.changed), strict=True),
    ]
