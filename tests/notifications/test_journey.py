"""What a customer is told from the plan to the door, in real days."""

from datetime import datetime, timedelta

import pytest

from apps.core import clock
from apps.core.actors import Actor
from apps.customers import tasks
from apps.customers.journey import Interval, Patience, Standing, telling_for
from apps.customers.selectors import customers_day
from apps.drivers.models import Shift
from apps.notifications.models import Message
from apps.notifications.services.replies import Incoming, take_reply
from apps.notifications.transports import memory
from apps.orders.models import Order
from apps.routes.models import Route, Stop
from tests.factories import (
    NOW,
    SERVICE_DATE,
    CustomerFactory,
    TimeWindowFactory,
)
from tests.queueing import drain
from tests.routes.days import begin, make_day, publish_day, report, sequence

TWILIO = Actor("provider", "twilio")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MORNING = NOW + 3 * HOUR
"""Nine in Lauf: no quiet hours."""


def standing(**values: object) -> Standing:
    eta = MORNING + 2 * HOUR
    given = {
        "eta": eta,
        "expected": Interval(eta - 10 * MINUTE, eta + 20 * MINUTE),
        "windows": [],
        "promised_until": None,
        "has_started": True,
        "is_under_way": False,
        "is_first": False,
    }
    return Standing(**{**given, **values})  # type: ignore[arg-type]


PATIENCE = Patience(on_the_way=HOUR, late=10 * MINUTE)
ETA = MORNING + 2 * HOUR


@pytest.mark.parametrize(
    ("values", "before", "kind"),
    [
        ({"has_started": False}, 2 * HOUR, "planned"),
        ({}, 2 * HOUR, None),
        ({}, HOUR, "on_the_way"),
        ({"is_first": True}, HOUR, "on_the_way"),
        ({"is_first": True}, 30 * MINUTE, "next_stop"),
        ({"is_under_way": True}, HOUR, "next_stop"),
        ({"promised_until": ETA - 10 * MINUTE}, 2 * HOUR, None),
        ({"promised_until": ETA - 11 * MINUTE}, 2 * HOUR, "late"),
        ({"promised_until": ETA - 11 * MINUTE}, HOUR, "late"),
        (
            {"promised_until": ETA - HOUR, "is_under_way": True},
            HOUR,
            "next_stop",
        ),
        (
            {
                "windows": [Interval(MORNING, ETA)],
                "promised_until": MORNING,
            },
            2 * HOUR,
            None,
        ),
        ({"windows": [Interval(MORNING, ETA - HOUR)]}, 2 * HOUR, "late"),
    ],
)
def test_telling_is_the_most_pressing_thing(
    values: dict[str, object], before: timedelta, kind: str | None
) -> None:
    telling = telling_for(standing(**values), PATIENCE, now=ETA - before)

    assert (telling.kind if telling else None) == kind


def test_telling_rounds_outwards_to_quarters() -> None:
    telling = telling_for(standing(has_started=False), PATIENCE, now=MORNING)

    assert telling is not None
    assert telling.told == Interval(ETA - 15 * MINUTE, ETA + 30 * MINUTE)


def test_telling_is_the_orders_own_window_where_it_has_one() -> None:
    window = Interval(ETA - HOUR, ETA + HOUR)

    telling = telling_for(
        standing(has_started=False, windows=[window]), PATIENCE, now=MORNING
    )

    assert telling is not None
    assert (telling.told, telling.told_at) == (window, window.low)


@pytest.mark.django_db
def test_customer_hears_of_each_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [MORNING]
    monkeypatch.setattr(clock, "now", lambda: time[0])
    depot = make_day(orders=6, shifts=1)
    Shift.objects.update(starts_at=MORNING + HOUR, ends_at=MORNING + 9 * HOUR)
    for number, order in enumerate(Order.objects.order_by("reference")):
        order.customer = CustomerFactory(
            depot=depot, phone=f"+49151123{number:02d}678", language="de"
        )
        order.save()
    windowed = Order.objects.order_by("reference")[0]
    TimeWindowFactory(
        order=windowed, opens_at=MORNING + HOUR, closes_at=MORNING + 9 * HOUR
    )

    publish_day(depot, MORNING)

    assert Message.objects.filter(kind="planned", state="sent").count() == 6
    own = Message.objects.get(subject_id=str(windowed.pk))
    assert "Lieferung Di 17.3. 10:00-18:00. Verfolgen" in own.text
    assert "http" in own.text
    assert own.segments == 1
    assert drain() == []

    # The same day again, unmoved: nobody hears anything.
    tasks.tell_day(depot_id=str(depot.pk), service_date=SERVICE_DATE.isoformat())
    drain()
    assert Message.objects.count() == 6

    route = Route.objects.get()
    stops = [stop for stop in sequence(route) if stop.order_id != windowed.pk]
    first, second, third, *_ = stops
    begin(Shift.objects.get(), MORNING + HOUR)
    time[0] = MORNING + HOUR
    report(first, "stop.enroute", MORNING + HOUR)
    drain()
    assert kinds_for(first) == ["planned", "next_stop"]

    tasks.tell_near()
    drain()
    assert kinds_for(second) == ["planned", "on_the_way"]
    assert kinds_for(first) == ["planned", "next_stop"]

    at = MORNING + HOUR + 20 * MINUTE
    time[0] = at
    report(first, "stop.arrived", at)
    report(first, "stop.succeeded", at + MINUTE)
    report(second, "stop.enroute", at + 2 * MINUTE)
    report(second, "stop.arrived", at + 5 * MINUTE)
    report(second, "stop.failed", at + 6 * MINUTE, reason="not_home")
    drain()
    assert kinds_for(first)[-1] == "delivered"
    assert kinds_for(second)[-1] == "missed"

    time[0] = at + 3 * HOUR
    late_is_told_before_anybody_asks(third, time[0])
    questions_are_answered_from_live_state(third, first, time[0])


def late_is_told_before_anybody_asks(third: Stop, now: datetime) -> None:
    Stop.objects.filter(pk=third.pk).update(
        eta_at=now + HOUR,
        eta_low_at=now + HOUR,
        eta_high_at=now + HOUR + 20 * MINUTE,
    )
    for _ in range(3):
        tasks.tell_near()
        drain()
    assert kinds_for(third).count("late") == 1


def questions_are_answered_from_live_state(
    third: Stop, first: Stop, now: datetime
) -> None:
    reply = take_reply(
        Incoming("twilio", "SM1", "sms", phone_of(third), "Wo ist meine Bestellung?"),
        by=TWILIO,
        now=now,
    )
    drain()
    assert kinds_for(third)[-1] == "where"
    answer = memory.OUTBOX[-1]
    assert "14:15" in answer.text
    assert reply.intent == "where"
    figures = customers_day(first.order.depot_id, SERVICE_DATE)
    assert (figures.asked_by_reply, figures.asked_on_page, figures.orders) == (1, 0, 6)
    assert figures.asked_per_100 == round(100 / 6, 1)
    assert figures.messages["where"] == 1

    take_reply(
        Incoming("twilio", "SM2", "sms", phone_of(first), "Where is my order"),
        by=TWILIO,
        now=now,
    )
    drain()
    assert kinds_for(first)[-1] == "where_done"


def kinds_for(stop: Stop) -> list[str]:
    rows = Message.objects.filter(subject_id=str(stop.order_id))
    return list(rows.order_by("created_at", "id").values_list("kind", flat=True))


def phone_of(stop: Stop) -> str:
    customer = stop.order.customer
    assert customer is not None
    return customer.phone
