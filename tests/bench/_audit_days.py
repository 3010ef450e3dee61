"""The days of `bench audit`, lived on an empty database, and their recommendations made again."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any

import time_machine

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.overrides.pricing import look_at
from apps.promises.offering import offer_slots
from apps.promises.services import hold_slot
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import Rerun, make_again, of_earlier_versions, sample
from apps.routes.changes import Change, GiveStop, MoveStop, TakeOff
from apps.routes.models import Route, Stop
from tests.factories import NOW, SERVICE_DATE
from tests.promises.test_offers import EVENING, order_of_yesterday
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, publish_day, report, sequence
from tests.tuning.town import SLOW, Town, proposed

CUSTOMER = Actor("customer", "1")
ORDERS, SHIFTS = 24, 3
LOOKS, SLOTS = 30, 12
TOLD_STOPS = 5
FAILS = 0.25
LEARNT_DAYS = 8
FIRST = date(2026, 3, 2)


def audit(size: int, random: Random) -> dict[str, Any]:
    """Live until so many recommendations stand there; make them again."""
    started_s = time.perf_counter()
    _learn()
    days = 0
    while (count := Recommendation.objects.count()) < size:
        _live(random)
        days += 1
        sys.stderr.write(f"{days} days: {count} of {size}\n")
    lived_s = time.perf_counter() - started_s
    started_s = time.perf_counter()
    found = list(_made_again(_chosen(size)))
    differing = [one for one in found if not one.is_identical]
    for one in differing:
        sys.stderr.write(f"{one.recommendation_id} ({one.kind}): {one.found}\n")
    kinds = Counter(one.kind for one in found)
    engines = Counter(Recommendation.objects.values_list("engine", flat=True))
    if missing := {*Recommendation.Kind.values} - {*kinds}:
        raise SystemExit(f"Nothing of these kinds was made: {sorted(missing)}")
    return {
        "checked": len(found),
        "identical": len(found) - len(differing),
        "earlier_version": Recommendation.objects.filter(of_earlier_versions()).count(),
        "by_kind": dict(sorted(kinds.items())),
        "by_engine": dict(sorted(engines.items())),
        "made_in_s": round(lived_s, 1),
        "made_again_in_s": round(time.perf_counter() - started_s, 1),
    }


def _chosen(size: int) -> list[Any]:
    """Return ids of every kind, as many of the rare ones as there are."""
    earlier = of_earlier_versions()
    ids = [
        sample(Recommendation.objects.filter(kind=kind).exclude(earlier), size)
        for kind in Recommendation.Kind.values
    ]
    chosen: list[Any] = []
    for left, one in zip(range(len(ids), 0, -1), sorted(ids, key=len), strict=True):
        share = (size - len(chosen)) // left
        chosen += one[:share]
    return chosen


def _made_again(ids: Sequence[Any]) -> Iterator[Rerun]:
    for number, key in enumerate(ids, 1):
        yield make_again(Recommendation.objects.select_related("inputs").get(pk=key))
        if number % 100 == 0:
            sys.stderr.write(f"{number} of {len(ids)} made again\n")


def _learn() -> None:
    """Live days with a planted error, and let a night propose what mends it."""
    town = Town(lambda _, zone: 3.0 if zone == SLOW else 1.0, orders=ORDERS, rounds=40)
    day = FIRST
    for number in range(LEARNT_DAYS):
        day = FIRST + timedelta(days=number)
        town.live(day)
    town.learn(day)
    proposed(town, day)


def _live(random: Random) -> None:
    """Plan a depot's day; slots, looks, and the morning of its drivers."""
    depot = make_day(orders=ORDERS, shifts=SHIFTS)
    with time_machine.travel(NOW, tick=False):
        publish_day(depot)
    for number in range(SLOTS):
        order = order_of_yesterday(depot, 30 + number)
        slots = offer_slots(order_id=order.pk, now=EVENING, days=[SERVICE_DATE])
        if slots:
            slot = random.choice(slots).window
            hold_slot(order_id=order.pk, slot=slot, by=CUSTOMER, now=EVENING)
    routes = list(Route.objects.filter(depot=depot).select_related("shift"))
    stops = [stop for route in routes for stop in sequence(route)]
    for _ in range(LOOKS):
        # What nobody could do (a stop to where it is) is refused, and no recommendation.
        with suppress(Problem):
            look_at(_change(random, stops, routes), by=OFFICE, now=NOW)
    for route in routes:
        _drive(route, random)


def _change(random: Random, stops: list[Stop], routes: list[Route]) -> Change:
    stop = random.choice(stops)
    kind = random.choice((MoveStop, GiveStop, TakeOff))
    if kind is MoveStop:
        return MoveStop(stop_id=str(stop.pk), place=random.randint(1, 6))
    if kind is GiveStop:
        shift = random.choice(routes).shift_id
        return GiveStop(stop_id=str(stop.pk), shift_id=str(shift))
    return TakeOff(stop_id=str(stop.pk), reason="closed")


def _drive(route: Route, random: Random) -> None:
    """Report the first stops, a quarter of them failed; what that causes is done at once."""
    at = route.starts_at
    with time_machine.travel(at, tick=False):
        begin(route.shift, at)
        drain()
    for _ in range(TOLD_STOPS):
        stop = route.stops.filter(status="pending").order_by("sequence").first()
        if stop is None:
            return
        why = {"reason": "nobody"} if random.random() < FAILS else {}
        last = "stop.failed" if why else "stop.succeeded"
        for kind, wait_s in (("stop.enroute", 30), ("stop.arrived", 240), (last, 200)):
            at += timedelta(seconds=round(wait_s * random.uniform(0.6, 2.5)))
            with time_machine.travel(at, tick=False):
                report(stop, kind, at, **(why if kind == last else {}))
                drain()
