"""The journey's verbs: say to customers what is due, each thing once."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from apps.core.actors import Actor
from apps.customers import whereabouts
from apps.customers.journey import (
    LATE,
    NEXT_STOP,
    ON_THE_WAY,
    PLANNED,
    Interval,
    Patience,
    Telling,
    rounded,
    telling_for,
)
from apps.customers.services.asking import count_inquiry
from apps.customers.services.links import make_link
from apps.customers.states import Channel
from apps.journal.services import writing
from apps.notifications.drafts import MessageDraft, Recipient
from apps.notifications.kinds import LANGUAGES
from apps.notifications.models import Message, Reply
from apps.notifications.phrases import said_day, said_interval, said_window
from apps.notifications.policies import Policy, policy_of
from apps.notifications.services import queue_message, queue_messages
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.models import Stop
from apps.routes.states import DONE, StopState

TOO_LATE = timedelta(hours=1)
"""A time that was to be told is not told any more so long after it."""

AS_TOLD = {PLANNED: "planned", ON_THE_WAY: "eta", LATE: "eta", NEXT_STOP: "next"}
"""Kind → reason. "On the way" and "late" tell the same thing, the new time: whoever heard
it from the one does not hear it from the other again."""


def tell_stops(stops: Sequence[Stop], *, by: Actor, now: datetime) -> int:
    """Tell the customers of one depot's stops what is due; return how many were told."""
    if not stops:
        return 0
    policy = policy_of(stops[0].order.depot_id)
    patience = Patience(policy.on_the_way, policy.late)
    with writing(by=by, now=now):
        standings = whereabouts.standings_of(stops)
        drafts = [
            _draft_of(stop, telling, policy, by=by, now=now)
            for stop in stops
            if stop.order.customer_id is not None
            and (standing := standings.get(stop.pk)) is not None
            and (telling := telling_for(standing, patience, now=now)) is not None
        ]
        rows = queue_messages(drafts, by=by, now=now)
    return sum(row is not None for row in rows)


def tell_missed(stop_ids: Sequence[uuid.UUID], *, by: Actor, now: datetime) -> int:
    """Say sorry for failed attempts, with a link to a new time, before anybody asks.

    An order that has a new time already, or was cancelled, is passed over. Returns how
    many customers are told.
    """
    missed = [
        stop
        for stop in whereabouts.stops_by_id(stop_ids)
        if stop.status == StopState.FAILED and stop.order.status == OrderState.FAILED
    ]
    return _tell_outcomes(missed, "missed", "reschedule", by=by, now=now)


def ask_how_it_was(stop_ids: Sequence[uuid.UUID], *, by: Actor, now: datetime) -> int:
    """Ask the customers of delivered orders how it was; return how many are asked."""
    done = [
        stop
        for stop in whereabouts.stops_by_id(stop_ids)
        if stop.status == StopState.SUCCEEDED
    ]
    return _tell_outcomes(done, "delivered", "survey", by=by, now=now)


def answer_where(reply_id: uuid.UUID, *, by: Actor, now: datetime) -> Message | None:
    """Answer "Where is my order?" from live state, by the channel of the question."""
    reply = Reply.objects.select_related("message").filter(pk=reply_id).first()
    message = reply.message if reply else None
    if reply is None or message is None or message.subject_type != "order":
        return None
    stop = whereabouts.last_stop_of(uuid.UUID(message.subject_id))
    policy = policy_of(message.depot_id)
    kind, values = _answer(stop, policy, message.language, now)
    order_id = uuid.UUID(message.subject_id)
    is_phone = "@" not in reply.address
    draft = MessageDraft(
        depot_id=message.depot_id,
        kind=kind,
        to=Recipient(
            phone=reply.address if is_phone else "",
            email="" if is_phone else reply.address,
            language=message.language,
        ),
        reason=f"{kind}/{reply.pk}",
        subject_type="order",
        subject_id=message.subject_id,
        subject_label=message.subject_label,
        values=values,
        make_link=partial(
            make_link, purpose="tracking", order_id=order_id, by=by, now=now
        ),
        answers=reply.channel,
    )
    with writing(by=by, now=now):
        count_inquiry(order_id=order_id, channel=Channel.REPLY, by=by, now=now)
        return queue_message(draft, by=by, now=now)


def _answer(
    stop: Stop | None, policy: Policy, language: str, now: datetime
) -> tuple[str, dict[str, str]]:
    if stop is not None and stop.status == StopState.SUCCEEDED and stop.completed_at:
        at = stop.completed_at
        return "where_done", {"window": said_window(at, at, policy.zone, language)}
    standing = whereabouts.standing_of(stop, None) if stop else None
    if stop is None or standing is None or stop.status in DONE:
        return "where_none", {}
    told = rounded(standing.expected, now)
    return "where", {"eta": _said_eta(told, policy, language, now)}


def _draft_of(
    stop: Stop, telling: Telling, policy: Policy, *, by: Actor, now: datetime
) -> MessageDraft:
    language = _language(stop.order, policy)
    words = {
        "window": said_window(
            telling.told.low, telling.told.high, policy.zone, language
        ),
        "eta": _said_eta(telling.told, policy, language, now),
    }
    draft = _draft(
        stop,
        telling.kind,
        f"{AS_TOLD[telling.kind]}/{stop.pk}",
        "tracking",
        words | _about(stop.order, language),
        expires_at=telling.told.high + TOO_LATE,
        by=by,
        now=now,
    )
    told_at = telling.told_at if telling.kind != NEXT_STOP else None
    return replace(draft, told_at=told_at, told_until=telling.told.high)


def _tell_outcomes(
    stops: Sequence[Stop], kind: str, purpose: str, *, by: Actor, now: datetime
) -> int:
    """Tell each customer what became of the order; return how many are told."""
    told = 0
    with writing(by=by, now=now):
        for depot_id, theirs in whereabouts.by_depot(stops).items():
            policy = policy_of(depot_id)
            drafts = [
                _draft(
                    stop,
                    kind,
                    f"{kind}/{stop.pk}",
                    purpose,
                    _about(stop.order, _language(stop.order, policy)),
                    expires_at=now + timedelta(days=2),
                    by=by,
                    now=now,
                )
                for stop in theirs
                if stop.order.customer is not None
            ]
            rows = queue_messages(drafts, by=by, now=now)
            told += sum(row is not None for row in rows)
    return told


def _draft(
    stop: Stop,
    kind: str,
    reason: str,
    purpose: str,
    values: dict[str, str],
    *,
    by: Actor,
    now: datetime,
    expires_at: datetime,
) -> MessageDraft:
    order = stop.order
    customer = order.customer
    return MessageDraft(
        depot_id=order.depot_id,
        kind=kind,
        to=Recipient(
            phone=customer.phone if customer else "",
            email=customer.email if customer else "",
            language=customer.language if customer else "",
        ),
        reason=reason,
        subject_type="order",
        subject_id=str(order.pk),
        subject_label=order.reference,
        values=values,
        make_link=partial(
            make_link, purpose=purpose, order_id=order.pk, by=by, now=now
        ),
        expires_at=expires_at,
    )


def _about(order: Order, language: str) -> dict[str, str]:
    return {
        "name": order.customer.name if order.customer else "",
        "order": order.reference,
        "day": said_day(order.service_date, language),
    }


def _language(order: Order, policy: Policy) -> str:
    asked = order.customer.language[:2].lower() if order.customer else ""
    return asked if asked in LANGUAGES else policy.language


def _said_eta(told: Interval, policy: Policy, language: str, now: datetime) -> str:
    """Return the times alone today, and with the day on another day."""
    zone = ZoneInfo(policy.zone)
    if told.low.astimezone(zone).date() == now.astimezone(zone).date():
        return said_interval(told.low, told.high, policy.zone)
    return said_window(told.low, told.high, policy.zone, language)
