"""The verbs of single orders: create, change, cancel, reschedule, settle."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError

from apps.core.actors import Actor
from apps.core.bulk import update
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, FieldError, Invalid, Problem
from apps.depots.models import Depot
from apps.depots.selectors import zone_finder
from apps.journal.services import Writer, writing
from apps.orders.drafts import (
    AddressDraft,
    Location,
    OrderChanges,
    OrderDraft,
    Window,
    merged,
)
from apps.orders.imports.gazetteer import Gazetteer, NotLocated
from apps.orders.imports.places import far_fault
from apps.orders.models import Order
from apps.orders.selectors import OrderNotFound, known_addresses, order_by_id
from apps.orders.services.files import record_change
from apps.orders.services.storing import (
    Incoming,
    find_or_add_customer,
    sort_incoming,
    store,
)
from apps.orders.services.windows import (
    check_windows,
    hand_preferences_on,
    move_preferences,
    new_windows,
    replace_windows,
)
from apps.orders.states import ORDER_STEPS, OrderState

_PLAIN = (
    *("kind", "priority", "pieces", "load_g", "load_ml", "service_s", "notes"),
    *("requires", "proof"),
)
_LISTS = ("requires", "proof")


class DuplicateReference(Conflict):
    """The depot has an order with this reference."""

    type = "/problems/duplicate-reference"
    title = "The depot has an order with this reference already."


class OrderClosed(Conflict):
    """The order is delivered, partly delivered or cancelled."""

    type = "/problems/order-closed"
    title = "This order is closed and can no longer be changed."


class OrderMoved(Conflict):
    """Somebody else changed the order's state at the same moment."""

    type = "/problems/order-moved"
    title = "The order was changed at the same moment: read it again."


def create_order(
    *, depot_id: uuid.UUID, draft: OrderDraft, by: Actor, now: datetime
) -> Order:
    """Take an order in.

    Raises:
        Invalid: a window is inverted, or the place is unknown or too far.
        DuplicateReference: the depot has this reference; `order_id` names the order.
    """
    answer = create_orders(depot_id=depot_id, drafts=[draft], by=by, now=now)[0]
    if isinstance(answer, Problem):
        raise answer
    return answer


def create_orders(
    *, depot_id: uuid.UUID, drafts: Sequence[OrderDraft], by: Actor, now: datetime
) -> list[Order | Problem]:
    """Take several orders in; each is answered by its order or by its problem."""
    answers: dict[int, Order | Problem] = {}
    try:
        with writing(by=by, now=now) as writer:
            _create(Depot.objects.get(pk=depot_id), drafts, answers, writer)
    except IntegrityError:
        raise OrderMoved("The same references came in at the same moment.") from None
    return [answers[index] for index in range(len(drafts))]


def _create(
    depot: Depot,
    drafts: Sequence[OrderDraft],
    answers: dict[int, Order | Problem],
    writer: Writer,
) -> None:
    ready: dict[str, tuple[int, Incoming]] = {}
    gazetteer: Gazetteer | None = None
    for index, draft in enumerate(drafts):
        if draft.reference in ready:
            answers[index] = DuplicateReference("It comes twice in this request.")
            continue
        if draft.point is None and gazetteer is None:
            gazetteer = Gazetteer(known_addresses(depot.pk))
        try:
            check_windows(draft.windows)
            check_windows(draft.preferred_windows, "preferred_windows")
            location = locate(depot, draft, gazetteer)
        except Invalid as problem:
            answers[index] = problem
        else:
            ready[draft.reference] = index, Incoming(draft, location)
    found = sort_incoming(depot.pk, [item for _, item in ready.values()], lock=True)
    for item, order in [*found.unchanged, *found.changed, *found.closed]:
        index, _ = ready[item.draft.reference]
        answers[index] = DuplicateReference(order_id=str(order.pk))
    found.changed.clear()
    for order in store(found, depot=depot, writer=writer).created:
        answers[ready[order.reference][0]] = order
        record_change(writer, "order.created", order)


def locate(depot: Depot, draft: OrderDraft, gazetteer: Gazetteer | None) -> Location:
    """Return where a draft goes: as it says, or by the gazetteer.

    Raises:
        Invalid: the place is unknown, or too far from the depot.
    """
    if draft.point is not None:
        fault = far_fault("/location", draft.point, depot.point)
        if fault:
            raise _invalid(fault.column, fault.code, fault.detail)
        return Location(draft.point, Order.LocationSource.GIVEN, 1.0)
    known = gazetteer or Gazetteer(known_addresses(depot.pk))
    try:
        return known.locate(draft.address)
    except NotLocated as error:
        raise _invalid("/location", "no_location", str(error)) from None


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])


def change_order(
    *,
    order_id: uuid.UUID,
    expected_version: int | None,
    changes: OrderChanges,
    by: Actor,
    now: datetime,
) -> Order:
    """Change an order that is open, or whose attempt failed; None: any version.

    Raises:
        OrderNotFound: there is no such order.
        PreconditionFailed: it has another version by now.
        OrderClosed: it is delivered, partly delivered or cancelled.
        Invalid: a window is inverted, or the new place is unknown or too far.
    """
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        _check_version(order, expected_version)
        if order.status not in (OrderState.OPEN, OrderState.FAILED):
            raise OrderClosed(f"The order is {order.get_status_display().lower()}.")
        updates = _updates(order, changes)
        windows = new_windows(order, changes)
        if not updates and not windows:
            return order
        _update(order, now, **updates)
        for name, wanted in windows.items():
            replace_windows(order, name, wanted)
        if "customer_id" in updates:
            hand_preferences_on(order)
        names = sorted({*updates, *windows})
        record_change(writer, "order.changed", order, fields=names)
    return order_by_id(order_id)


def _check_version(order: Order, expected: int | None) -> None:
    if expected is not None and order.version != expected:
        raise PreconditionFailed(version=order.version)


def _updates(order: Order, changes: OrderChanges) -> dict[str, Any]:
    """Return the columns that get another value."""
    draft, wanted = changes.draft, {}
    for name in changes.fields.intersection(_PLAIN):
        value = getattr(draft, name)
        wanted[name] = list(value) if name in _LISTS else value
    if "customer" in changes.fields:
        wanted["customer_id"] = find_or_add_customer(order.depot, draft.customer)
    wanted |= _place_updates(order, changes)
    return {k: value for k, value in wanted.items() if getattr(order, k) != value}


def _place_updates(order: Order, changes: OrderChanges) -> dict[str, Any]:
    """Return the columns of a new place; a person's coordinates are a correction."""
    wanted: dict[str, Any] = {}
    draft, fields = changes.draft, changes.fields
    if "address" in fields:
        wanted |= _address_columns(draft.address)
        if all(getattr(order, name) == value for name, value in wanted.items()):
            wanted = {}
    if draft.point is None and not wanted:
        return wanted
    location = locate(order.depot, draft, None)
    corrected = draft.point is not None
    return wanted | {
        "latitude": location.point.lat,
        "longitude": location.point.lon,
        "location_source": Order.LocationSource.CORRECTED
        if corrected
        else location.source,
        "location_confidence": location.confidence,
        "zone_id": zone_finder(order.depot_id).find(location.point),
    }


def _address_columns(address: AddressDraft) -> dict[str, str]:
    return {
        "street": address.street,
        "house_number": address.house_number,
        "postcode": address.postcode,
        "city": address.city,
    }


def _update(order: Order, now: datetime, **updates: Any) -> None:
    """Write columns if the order is still as we read it, and give it a new version."""
    updates |= {"version": order.version + 1, "changed_at": now}
    hit = Order.objects.filter(
        pk=order.pk, version=order.version, status=order.status
    ).update(**updates)
    if hit != 1:
        raise OrderMoved
    for name, value in updates.items():
        setattr(order, name, value)


def cancel_order(
    *,
    order_id: uuid.UUID,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Order:
    """Cancel an order; one that is cancelled stays so.

    Raises:
        OrderNotFound: there is no such order.
        PreconditionFailed: it has another version by now.
        IllegalStep: it is delivered or partly delivered.
    """
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        _check_version(order, expected_version)
        if order.status == OrderState.CANCELLED:
            return order
        ORDER_STEPS.check(order.status, OrderState.CANCELLED)
        _update(order, now, status=OrderState.CANCELLED)
        record_change(writer, "order.cancelled", order, reason=reason[:200])
    return order_by_id(order_id)


def reschedule_order(
    *,
    order_id: uuid.UUID,
    service_date: date,
    windows: Sequence[Window],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Order:
    """Give an order another day, with that day's windows; a failed one opens again.

    What the customer prefers stays at its time of day.

    Raises:
        OrderNotFound: there is no such order.
        PreconditionFailed: it has another version by now.
        OrderClosed: it is delivered or cancelled.
        Invalid: a window is inverted.
    """
    check_windows(windows)
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        _check_version(order, expected_version)
        if order.status in (OrderState.DELIVERED, OrderState.CANCELLED):
            raise OrderClosed(f"The order is {order.get_status_display().lower()}.")
        old_date = order.service_date
        _update(order, now, service_date=service_date, status=OrderState.OPEN)
        replace_windows(order, "windows", merged(windows))
        move_preferences(order, service_date - old_date)
        record_change(
            writer,
            "order.changed",
            order,
            fields=["service_date", "windows"],
            old_service_date=old_date.isoformat(),
        )
    return order_by_id(order_id)


def set_outcome(*, order_id: uuid.UUID, status: str, by: Actor, now: datetime) -> Order:
    """Set what the road made of an order: its stop ended, or was opened again.

    Raises:
        OrderNotFound: there is no such order.
        IllegalStep: the order's state does not allow it.
    """
    with writing(by=by, now=now) as writer:
        order = Order.objects.select_for_update().filter(pk=order_id).first()
        if order is None:
            raise OrderNotFound
        outcomes = Outcomes(writer)
        outcomes.note(order, OrderState(status))
        outcomes.write()
    return order_by_id(order_id)


class Outcomes:
    """What the road makes of orders that are locked, step by step, written in one go."""

    def __init__(self, writer: Writer) -> None:
        """Begin with none."""
        self._writer = writer
        self._steps: Counter[uuid.UUID] = Counter()
        self._last: dict[uuid.UUID, str] = {}

    def note(self, order: Order, status: OrderState) -> None:
        """Take one step of an order, and record it.

        Raises:
            IllegalStep: the order's state does not allow it.
        """
        if order.status == status:
            return
        ORDER_STEPS.check(order.status, status)
        old, order.status = order.status, status
        self._steps[order.pk] += 1
        self._last[order.pk] = status
        record_change(
            self._writer, "order.outcome_set", order, status=str(status), old_status=old
        )

    def write(self) -> None:
        """Write where the orders have come to, in one statement."""
        columns = {
            "id": list(self._steps),
            "status": [str(self._last[order_id]) for order_id in self._steps],
            "version": list(self._steps.values()),
            "changed_at": self._writer.now,
        }
        update(Order, columns, added=["version"])
