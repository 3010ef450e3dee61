"""`bench slots`: what it takes to price 20 slots by the live plan of a large depot.

A published day of long routes is stored (and taken back at the end); each question is
about another place of the town, and before each one route has changed, as it does on a
running day. `price_error_s` and `price_error_m` compare prices with a recomputation that
tries every place of the route and drives it in thought.
"""

import argparse
import statistics
import time
from datetime import timedelta
from random import Random
from typing import Any

from django.core.management import CommandError
from django.db import transaction
from django.db.models import F

from apps.orders.models import Order
from apps.promises.models import SlotRules
from apps.promises.offering import Slot, offer_slots
from apps.routes.models import Route, Stop
from config.collector import keep_start_apart
from tests.bench._slots_day import DAY, HOURS, SERVICE_S, Town, store_day
from tests.promises.recomputing import Recomputed

NEEDS_DATABASE = True

EVENING = DAY - timedelta(hours=12)
WARM = 3


def main(argv: list[str]) -> dict[str, Any]:
    """Return latencies in milliseconds, and how wrong prices are."""
    parser = argparse.ArgumentParser(prog="bench slots")
    parser.add_argument("--routes", type=int, default=40)
    parser.add_argument("--stops", type=int, default=120)
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--recomputed", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    with transaction.atomic():
        figures = _measure(given)
        transaction.set_rollback(True)
    return figures


def _measure(given: argparse.Namespace) -> dict[str, Any]:
    town = store_day(given.routes, given.stops, given.seed)
    minutes = HOURS * 60 // given.slots
    SlotRules.objects.create(
        depot=town.depot, opens="08:00", closes="18:00", slot_minutes=minutes
    )
    random = Random(given.seed)  # noqa: S311  a repeatable row of questions
    # As the web process does after its start (`config/asgi.py`); what the bench itself
    # holds is not the server's.
    keep_start_apart()
    started_s = time.perf_counter()
    _ask(town, 0)
    cold_ms = (time.perf_counter() - started_s) * 1000
    took_ms, offered, answers = [], 0, []
    for number in range(1, given.questions + WARM):
        _move_on(random.choice(town.routes))
        started_s = time.perf_counter()
        order, slots = _ask(town, number)
        if number >= WARM:
            took_ms.append((time.perf_counter() - started_s) * 1000)
            answers += [(order, slot) for slot in slots]
            offered += len(slots)
    wrong = [_error(*one) for one in random.sample(answers, given.recomputed)]
    cuts = statistics.quantiles(took_ms, n=20)
    return {
        "routes": given.routes,
        "stops": given.stops,
        "slots": given.slots,
        "questions": len(took_ms),
        "offered_mean": round(offered / len(took_ms), 1),
        "p50_ms": round(statistics.median(took_ms), 1),
        "p95_ms": round(cuts[-1], 1),
        "max_ms": round(max(took_ms), 1),
        "cold_ms": round(cold_ms, 1),
        "recomputed": len(wrong),
        "price_error_s": max(seconds for seconds, _, _ in wrong),
        "price_error_m": max(metres for _, metres, _ in wrong),
        "dearer_than_best_milli": max(milli for _, _, milli in wrong),
    }


def _ask(town: Town, number: int) -> tuple[Order, tuple[Slot, ...]]:
    place = town.places[number % len(town.places)]
    order = Order.objects.create(
        depot=town.depot,
        reference=f"asked-{number}",
        service_date=(DAY - timedelta(days=1)).date(),
        latitude=place.lat,
        longitude=place.lon,
        service_s=SERVICE_S,
        received_at=EVENING,
        changed_at=EVENING,
    )
    return order, offer_slots(order_id=order.pk, now=EVENING, days=[DAY.date()])


def _move_on(route: Route) -> None:
    """Change a route as an event of the running day does."""
    Stop.objects.filter(route=route, sequence=1).update(version=F("version") + 1)
    Route.objects.filter(pk=route.pk).update(version=F("version") + 1)


def _error(order: Order, slot: Slot) -> tuple[int, int, int]:
    """Compare a price with the recomputed one on its route: s, m, milli too dear."""
    if slot.route_id is None:
        raise CommandError("A day without a plan was priced.")
    route = Route.objects.select_related("shift__vehicle").get(pk=slot.route_id)
    trips = Recomputed(route, order).differences(slot)
    same = [
        (
            abs(trip.travel_s - slot.travel_s),
            abs(trip.distance_m - slot.distance_m),
            trip,
        )
        for trip in trips
    ]
    seconds, metres, _ = min(same, key=lambda one: one[:2])
    least = min(trip.cost_milli for _, _, trip in same)
    return seconds, metres, round(max(0, slot.cost_milli - least))
