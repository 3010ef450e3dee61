"""What a night learns: new facts are added to the tallies, and the estimates made anew."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TypeVar

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

Told = Callable[[str, int, int], None]
"""Hears how far it is: what is done, how many, of how many."""

Item = TypeVar("Item")


@dataclass(slots=True)
class Night:
    """What one night did; `left` routes wait to be read the first time."""

    routes: int = 0
    changed: int = 0
    stops: int = 0
    estimates: int = 0
    left: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def silent(_what: str, _done: int, _of: int) -> None:
    """Hear nothing."""


def learn(
    *,
    depot: Depot,
    by: Actor,
    now: datetime,
    told: Told = silent,
    judged: reading.Judged = judgements.judged,
    most: int | None = None,
) -> Night:
    """Read what is new of a depot, and make the estimates that follow; return what it was.

    Nothing that is learned takes effect by it. `most` routes are read at once the first
    time; while some are `left`, it is to be called again. Broken off, it can be begun
    again: what is counted is counted, and no thing counts twice.
    """
    read, newest = _begun(depot)
    is_first = read.read_at is None
    route_ids = _routes(depot.pk, read, judged, now)
    some = route_ids[:most] if is_first and most else route_ids
    since = reading.first_start(some)
    verdicts = judged(depot.pk, since, now) if since else {}
    night = Night(left=len(route_ids) - len(some))
    _count_routes(depot, some, verdicts, night, told=told, now=now)
    if night.left:
        return night
    days = ledger.settled_days(depot.pk, None if is_first else read.read_to)
    count(depot.pk, ledger.settled(depot.pk, days), now=now)
    told("estimates", 0, 1)
    shown = reading.shown_classes(depot.pk, now=now)
    with writing(by=by, now=now) as journal:
        Reading.objects.select_for_update().get(pk=depot.pk)
        night.estimates = estimate(depot.pk, shown=shown, now=now)
        Reading.objects.filter(pk=depot.pk).update(
            read_to=newest, read_at=now, figures=asdict(night)
        )
        journal.record("estimates.learned", depot, depot_id=depot.pk, **asdict(night))
    return night


def _begun(depot: Depot) -> tuple[Reading, uuid.UUID]:
    """Return how far it was read, and how far it will have been.

    The first time that is noted before anything is read: what is reported meanwhile is
    the next night's, however often the first is broken off.
    """
    newest = reading.newest_entry(depot.pk)
    read, _ = Reading.objects.get_or_create(depot=depot, defaults={"read_to": newest})
    if read.read_at is None and read.read_to is not None:
        return read, read.read_to
    return read, newest


def _routes(
    depot_id: uuid.UUID, read: Reading, judged: reading.Judged, now: datetime
) -> list[uuid.UUID]:
    """Return the routes of which something is new: a report, or a verdict."""
    if read.read_at is None:
        return reading.uncounted_routes(depot_id)
    since = read.read_at - reading.OVERLAP
    fresh = reading.touched_routes(depot_id, read.read_to or reading.NOTHING_READ)
    return sorted({*fresh} | judged(depot_id, since, now).keys())


def _count_routes(
    depot: Depot,
    route_ids: Sequence[uuid.UUID],
    verdicts: reading.Verdicts,
    night: Night,
    *,
    told: Told,
    now: datetime,
) -> None:
    """Add what these routes are now, some at a time, and note it of the night."""
    night.routes = len(route_ids)
    standard_s = parameters_in_force(depot.pk, now).standard_service_s
    left_out = Counter[str]()
    for done, some in _in_parts(route_ids, ROUTES_AT_ONCE):
        told("routes", done, len(route_ids))
        facts = reading.route_facts(
            depot, some, standard_s=standard_s, verdicts=verdicts
        )
        things = {reading.subject_of(each): list[Added]() for each in some}
        for route in facts:
            rows, left = added_by(route, c_s=DEFAULTS.travel_c_s, p=DEFAULTS.travel_p)
            things[reading.subject_of(route.route_id)] = rows
            left_out.update(left)
            night.stops += len(route.stops)
        night.changed += count(depot.pk, things, now=now)
    night.left_out = dict(sorted(left_out.items()))


def _in_parts(items: Sequence[Item], size: int) -> Iterator[tuple[int, Sequence[Item]]]:
    for first in range(0, len(items), size):
        yield first, items[first : first + size]
