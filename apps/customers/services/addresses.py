"""The verbs of corrected addresses: proposed by a customer, decided on in the office."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid, NotFound
from apps.core.units import Point
from apps.customers.models import AddressProposal
from apps.customers.selectors import open_proposal
from apps.customers.states import PROPOSAL_STEPS, ProposalState
from apps.journal.services import writing
from apps.orders.drafts import AddressDraft, OrderChanges
from apps.orders.selectors import order_by_id
from apps.orders.services import change_order, keep_address
from apps.orders.states import OrderState
from apps.routes.models import Stop


class ProposalNotFound(NotFound):
    """There is no such proposal."""

    type = "/problems/proposal-not-found"
    title = "There is no such proposal here."


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody says of an address: its words, its pin, and a note."""

    address: AddressDraft
    point: Point | None = None
    note: str = ""


def propose_address(
    *, order_id: uuid.UUID, correction: Correction, by: Actor, now: datetime
) -> AddressProposal:
    """Propose a corrected address or pin; the newest proposal replaces the open one.

    Raises:
        OrderNotFound: there is no such order.
        Invalid: nothing is said, or the pin is nowhere.
    """
    address, point = correction.address, correction.point
    if not address.street.strip() and point is None:
        text = "Give the street and number, or set the pin."
        raise Invalid(text, errors=[FieldError("/street", "required", text)])
    if point is not None and not point.is_valid():
        text = "The pin is not on the Earth."
        raise Invalid(text, errors=[FieldError("/pin", "bad_coordinates", text)])
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        row, _ = AddressProposal.objects.update_or_create(
            order=order,
            status=ProposalState.PROPOSED,
            defaults={
                "depot_id": order.depot_id,
                "street": address.street.strip(),
                "house_number": address.house_number.strip(),
                "postcode": address.postcode.strip(),
                "city": address.city.strip(),
                "latitude": point.lat if point else None,
                "longitude": point.lon if point else None,
                "note": correction.note.strip(),
                "proposed_at": now,
                "proposed_by": str(by),
            },
        )
        writer.record("address.proposed", row, depot_id=order.depot_id)
    return row


def propose_pin(
    *, stop_id: uuid.UUID, point: Point, by: Actor, now: datetime
) -> AddressProposal | None:
    """Propose the place where a driver found an address; None: the stop is gone.

    What the customer has proposed in words stays in it: the driver says only where.
    """
    stop = Stop.objects.filter(pk=stop_id).first()
    if stop is None:
        return None
    said = open_proposal(stop.order)
    words = (
        AddressDraft(said.street, said.house_number, said.postcode, said.city)
        if said is not None
        else AddressDraft()
    )
    note = said.note if said is not None else ""
    correction = Correction(words, point, note)
    return propose_address(
        order_id=stop.order_id, correction=correction, by=by, now=now
    )


def approve_proposal(
    *, proposal_id: uuid.UUID, by: Actor, now: datetime
) -> AddressProposal:
    """Let the order go where the proposal says, and keep the place for the next time.

    Raises:
        ProposalNotFound: there is none.
        IllegalStep: it was decided on already.
        Invalid: it has no pin, and the gazetteer does not know the address.
        OrderClosed: the order is over, and there is no pin to keep for the next one.
    """
    with writing(by=by, now=now) as writer:
        row = _decide(proposal_id, ProposalState.APPROVED, "", by, now)
        pin = None
        if row.latitude is not None and row.longitude is not None:
            pin = Point(row.latitude, row.longitude)
        address = _address_of(row)
        changes = OrderChanges.of(address=address)
        if pin is not None:
            changes = OrderChanges.of(address=address, point=pin)
        # A driver stands at the door: the order is mostly over when somebody decides.
        place = pin
        if pin is None or row.order.status in (OrderState.OPEN, OrderState.FAILED):
            place = change_order(
                order_id=row.order_id,
                expected_version=None,
                changes=changes,
                by=by,
                now=now,
            ).point
        if address.street and place is not None:
            keep_address(
                depot_id=row.depot_id, address=address, point=place, by=by, now=now
            )
        writer.record("address.approved", row, depot_id=row.depot_id)
    return row


def reject_proposal(
    *, proposal_id: uuid.UUID, why: str, by: Actor, now: datetime
) -> AddressProposal:
    """Turn a proposal down, with the reason.

    Raises:
        ProposalNotFound: there is none.
        IllegalStep: it was decided on already.
    """
    with writing(by=by, now=now) as writer:
        row = _decide(proposal_id, ProposalState.REJECTED, why, by, now)
        writer.record("address.rejected", row, depot_id=row.depot_id)
    return row


def _decide(
    proposal_id: uuid.UUID, state: ProposalState, why: str, by: Actor, now: datetime
) -> AddressProposal:
    rows = AddressProposal.objects.select_for_update().select_related("order")
    row = rows.filter(pk=proposal_id).first()
    if row is None:
        raise ProposalNotFound
    PROPOSAL_STEPS.check(row.status, state)
    row.status, row.why = state, why.strip()[:300]
    row.decided_at, row.decided_by = now, str(by)
    row.save(update_fields=["status", "why", "decided_at", "decided_by"])
    return row


def _address_of(row: AddressProposal) -> AddressDraft:
    """Return the proposed words; where only a pin was set, those that the order has."""
    source = row if row.street else row.order
    return AddressDraft(
        source.street, source.house_number, source.postcode, source.city
    )
