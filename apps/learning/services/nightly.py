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
    """What one night did."""

    routes: int = 0
    changed: int = 0
    stops: int = 0
    estimates: int = 0
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
) -> Night:
    """Read what is new of a depot, and make the estimates that follow; return what it was.

    Nothing that is learned takes effect by it. Broken off, it can be begun again: what is
    counted is counted, and no thing counts twice.
    """
    read, _ = Reading.objects.get_or_create(depot=depot)
    newest = reading.newest_entry(depot.pk)
    night = Night()
    route_ids = _routes(depot.pk, read, judged, now)
    since = reading.first_start(route_ids)
    verdicts = judged(depot.pk, since, now) if since else {}
    _count_routes(depot, route_ids, verdicts, night, told=told, now=now)
    days = ledger.settled_days(depot.pk, read.read_to)
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


def _routes(
    depot_id: uuid.UUID, read: Reading, judged: reading.Judged, now: datetime
) -> list[uuid.UUID]:
    """Return the routes of which something is new: a report, or a verdict."""
    if read.read_to is None or read.read_at is None:
        return reading.all_routes(depot_id)
    since = read.read_at - reading.OVERLAP
    fresh = {*reading.touched_routes(depot_id, read.read_to)}
    return sorted(fresh | judged(depot_id, since, now).keys())


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
        things = {_subject(each): list[Added]() for each in some}
        for route in facts:
            rows, left = added_by(route, c_s=DEFAULTS.travel_c_s, p=DEFAULTS.travel_p)
            things[_subject(route.route_id)] = rows
            left_out.update(left)
            night.stops += len(route.stops)
        night.changed += count(depot.pk, things, now=now)
    night.left_out = dict(sorted(left_out.items()))


def _subject(route_id: uuid.UUID | str) -> str:
    return f"route:{route_id}"


def _in_parts(items: Sequence[Item], size: int) -> Iterator[tuple[int, Sequence[Item]]]:
    for first in range(0, len(items), size):
        yield first, items[first : first + size]
