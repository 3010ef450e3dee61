"""What a job could have on a live plan if another stop left its place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from apps.routes.solver.gaps import ALWAYS, fits, price_gaps
from apps.routes.solver.offers import Offer
from apps.routes.solver.routestate import NEVER
from apps.routes.solver.shifting import Shifting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from apps.routes.solver.gaps import Gap, Places
    from apps.routes.solver.leavings import Leaving, Leavings
    from apps.routes.solver.live import LivePlan
    from apps.routes.solver.view import View


class Vacancies:
    """What a job could have on a live plan if another left its place."""

    def __init__(self, live: LivePlan) -> None:
        """Look at the routes as they are now."""
        self.live = live
        self._shifting: dict[tuple[int, int], Shifting | None] = {}

    def offers(self, job: int) -> list[Offer]:
        """List the gaps that a job could have if another left, the cheapest first."""
        view, found = self.live.view, list[Offer]()
        demands = view.jobs[job].demands
        for places in self._open_to(job):
            leavings = self.live.leavings(places.number)
            if fits(demands, places.room):
                found += _gained(view, places, leavings, leavings.all, job)
            else:
                able = [one for one in leavings.all if fits(demands, one.room)]
                found += _gained(view, places, leavings, able, job)
                found += _unchanged(view, places, leavings, able, job)
        found.sort()
        return found

    def seats(self, job: int, home: int) -> list[Offer]:
        """List the seats of others that a job could take on other routes than its own."""
        view, found = self.live.view, list[Offer]()
        demands = view.jobs[job].demands
        for places in self._open_to(job):
            if places.number != home:
                leavings = self.live.leavings(places.number)
                inside = leavings.within(*_span_s(view, places, job))
                able = [one for one in inside if fits(demands, one.room)]
                seats = [(one.seat[0], one.seat[1], one.seat) for one in able]
                found += _priced(view, places, able, seats, job)
        found.sort()
        return found

    def shifting(self, number: int, leg: int) -> Shifting | None:
        """Say where else on its own route a stop may stand; None if that is nowhere."""
        key = number, leg
        if key not in self._shifting:
            leavings = self.live.leavings(number)
            leaving = leavings.all[leg - leavings.first]
            legs = tuple(leavings.legs_for(self.live.view, number, leaving))
            self._shifting[key] = (
                Shifting(
                    number,
                    leavings.sequence,
                    leg,
                    legs,
                    leaving.ready_s,
                    leaving.latest_s,
                )
                if legs
                else None
            )
        return self._shifting[key]

    def _open_to(self, job: int) -> Iterator[Places]:
        """Give the routes whose cars may serve a job, load and time aside."""
        view = self.live.view
        for places in self.live.places:
            if (
                places.gaps
                and view.may_serve[places.number][job]
                and view.releases_s[job] <= places.departure_s
            ):
                yield places


def _span_s(view: View, places: Places, job: int) -> tuple[int, int]:
    """Say when a job is done at the earliest, and when it may begin at the latest."""
    windows = view.windows[job] or (ALWAYS,)
    service_s = view.cars[places.number].services_s[job]
    return windows[0][0] + service_s, windows[-1][1]


def _gained(
    view: View,
    places: Places,
    leavings: Leavings,
    able: Iterable[Leaving],
    job: int,
) -> list[Offer]:
    """Price what changes by a stop that leaves, as far as a job's windows meet it."""
    least_s, most_s = _span_s(view, places, job)
    ready_s: list[int] = []
    latest_s: list[int] = []
    gaps: list[Gap] = []
    owners: list[Leaving] = []
    for one in able:
        start = bisect_left(one.latest_s, least_s, one.low, one.high)
        stop = bisect_right(one.ready_s, most_s, start, one.high)
        if start >= stop:
            continue
        place = len(gaps) + one.place - start
        ready_s += one.ready_s[start:stop]
        latest_s += one.latest_s[start:stop]
        gaps += leavings.gaps[start:stop]
        owners += [one] * (stop - start)
        # Of the two gaps beside the stop one is its seat now, and the other is none.
        if start <= one.place < stop:
            gaps[place] = one.seat
        if start <= one.place + 1 < stop:
            latest_s[place + 1] = -NEVER
    spans = list(zip(ready_s, latest_s, gaps, strict=True))
    return _priced(view, places, owners, spans, job)


def _priced(
    view: View,
    places: Places,
    owners: Sequence[Leaving],
    spans: Sequence[tuple[int, int, Gap]],
    job: int,
) -> list[Offer]:
    """Price a job in gaps that `owners` leave for it, as far as it is in time there."""
    if not spans:
        return []
    number, new = places.number, tuple.__new__
    return [
        new(Offer, (cost - one.saving_milli, number, one.leg, spans[at][2][4]))
        for cost, at in price_gaps(view, places, spans, job)
        for one in (owners[at],)
    ]


def _unchanged(
    view: View, places: Places, leavings: Leavings, able: Sequence[Leaving], job: int
) -> list[Offer]:
    """Price the gaps as they are where a stop that leaves only makes room."""
    found: list[Offer] = []
    spans = zip(leavings.ready_s, leavings.latest_s, leavings.gaps, strict=True)
    for cost, place in price_gaps(view, places, spans, job):
        leg = leavings.first + place
        found += [
            Offer(cost - one.saving_milli, places.number, one.leg, leg)
            for one in able
            if not one.low <= place < one.high
        ]
    return found
