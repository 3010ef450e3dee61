"""The audit trail of one object: which entries of the journal are about it; reads only."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from apps.depots.models import Depot
from apps.drivers.actors import names_of
from apps.journal.models import Entry
from apps.metrics.words import Told, details_of, title_of
from apps.orders.models import Order

Subjects = Mapping[str, Iterable[object]]
"""By the kind of subject, as the journal names it, the keys of rows."""


def _of_order(row: Any) -> Subjects:
    return {"stop": row.stops.order_by().values_list("pk", flat=True)}


def _of_route(row: Any) -> Subjects:
    stops = row.stops.order_by().values_list("pk", flat=True)
    return {"shift": [row.shift_id], "stop": stops}


ALSO: Mapping[str, Callable[[Any], Subjects]] = {
    "orders.order": _of_order,
    "routes.route": _of_route,
    "routes.planchange": lambda row: {"plan": [row.plan_id]},
    "orders.quarantinedrow": lambda row: {"importrun": [row.run_id]},
    "sync.attachment": lambda row: {"deviceevent": [row.event_id]},
    "journal.entry": lambda row: {row.subject_type: [row.subject_id]},
}
"""What else an object's history tells of: facts that are recorded about its parts."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry as people read it."""

    at: datetime
    zone: str
    who: str
    what: str
    about: str
    details: tuple[Told, ...]


def entries_of(row: Model, user: Any) -> QuerySet[Entry]:
    """Return the entries about an object that the user may see, the newest first."""
    label = row._meta.label_lower
    wanted = Q(subject_type=row._meta.model_name, subject_id=str(row.pk))
    for kind, keys in ALSO.get(label, lambda _: {})(row).items():
        wanted |= Q(subject_type=kind, subject_id__in=[str(key) for key in keys])
    entries = Entry.objects.filter(wanted)
    if not user.is_superuser:
        depots = Depot.objects.visible_to(user).values("pk")
        entries = entries.filter(Q(depot_id__in=depots) | Q(depot_id=None))
    return entries.order_by("-id")


def facts_of(row: Model, entries: Iterable[Entry]) -> list[Fact]:
    """Return entries in words, by the clock of their depot."""
    shown = list(entries)
    zones = dict(
        Depot.objects.filter(pk__in={e.depot_id for e in shown}).values_list(
            "pk", "time_zone"
        )
    )
    names = names_of({entry.actor for entry in shown})
    own = row._meta.model_name
    return [
        Fact(
            at=entry.at,
            zone=zones.get(entry.depot_id, "UTC"),  # type: ignore[arg-type]
            who=names.get(entry.actor, entry.actor),
            what=title_of(entry.kind),
            about="" if entry.subject_type == own else entry.subject_type,
            details=details_of(entry.payload, zones.get(entry.depot_id, "UTC")),  # type: ignore[arg-type]
        )
        for entry in shown
    ]


def origin_of(row: Model) -> Fact | None:
    """Return how an object came into the house, where no entry of its own says so."""
    if not isinstance(row, Order):
        return None
    run = row.source_run
    came = f"Came in: line {row.source_line} of {run.file_name}" if run else "Came in"
    asked = run.requested_by if run else ""
    who = names_of({asked}).get(asked, asked)
    return Fact(row.received_at, row.depot.time_zone, who, came, "", ())
