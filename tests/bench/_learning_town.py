"""Days of the composed town, driven by its truth: what the learners are taught and asked.

Planted are the town's own truths (services by door, building and parcels, travel by hour
and pair of zones, who is at home), and on top: zones that are better driven first,
how well each zone's order is kept, and reports that are wrong.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.core.units import Point, great_circle_m
from apps.learning.learners.facts import Clocks, RouteFact, StopFact
from apps.training.town.chance import draw
from apps.training.town.compose import compose_day
from apps.training.town.day import OrderDraft, ShiftDraft
from apps.training.town.truth import Mode, TownTruth

KEEPS = (0.55, 0.95)
"""How often the order is kept in the least and the most willing zone."""

BETTER, HABIT = 0.4, 0.35
"""So often drivers drive zones in the order that is better there, and so often by a
habit that is worse; else as planned."""

UNDECIDED = 0.3
"""So many verdicts on what was driven otherwise stay open; the others are right."""

WRONG_SHARE = 0.06
"""Reports with a wrong time: a third a clock that stepped, a third a chat, a third
ticked off at once."""


Key = tuple[int, date, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One visit with what was true of it."""

    stop: StopFact
    service_s: float
    leg_s: float
    success: float
    keeps: float


@dataclass(frozen=True, slots=True)
class TownRoute:
    """A route as reported, and as it was."""

    fact: RouteFact
    asked: tuple[Asked, ...]
    planned_zones: tuple[str, ...]


class LearningTown:
    """Drives days of a town without an optimizer: nearest door first, zone by zone."""

    def __init__(self, truth: TownTruth, *, orders: int, drivers: int, seed: int):
        """Take the town, and how large its days are."""
        self._truth, self._seed = truth, seed
        self._orders, self._drivers = orders, drivers
        self._zone = ZoneInfo(truth.town.time_zone)

    def keeps(self, zone: str) -> float:
        """Return how often a zone's order is kept."""
        low, high = KEEPS
        return low + (high - low) * draw(self._seed, "keeps", zone)

    def better(self, zone: str) -> float:
        """Return where a zone is best driven: smaller is earlier."""
        return draw(self._seed, "better", zone)

    def day(self, on_date: date, *, wrong: bool) -> Iterator[TownRoute]:
        """Drive a day; with `wrong` some reports are."""
        day = compose_day(
            self._truth.town,
            on_date,
            orders=self._orders,
            drivers=self._drivers,
            seed=self._seed,
        )
        orders = sorted(day.orders, key=lambda o: (o.address.zone, o.reference))
        size = math.ceil(len(orders) / (2 * len(day.shifts)))
        turn = on_date.toordinal() * 37 % max(1, len(orders))
        orders = orders[turn:] + orders[:turn]
        for number, shift in enumerate(day.shifts):
            # Two parts of town each: drivers who see one zone alone teach no order.
            parts = number, number + len(day.shifts)
            mine = [o for at in parts for o in orders[at * size : (at + 1) * size]]
            if mine:
                yield self._route(shift, mine, on_date, wrong=wrong)

    def _route(
        self, shift: ShiftDraft, orders: list[OrderDraft], on_date: date, *, wrong: bool
    ) -> TownRoute:
        key = self._seed, on_date, shift.driver
        planned = self._nearest(orders)
        zones = list(dict.fromkeys(order.address.zone for order in planned))
        driven_zones, verdict = self._zones(zones, key)
        driven = [o for zone in driven_zones for o in planned if o.address.zone == zone]
        driven = self._swapped(driven, key)
        asked = list(self._visits(shift, planned, driven, on_date))
        told = [
            self._reported(each.stop, key) if wrong else each.stop for each in asked
        ]
        fact = RouteFact(
            f"{on_date} {shift.driver}", "van", 1.0, tuple(told), (), verdict
        )
        return TownRoute(fact, tuple(asked), tuple(zones))

    def _visits(
        self,
        shift: ShiftDraft,
        planned: list[OrderDraft],
        driven: list[OrderDraft],
        on_date: date,
    ) -> Iterator[Asked]:
        """Drive the stops of a route from eight on, one after the other."""
        before = {b.reference: a.reference for a, b in pairwise(planned)}
        place = {order.reference: number for number, order in enumerate(planned)}
        at = datetime.combine(on_date, datetime.min.time(), self._zone)
        at += timedelta(hours=8)
        here = self._truth.town.depot.lat, self._truth.town.depot.lon
        for order in driven:
            start = at
            leg_s = self._truth.true_travel_s(here, order.address.place, at, Mode.VAN)
            km = great_circle_m(Point(*here), Point(*order.address.place)) / 1000
            at += timedelta(seconds=leg_s)
            service_s = self._truth.true_service_s(
                order.address, order.pieces, shift.driver, on_date
            )
            attempt = self._truth.attempt(order.reference, order.address, at)
            end = at + timedelta(seconds=service_s)
            stop = StopFact(
                stop_id=order.reference,
                zone=order.address.zone,
                building=f"{order.address.street} {order.address.house_number}",
                address="",
                parcels=order.pieces,
                planned_s=order.planned_service_s,
                is_delivered=attempt.is_delivered,
                arrived=Clocks(at, at + timedelta(seconds=2)),
                completed=Clocks(end, end + timedelta(seconds=2)),
                left_at=None,
                hour=at.hour,
                opens_at=None,
                planned_after=before.get(order.reference, ""),
                planned_at=start.replace(hour=6)
                + timedelta(seconds=place[order.reference]),
                leg_km=km,
                leg_hour=start.hour,
            )
            kept = self.keeps(order.address.zone)
            yield Asked(stop, service_s, leg_s, attempt.probability, kept)
            at, here = end, order.address.place

    def _zones(self, zones: list[str], key: Key) -> tuple[list[str], str]:
        """Return the order in which zones are driven, and the verdict on it."""
        chance, is_open = draw(*key, "zones"), draw(*key, "open") < UNDECIDED
        if chance < BETTER:
            found = sorted(zones, key=self.better)
            return found, "undecidable" if is_open else "right"
        if chance < BETTER + HABIT:
            found = sorted(zones, key=lambda zone: draw(self._seed, "habit", zone))
            return found, "undecidable" if is_open else "wrong"
        return zones, ""

    def _nearest(self, orders: list[OrderDraft]) -> list[OrderDraft]:
        """Return zone by zone, in each the nearest next."""
        site = self._truth.town.depot
        here, left, found = (site.lat, site.lon), list(orders), list[OrderDraft]()
        while left:
            zone = found[-1].address.zone if found else ""
            mine = [o for o in left if o.address.zone == zone] or left
            best = min(mine, key=lambda o: (_far(here, o.address.place), o.reference))
            left.remove(best)
            found.append(best)
            here = best.address.place
        return found

    def _swapped(self, orders: list[OrderDraft], key: Key) -> list[OrderDraft]:
        """Let drivers turn neighbours round where a zone's order is not kept."""
        found, number = list(orders), 1
        while number < len(found):
            one, other = found[number - 1], found[number]
            is_kept = draw(*key, "kept", other.reference) < self.keeps(
                other.address.zone
            )
            if not is_kept and one.address.zone == other.address.zone:
                found[number - 1], found[number] = other, one
                number += 1
            number += 1
        return found

    def _reported(self, stop: StopFact, key: Key) -> StopFact:
        chance = draw(*key, "wrong", stop.stop_id) / WRONG_SHARE
        if chance >= 1:
            return stop
        end = stop.completed.occurred_at
        if chance < 1 / 3:
            late = replace(stop.completed, occurred_at=end + timedelta(minutes=55))
        elif chance < 2 / 3:
            late = Clocks(*[end + timedelta(minutes=40)] * 2)
        else:
            late = replace(
                stop.completed,
                occurred_at=stop.arrived.occurred_at + timedelta(seconds=3),
            )
        return replace(stop, completed=late)


def _far(here: tuple[float, float], there: tuple[float, float]) -> float:
    return math.hypot(here[0] - there[0], (here[1] - there[1]) * 0.65)
