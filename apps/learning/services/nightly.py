"""What a night learns: new facts are added to the tallies, and the estimates made anew.

A night is read in slices of some routes. How far it is stands beside the reading and is
kept after each slice: a night that was killed, or left off for want of time, goes on there.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.learning import judgements, ledger, reading
from apps.learning.learners.counting import added_by
from apps.learning.learners.sketch import Added
from apps.learning.models import Reading
from apps.learning.services.estimating import estimate
from apps.learning.services.tallies import count
from apps.routes.parameters import DEFAULTS
from apps.routes.selectors import parameters_in_force

ROUTES_AT_ONCE = 40
"""So many routes are read and added in one transaction: some 5,000 stops."""

GOING = "going"
"""Where a night that is not over keeps how far it is, among the figures of the last."""

Told = Callable[[str, int, int], None]
"""Hears how far it is: what is done, how many, of how many."""

Going: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Night:
    """What one call did of a night; `left` things wait for the next one.

    They are routes the first time, and afterwards reports and verdicts.
    """

    routes: int = 0
    changed: int = 0
    stops: int = 0
    estimates: int = 0
    left: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class _Slice:
    """The routes that are read next, and where reading stands afterwards."""

    route_ids: Sequence[uuid.UUID]
    then: Going
    is_last: bool


def silent(_what: str, _done: int, _of: int) -> None:
    """Hear nothing."""


def always() -> bool:
    """Find that there is time for one more slice."""
    return True


def learn(
    *,
    depot: Depot,
    by: Actor,
    now: datetime,
    told: Told = silent,
    judged: reading.Judged = judgements.judged,
    most: int | None = None,
    has_time: Callable[[], bool] = always,
) -> Night:
    """Read what is new of a depot, and make the estimates that follow; return what it was.

    Nothing that is learned takes effect by it. `most` routes are read by one call, and as
    long as there is time; until it `is_over` it is to be called again. Broken off, it goes
    on where it was: what is counted is counted, and no thing counts twice.
    """
    night = Night()
    asked = _Asked(depot.pk, judged, now)
    standard_s = parameters_in_force(depot.pk, now).standard_service_s
    going: Going | None = _begun(depot, now)
    while going is not None and going["phase"] in _PHASES:
        room = ROUTES_AT_ONCE
        if most is not None:
            room = min(room, most - night.routes)
        if room <= 0 or not has_time():
            night.left = _left(depot.pk, going, asked)
            if night.left or not has_time():
                return night
        part = _PHASES[going["phase"]](depot, going, asked, room)
        told("routes", night.routes, night.routes + len(part.route_ids))
        done = _count_routes(
            depot, part.route_ids, asked, standard_s=standard_s, now=now
        )
        then = {"phase": _phase_after(going, part, asked), **part.then}
        going = _went_on(depot.pk, going, then, done)
        _add(night, done)
    if going is None or not has_time():
        return night
    return _ended(depot, going, night, told=told, by=by, now=now)


# ── where it is ─────────────────────────────────────────────────────────────
def _begun(depot: Depot, now: datetime) -> Going:
    """Return where the night is: begun before, or now.

    How far it will have read is noted before anything is read: what is reported meanwhile
    is the next night's, however often this one is broken off.
    """
    newest = reading.newest_entry(depot.pk)
    Reading.objects.get_or_create(depot=depot, defaults={"read_to": newest})
    with transaction.atomic():
        read = Reading.objects.select_for_update().get(pk=depot.pk)
        going: Going | None = read.figures.get(GOING)
        if going is not None:
            return going
        going = {
            "phase": "first",
            "at": "",
            "end": "",
            "route": "",
            "to": str(read.read_to or newest),
            "since": None,
            "began_at": now.isoformat(),
            "done": asdict(Night()),
        }
        if read.read_at is not None:
            start = reading.before(
                read.read_to or reading.NOTHING_READ, reading.OVERLAP
            )
            given_since = read.read_at - reading.OVERLAP
            going |= {
                "phase": "reports",
                "at": str(start),
                "from": str(read.read_to or reading.NOTHING_READ),
                "to": str(newest),
                "since": given_since.isoformat(),
            }
        read.figures = {**read.figures, GOING: going}
        read.save(update_fields=["figures"])
    return going


def _went_on(
    depot_id: uuid.UUID, was: Going, now_at: Going, done: Night
) -> Going | None:
    """Keep how far the night is now, and return it.

    Another may have read the same meanwhile, or have ended the night (None): what that
    one kept holds.
    """
    so_far = Night(**was["done"])
    _add(so_far, done)
    going = {**was, **now_at, "done": asdict(so_far)}
    if now_at["phase"] != was["phase"]:
        going |= {"at": "", "end": "", "route": ""}
    with transaction.atomic():
        read = Reading.objects.select_for_update().get(pk=depot_id)
        kept: Going | None = read.figures.get(GOING)
        if kept != was:
            return kept
        read.figures = {**read.figures, GOING: going}
        read.save(update_fields=["figures"])
    return going


def _ended(
    depot: Depot,
    going: Going,
    night: Night,
    *,
    told: Told,
    by: Actor,
    now: datetime,
) -> Night:
    """Make the estimates of what was counted, and end the night."""
    since = uuid.UUID(going["from"]) if "from" in going else None
    days = ledger.settled_days(depot.pk, since)
    if days:
        count(depot.pk, ledger.settled(depot.pk, days), now=now)
    told("estimates", 0, 1)
    shown = reading.shown_classes(depot.pk, now=now)
    with writing(by=by, now=now) as journal:
        read = Reading.objects.select_for_update().get(pk=depot.pk)
        if read.figures.get(GOING) != going:
            return night  # another has ended it
        night.estimates, night.is_over = estimate(depot.pk, shown=shown, now=now), True
        whole = Night(**going["done"])
        whole.estimates, whole.is_over = night.estimates, True
        read.read_to, read.figures = uuid.UUID(going["to"]), asdict(whole)
        # Verdicts that were given since it began may have come behind it.
        read.read_at = datetime.fromisoformat(going["began_at"])
        read.save(update_fields=["read_to", "read_at", "figures"])
        journal.record("estimates.learned", depot, depot_id=depot.pk, **asdict(whole))
    return night


# ── what is read next ───────────────────────────────────────────────────────
class _Asked:
    """What one call has asked of the database already."""

    def __init__(
        self, depot_id: uuid.UUID, judged: reading.Judged, now: datetime
    ) -> None:
        self._depot_id, self._judged, self._now = depot_id, judged, now
        self._since: datetime | None = None
        self._known: reading.Verdicts = {}
        self._given: dict[datetime, Sequence[uuid.UUID]] = {}
        self._day: tuple[uuid.UUID, uuid.UUID] | None = None
        self._routes: Sequence[uuid.UUID] = ()

    def reported(self, at: uuid.UUID, end: uuid.UUID) -> Sequence[uuid.UUID]:
        """Return the routes of which something was reported between two entries."""
        if self._day != (at, end):
            self._routes = reading.reported_routes(self._depot_id, at, end)
            self._day = at, end
        return self._routes

    def since(self, at: datetime | None) -> reading.Verdicts:
        """Return the verdicts given since an instant; None: of nothing."""
        if at is None:
            return {}
        if self._since is None or at < self._since:
            self._since = at
            self._known = self._judged(self._depot_id, at, self._now)
        return self._known

    def given_since(self, at: datetime) -> Sequence[uuid.UUID]:
        """Return the routes on which a verdict was given since an instant."""
        if at not in self._given:
            self._given[at] = sorted(self._judged(self._depot_id, at, self._now))
        return self._given[at]


Next = Callable[[Depot, Going, _Asked, int], _Slice]


def _never_read(depot: Depot, going: Going, _asked: _Asked, room: int) -> _Slice:
    """Take the oldest routes behind those that were read, the first time."""
    found = reading.routes_after(depot.pk, going["at"], room + 1)
    some = found[:room]
    then = {"at": some[-1].place if some else going["at"]}
    return _Slice([row.pk for row in some], then, len(found) <= room)


def _reported(depot: Depot, going: Going, asked: _Asked, room: int) -> _Slice:
    """Take routes of the oldest days of reports behind those that were read.

    A route is driven within a day, so that whole days name few routes twice. Their routes
    go by their numbers, and where the days end is kept while they are read.
    """
    at, to = uuid.UUID(going["at"]), uuid.UUID(going["to"])
    end = uuid.UUID(going["end"] or going["at"])
    found = set(asked.reported(at, end)) if going["end"] else set()
    while not going["end"] and end < to and len(found) < room:
        day_ends = reading.day_end(end, to, ZoneInfo(depot.time_zone))
        of_day = asked.reported(end, day_ends)
        found.update(of_day)
        # Days of which nothing was reported are passed over together.
        end = day_ends if of_day else reading.silent_until(depot.pk, day_ends, to)
    routes = sorted(pk for pk in found if str(pk) > going["route"])
    some = routes[:room]
    if len(routes) > room:
        return _Slice(some, {"end": str(end), "route": str(some[-1])}, is_last=False)
    return _Slice(some, {"at": str(end), "end": "", "route": ""}, end >= to)


def _judged_anew(_depot: Depot, going: Going, asked: _Asked, room: int) -> _Slice:
    """Take the routes on which a verdict was given since the last night."""
    waiting = _waiting_verdicts(going, asked)
    some = waiting[:room]
    then = {"route": str(some[-1]) if some else going["route"]}
    return _Slice(some, then, len(waiting) <= room)


def _waiting_verdicts(going: Going, asked: _Asked) -> Sequence[uuid.UUID]:
    routes = asked.given_since(datetime.fromisoformat(going["since"]))
    return [pk for pk in routes if str(pk) > going["route"]]


_PHASES: dict[str, Next] = {
    "first": _never_read,
    "reports": _reported,
    "verdicts": _judged_anew,
}


def _phase_after(going: Going, part: _Slice, asked: _Asked) -> str:
    """Return what comes behind a slice: more of the same, verdicts, or the estimates."""
    phase: str = going["phase"]
    if not part.is_last:
        return phase
    if phase == "reports" and _waiting_verdicts({**going, "route": ""}, asked):
        return "verdicts"
    return "estimates"


def _left(depot_id: uuid.UUID, going: Going, asked: _Asked) -> int:
    """Return how much of the night waits to be read."""
    if going["phase"] == "first":
        return reading.routes_left(depot_id, going["at"])
    waiting = len(_waiting_verdicts({**going, "route": ""}, asked))
    if going["phase"] == "verdicts":
        return len(_waiting_verdicts(going, asked))
    at, to = uuid.UUID(going["at"]), uuid.UUID(going["to"])
    return reading.reports_left(depot_id, at, to) + waiting


# ── what it adds ────────────────────────────────────────────────────────────
def _count_routes(
    depot: Depot,
    route_ids: Sequence[uuid.UUID],
    asked: _Asked,
    *,
    standard_s: int,
    now: datetime,
) -> Night:
    """Add what these routes are now, in one transaction; return what they were."""
    done = Night(routes=len(route_ids))
    if not route_ids:
        return done
    verdicts = asked.since(reading.first_start(route_ids))
    left_out = Counter[str]()
    facts = reading.route_facts(
        depot, route_ids, standard_s=standard_s, verdicts=verdicts
    )
    things = {reading.subject_of(each): list[Added]() for each in route_ids}
    for route in facts:
        rows, left = added_by(route, c_s=DEFAULTS.travel_c_s, p=DEFAULTS.travel_p)
        things[reading.subject_of(route.route_id)] = rows
        left_out.update(left)
        done.stops += len(route.stops)
    done.changed = count(depot.pk, things, now=now)
    done.left_out = dict(left_out)
    return done


def _add(night: Night, done: Night) -> None:
    night.routes += done.routes
    night.changed += done.changed
    night.stops += done.stops
    both = Counter(night.left_out) + Counter(done.left_out)
    night.left_out = dict(sorted(both.items()))
