"""From a question to a case: what the tables know of the shifts that it is about."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from apps.drivers.models import Shift, ShiftBreak, Vehicle
from apps.routes.etaparts import TravelLaw, law_of
from apps.routes.models import Route, Stop
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force, parse_id
from apps.verdicts.cases import Case
from apps.verdicts.estimating import Driven, LawOfLeg
from apps.verdicts.facts import VISITED, Question, Windows, visited_stops
from apps.verdicts.gaps import Drive, StopFact, driven_legs
from apps.verdicts.laws import LEAST_LAW_S, CrowLegs, LedgerLegs, Legs, ledger_legs
from apps.verdicts.ways import END, START, LegKey, Prices, Rest, Way

PACE_SD = 0.05
"""How exactly is known how fast one type of vehicle is by another: their percentages are
set by hand, in steps of some five."""

MOST_NEIGHBOURS = 400
"""Legs of other shifts that are listened to: enough for the day's factor."""


class Gathered:
    """The tables' knowledge of one question, and the case that it makes."""

    def __init__(self, question: Question) -> None:
        """Read what is needed of the touched shifts."""
        self.question = question
        depot = question.route.depot
        self.origin_at = question.route.shift.starts_at
        self.parameters = parameters_in_force(depot.pk, question.at)
        ids = [parse_id(one) for one in question.recommended]
        rows = Route.objects.filter(shift__in=ids)
        self.routes = {
            str(row.shift_id): row
            for row in rows.select_related("shift__vehicle__type", "plan", "depot")
        }
        self.stops = {
            shift: visited_stops([route]) for shift, route in self.routes.items()
        }
        self.others = self._others()
        self.rests = self._rests()

    def case(self) -> Case:
        """Return the case, ready to be judged."""
        drives = tuple(self._drive(shift) for shift in sorted(self.routes))
        legs = self._legs_source()
        recommended, chosen = self._ways(is_chosen=False), self._ways(is_chosen=True)
        keys = {key for way in (*recommended, *chosen) for key in way.keys}
        keys |= {key for drive in drives for key in _drive_keys(drive)}
        return Case(
            recommended=recommended,
            chosen=chosen,
            drives=drives,
            laws=self._laws(keys, legs),
            neighbours=self._neighbours(legs),
            known={
                str(stop.pk): self._fact(stop, self.origin_at) for stop in self.others
            },
            left_out=tuple(sorted(self._named() - self._visited())),
            aside=self.question.aside,
        )

    # ── facts ───────────────────────────────────────────────────────────────
    def _others(self) -> list[Stop]:
        """Return the visits of the ways that none of these shifts made."""
        mine = {str(stop.pk) for stops in self.stops.values() for stop in stops}
        rows = Stop.objects.filter(
            pk__in=[parse_id(one) for one in self._named() - mine],
            status__in=VISITED,
            arrived_at__isnull=False,
        )
        return list(rows.select_related("order").prefetch_related("order__windows"))

    def _named(self) -> set[str]:
        """Return the stops that the ways are about."""
        return {
            stop
            for ways in (self.question.recommended, self.question.chosen)
            for stops in ways.values()
            for stop in stops
        }

    def _visited(self) -> set[str]:
        """Return the stops that were visited, by whomever."""
        every = [stop for stops in self.stops.values() for stop in stops]
        return {str(stop.pk) for stop in (*every, *self.others)}

    def _rests(self) -> dict[str, dict[int, Rest]]:
        """Return the breaks that were taken, by shift and id."""
        ids = [parse_id(one) for one in self.routes]
        found: dict[str, dict[int, Rest]] = {shift: {} for shift in self.routes}
        for row in ShiftBreak.objects.filter(shift__in=ids, taken_at__isnull=False):
            rest = Rest(
                due_s=self._seconds(row.taken_at) or 0.0, duration_s=row.duration_s
            )
            found[str(row.shift_id)][row.pk] = rest
        return found

    def _seconds(self, at: datetime | None) -> float | None:
        return None if at is None else (at - self.origin_at).total_seconds()

    def _fact(self, stop: Stop, origin_at: datetime) -> StopFact:
        def seconds(at: datetime | None) -> float | None:
            return None if at is None else (at - origin_at).total_seconds()

        windows = [
            (window.opens_at, window.closes_at) for window in stop.order.windows.all()
        ]
        return StopFact(
            stop_id=str(stop.pk),
            planned_service_s=float(stop.service_s),
            arrived_s=seconds(stop.arrived_at),
            left_s=seconds(stop.completed_at),
            set_out_s=seconds(stop.enroute_at),
            windows=tuple(
                ((a - origin_at).total_seconds(), (b - origin_at).total_seconds())
                for a, b in sorted(windows)
            ),
            promised_s=seconds(stop.told_high_at),
        )

    def _drive(self, shift: str) -> Drive:
        stops = self.stops[shift]
        departed_at = stops[0].enroute_at if stops else None
        return Drive(
            shift_id=shift,
            facts=tuple(self._fact(stop, self.origin_at) for stop in stops),
            departed_s=self._seconds(departed_at),
            rests=tuple(self.rests[shift].values()),
        )

    # ── ways ────────────────────────────────────────────────────────────────
    def _ways(self, *, is_chosen: bool) -> tuple[Way, ...]:
        return tuple(
            self._way(shift, is_chosen=is_chosen) for shift in sorted(self.routes)
        )

    def _way(self, shift: str, *, is_chosen: bool) -> Way:
        """Return one sequence of what was visited, from where the shift stood."""
        question = self.question
        wanted = (question.chosen if is_chosen else question.recommended).get(shift, ())
        working = self.routes[shift].shift
        visited, before = self._visited(), self._done_before(shift)
        begins_s = self._begins_s(shift, before)
        vehicle = working.vehicle if is_chosen else question.vehicles.get(shift)
        pace, pace_sd = _pace(vehicle or working.vehicle, working.vehicle)
        return Way(
            shift_id=shift,
            begins_s=begins_s,
            stops=tuple(one for one in wanted if one in visited and one not in before),
            shift_ends_s=self._seconds(question.shift_ends.get(shift, working.ends_at))
            or 0.0,
            prices=_prices(vehicle or working.vehicle, self.parameters),
            rests=tuple(
                rest
                for pk, rest in self.rests[shift].items()
                if rest.due_s >= begins_s and (is_chosen or pk != question.extra_rest)
            ),
            start=before[-1] if before else START,
            windows=self._windows(question.windows[is_chosen], is_driven=is_chosen),
            pace=pace,
            pace_sd=pace_sd,
        )

    def _windows(
        self, of: Windows, *, is_driven: bool
    ) -> dict[str, tuple[tuple[float, float], ...]]:
        """Return windows in seconds; who really served before one opened did not wait."""
        left = {
            str(stop.pk): stop.completed_at
            for stops in self.stops.values()
            for stop in stops
        }
        found: dict[str, tuple[tuple[float, float], ...]] = {}
        for stop, windows in of.items():
            left_s = self._seconds(left.get(stop)) if is_driven else None
            found[stop] = tuple(
                (
                    -math.inf if left_s is not None and left_s < opens_s else opens_s,
                    closes_s,
                )
                for opens, closes in sorted(windows)
                if (opens_s := self._seconds(opens)) is not None
                and (closes_s := self._seconds(closes)) is not None
            )
        return found

    def _done_before(self, shift: str) -> list[str]:
        """Return what a shift had done, or was about, before the choice took effect.

        These are its visits up to the first one that the choice is about.
        """
        asked = {
            stop
            for ways in (self.question.recommended, self.question.chosen)
            for stop in ways.get(shift, ())
        }
        found = []
        for stop in self.stops[shift]:
            at = stop.arrived_at or stop.completed_at
            if str(stop.pk) in asked and (at is None or at >= self.question.at):
                break
            found.append(str(stop.pk))
        return found if any(str(s.pk) in asked for s in self.stops[shift]) else []

    def _begins_s(self, shift: str, before: Sequence[str]) -> float:
        stops = self.stops[shift]
        if before:
            last = stops[len(before) - 1]
            ended = last.completed_at
            if ended is None and last.arrived_at is not None:
                ended = last.arrived_at + timedelta(seconds=last.service_s)
            return self._seconds(ended or self.question.at) or 0.0
        route = self.routes[shift]
        first = stops[0].enroute_at if stops else None
        began = first or route.shift.started_at or route.starts_at
        return self._seconds(began) or 0.0

    # ── laws ────────────────────────────────────────────────────────────────
    def _law(self, shift: Shift) -> TravelLaw:
        return law_of(
            self.parameters,
            speed_percent=shift.vehicle.travel_speed_percent,
            zone=self.question.route.depot.time_zone,
        )

    def _legs_source(self) -> Legs:
        """Return the ledger's travel times where they have every stop, else the law."""
        quality = self.question.route.travel_quality
        found = ledger_legs(self.question.recommendation, quality=quality)
        if found is not None and self._covers(found):
            return found
        points = {str(stop.order_id): stop.order.point for stop in self._every_stop()}
        points |= {shift: route.depot.point for shift, route in self.routes.items()}
        points |= {
            str(route.shift_id): route.depot.point
            for route in Route.objects.filter(
                depot=self.question.route.depot_id,
                service_date=self.question.route.service_date,
            ).select_related("depot")
        }
        return CrowLegs(self._law(self.question.route.shift), points)

    def _covers(self, legs: LedgerLegs) -> bool:
        needed = {
            str(stop.order_id)
            for stop in [*(s for v in self.stops.values() for s in v), *self.others]
        }
        return needed | self.routes.keys() <= legs.places.keys()

    def _every_stop(self) -> Iterable[Stop]:
        rows = Stop.objects.filter(
            route__depot=self.question.route.depot_id,
            route__service_date=self.question.route.service_date,
            status__in=VISITED,
        )
        mine = [stop for stops in self.stops.values() for stop in stops]
        return [*rows.select_related("order"), *mine, *self.others]

    def _laws(self, keys: Iterable[LegKey], legs: Legs) -> dict[LegKey, LawOfLeg]:
        known = {
            str(stop.pk): stop
            for stop in [*(s for v in self.stops.values() for s in v), *self.others]
        }
        laws = {shift: self._law(route.shift) for shift, route in self.routes.items()}
        found = {}
        for key in keys:
            law = _leg_law(key, known, legs, laws[key[0]], self.question.at)
            if law is not None:
                found[key] = law
        return found

    def _neighbours(self, legs: Legs) -> tuple[Driven, ...]:
        """Return legs that other shifts of the depot drove on that day."""
        rows = Route.objects.filter(
            depot=self.question.route.depot_id,
            service_date=self.question.route.service_date,
        ).exclude(shift__in=[parse_id(one) for one in self.routes])
        found: list[Driven] = []
        for route in rows.select_related("shift__vehicle__type").order_by("pk"):
            if len(found) >= MOST_NEIGHBOURS:
                break
            stops = visited_stops([route])
            drive = Drive(
                shift_id=str(route.shift_id),
                facts=tuple(self._fact(stop, self.origin_at) for stop in stops),
            )
            known = {str(stop.pk): stop for stop in stops}
            law = self._law(route.shift)
            laws = {
                key: found_law
                for key in _drive_keys(drive)
                if (found_law := _leg_law(key, known, legs, law, self.question.at))
            }
            found += driven_legs(drive, laws)
        return tuple(found[:MOST_NEIGHBOURS])


def gathered(question: Question) -> Case:
    """Return the case of a question."""
    return Gathered(question).case()


def _drive_keys(drive: Drive) -> list[LegKey]:
    places = [START, *(fact.stop_id for fact in drive.facts), END]
    return [(drive.shift_id, here, there) for here, there in itertools.pairwise(places)]


def _leg_law(
    key: LegKey,
    known: Mapping[str, Stop],
    legs: Legs,
    law: TravelLaw,
    at: datetime,
) -> LawOfLeg | None:
    """Return a leg's law at the hour at which its first place was left."""
    shift, here, there = key
    ends = [
        shift if place in {START, END} else str(known[place].order_id)
        for place in (here, there)
        if place in {START, END} or place in known
    ]
    if len(ends) < 2:
        return None
    found = legs.leg(*ends)
    if found is None:
        return None
    left_at = known[here].completed_at if here in known else at
    seconds = found.seconds * law.hourly(left_at or at)
    return LawOfLeg(
        seconds=max(LEAST_LAW_S, seconds),
        distance_m=found.distance_m,
        distance_sd_m=found.distance_sd_m,
    )


def _prices(vehicle: Vehicle, parameters: Parameters) -> Prices:
    """Return the weights of the plan's cost for a vehicle."""
    per_s_milli = round(vehicle.cost_per_hour_minor * 1000 / 3600)
    return Prices(
        per_s_milli=per_s_milli,
        per_m_milli=vehicle.cost_per_km_minor,
        overtime_per_s_milli=per_s_milli // 2,
        window_late_per_s_milli=per_s_milli,
        promise_late_per_s_milli=parameters.told_late_minor_per_min * 1000 / 60,
    )


def _pace(planned: Vehicle, driven: Vehicle) -> tuple[float, float]:
    """Return how long legs take with a vehicle by another's, and how unsure that is."""
    speeds = driven.travel_speed_percent, planned.travel_speed_percent
    if planned.type_id == driven.type_id and speeds[0] == speeds[1]:
        return 1.0, 0.0
    return speeds[0] / speeds[1], PACE_SD
