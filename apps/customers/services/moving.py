"""The verbs by which a customer moves a delivery: keep a slot, then confirm it."""

import uuid
from datetime import datetime

from apps.core.actors import Actor
from apps.core.problems import Conflict
from apps.customers.models import Link
from apps.journal.services import writing
from apps.promises.models import Hold
from apps.promises.selectors import hold_by_id
from apps.promises.services import hold_slot, take_slot
from apps.promises.states import HoldState
from apps.routes.dayinputs import Interval


class LinkUsed(Conflict):
    """The link has done what it is for."""

    type = "/problems/link-used"
    title = "This link has been used already."


def customer_of(link: Link) -> Actor:
    """Return who acts by a link: the link, since nobody has signed in."""
    return Actor("link", str(link.pk))


def keep_slot(*, link: Link, slot: Interval, now: datetime) -> Hold:
    """Keep a slot for the link's order for some minutes.

    Raises:
        LinkUsed: the delivery was moved by this link before.
        Problem: as `hold_slot`.
    """
    if link.used_at is not None:
        raise LinkUsed
    return hold_slot(order_id=link.order_id, slot=slot, by=customer_of(link), now=now)


def reschedule_delivery(*, link: Link, hold_id: uuid.UUID, now: datetime) -> Hold:
    """Move the delivery into the slot that is kept, and use the link up.

    Sent twice it is one change: the second answer is the first one.

    Raises:
        LinkUsed: the link has moved the delivery elsewhere before.
        Problem: as `take_slot`.
    """
    hold = hold_by_id(hold_id)
    if hold.order_id != link.order_id:
        raise LinkUsed
    by = customer_of(link)
    if link.used_at is not None and hold.status != HoldState.TAKEN:
        raise LinkUsed
    taken = take_slot(hold_id=hold_id, by=by, now=now)
    use_up(link, now=now)
    return taken


def use_up(link: Link, *, now: datetime) -> bool:
    """Note that a link has done what it is for; tell whether it had not before."""
    with writing(by=customer_of(link), now=now) as writer:
        hit = Link.objects.filter(pk=link.pk, used_at=None).update(used_at=now)
        if hit:
            writer.record("link.used", link, depot_id=link.order.depot_id)
    return bool(hit)
