"""Room for a job that fits nowhere: another leaves its place and finds one elsewhere.

Attempts, each wider than the one before: the other goes to another route; it moves on
within its own; it takes the place of a third, which moves on. The exchange that
promises to cost least is timed first. All are counted, none is timed by the clock.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from apps.routes.solver.gaps import OPEN, fits, lay_places, price_gaps, prices
from apps.routes.solver.offers import with_instead
from apps.routes.solver.routestate import NEVER, build_route
from apps.routes.solver.vacancies import Vacancies

if TYPE_CHECKING:
    from apps.routes.solver.gaps import Places
    from apps.routes.solver.live import LivePlan
    from apps.routes.solver.offers import Offer
    from apps.routes.solver.routestate import RouteState

TRIED = 12
"""So many of the cheapest exchanges are timed in full."""

MOVES = 3
"""So many other places of an ejected job are kept."""

CHAINED = 2
"""So many seconds are thought of that may take the place of a third."""


class Move(NamedTuple):
    """A place for an ejected job on another route."""

    cost_milli: int
    number: int
    leg: int


class Ejection:
    """Makes room on a live plan for one job at a time."""

    def __init__(self, live: LivePlan) -> None:
        """Look at a plan; nothing is computed before it is needed."""
        self.live = live
        self._vacancies: Vacancies | None = None
        self._moves: dict[int, list[Move]] = {}
        self._hopeless: set[int] = set()

    def make_room(self, job: int) -> bool:
        """Place a job at the expense of no other; tell whether that was possible.

        What found no room is not tried again before a route has changed.
        """
        if job in self._hopeless:
            return False
        if self._finds_room(job):
            self._hopeless.clear()
            return True
        self._hopeless.add(job)
        return False

    def _finds_room(self, job: int) -> bool:
        if not any(self._could_serve(places, job) for places in self.live.places):
            return False
        worth = min(NEVER, self.live.view.prize_milli(job))
        offers = self.vacancies().offers(job)
        return (
            self._move_out(job, offers, worth)
            or self._move_within(job, offers)
            or self._chain(job, offers, worth)
        )

    def _could_serve(self, places: Places, job: int) -> bool:
        """Say whether a car could serve a job if it had nothing but its commitments."""
        view, number = self.live.view, places.number
        if (
            not places.gaps
            or not view.may_serve[number][job]
            or view.releases_s[job] > places.departure_s
        ):
            return False
        vehicle, first = view.cars[number].vehicle, places.gaps[0]
        bare = first._replace(
            after=OPEN if vehicle.end_location is None else vehicle.end_location
        )
        span = first.ready_s, view.cars[number].closes_s, bare
        return bool(price_gaps(view, places, (span,), job))

    def vacancies(self) -> Vacancies:
        """Return what opens up where a stop leaves the plan as it is now."""
        if self._vacancies is None:
            self._vacancies = Vacancies(self.live)
        return self._vacancies

    def _elsewhere(self, job: int, home: int) -> list[Move]:
        """List the best places for a job on other routes than its own."""
        known = self._moves.get(job)
        if known is None:
            view = self.live.view
            found = [
                Move(cost_milli, places.number, places.gaps[position].leg)
                for places in self.live.places
                if places.number != home
                for cost_milli, position in prices(view, places, job)
            ]
            found.sort()
            known = self._moves[job] = found[:MOVES]
        return known

    def _move_out(self, job: int, offers: list[Offer], worth: int) -> bool:
        """Let a job in where another goes to another route."""
        seen: set[int] = set()
        waiting: list[tuple[int, int, Offer]] = []
        tried = 0
        for order, offer in enumerate(offers):
            while waiting and waiting[0][0] <= offer.cost_milli and tried < TRIED:
                tried += 1
                if self._commit_out(job, heappop(waiting)[2]):
                    return True
            ejected = self._job_at(offer)
            if tried >= TRIED or offer.cost_milli >= worth:
                break
            if ejected not in seen:
                seen.add(ejected)
                moves = self._elsewhere(ejected, offer.number)
                if moves and offer.cost_milli + moves[0].cost_milli < worth:
                    total = offer.cost_milli + moves[0].cost_milli
                    heappush(waiting, (total, order, offer))
        while waiting and tried < TRIED:
            tried += 1
            if self._commit_out(job, heappop(waiting)[2]):
                return True
        return False

    def _commit_out(self, job: int, offer: Offer) -> bool:
        """Make both routes of an exchange, or neither."""
        live, ejected = self.live, self._job_at(offer)
        sequence = live.routes[offer.number].sequence
        changed = with_instead(sequence, offer.out, job, offer.leg)
        first = build_route(live.view, offer.number, changed)
        if first is None:
            return False
        for move in self._elsewhere(ejected, offer.number):
            there = live.routes[move.number].sequence
            longer = (*there[: move.leg], ejected, *there[move.leg :])
            second = build_route(live.view, move.number, longer)
            if second is not None:
                self._put(first, second)
                return True
        return False

    def _put(self, *routes: RouteState) -> None:
        for route in routes:
            self.live.put(route)
        self._moves.clear()
        self._vacancies = None

    def _job_at(self, offer: Offer) -> int:
        """Return the job that leaves for an offer."""
        return self.live.routes[offer.number].sequence[offer.out]

    def _move_within(self, job: int, offers: list[Offer]) -> bool:
        """Let a job in on a route where another of its stops moves on for it."""
        live = self.live
        demands = live.view.jobs[job].demands
        roomy = {one.number for one in live.places if fits(demands, one.room)}
        tried = 0
        for offer in offers:
            if offer.number not in roomy:
                continue
            shifting = self.vacancies().shifting(offer.number, offer.out)
            if shifting is None:
                continue
            for changed in shifting.with_job(live.view, job, offer.leg):
                tried += 1
                route = build_route(live.view, offer.number, changed)
                if route is not None:
                    self._put(route)
                    return True
            if tried >= TRIED:
                return False
        return False

    def _chain(self, job: int, offers: list[Offer], worth: int) -> bool:
        """Let a job take a second's seat, that a third's, and the third move on."""
        seats = [offer for offer in offers if offer.leg == offer.out][:CHAINED]
        waiting = [
            (offer.cost_milli + step.cost_milli, order, step)
            for order, offer in enumerate(seats)
            for step in self.vacancies().seats(self._job_at(offer), offer.number)
        ]
        heapify(waiting)
        tried = 0
        while waiting and tried < TRIED:
            total, order, step = heappop(waiting)
            if total >= worth:
                return False
            if not self._elsewhere(self._job_at(step), step.number):
                continue
            tried += 1
            if self._commit_chain(job, seats[order], step):
                return True
        return False

    def _commit_chain(self, job: int, first: Offer, second: Offer) -> bool:
        """Make the routes of a chain, or none of them."""
        live = self.live
        changed: dict[int, RouteState] = {}
        for offer, comes in ((first, job), (second, self._job_at(first))):
            sequence = live.routes[offer.number].sequence
            route = build_route(
                live.view,
                offer.number,
                with_instead(sequence, offer.out, comes, offer.leg),
            )
            if route is None:
                return False
            changed[offer.number] = route
        moved = self._job_at(second)
        found: list[tuple[int, int, int]] = []
        for places in live.places:
            route = changed.get(places.number)
            there = lay_places(live.view, route) if route else places
            found += [
                (cost_milli, places.number, there.gaps[position].leg)
                for cost_milli, position in prices(live.view, there, moved)
            ]
        for _, number, leg in sorted(found)[:MOVES]:
            sequence = changed.get(number, live.routes[number]).sequence
            longer = (*sequence[:leg], moved, *sequence[leg:])
            third = build_route(live.view, number, longer)
            if third is not None:
                self._put(*(changed | {number: third}).values())
                return True
        return False
