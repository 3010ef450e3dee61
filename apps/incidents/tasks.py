"""Background work of the room: what facts raise, what the clock raises and escalates."""

import uuid

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.incidents import reliancefacts, watching
from apps.incidents.models import Incident
from apps.incidents.returning import named_anew
from apps.incidents.selectors import overdue
from apps.incidents.services import incidents
from apps.incidents.services.incidents import IncidentDraft
from apps.incidents.sources import SOURCES, Gone
from apps.incidents.states import UNRESOLVED
from apps.journal.models import Entry

LEFT = "It was left past its deadline."
GONE = "What gave cause to it is over."


def follow_entry(*, entry_id: str) -> None:
    """Raise the incident that a fact is, or close the one whose cause it takes away."""
    entry = Entry.objects.get(pk=uuid.UUID(entry_id))
    found = SOURCES[entry.kind](entry)
    now = clock.now()
    for each in found if isinstance(found, tuple) else (found,):
        if isinstance(each, Gone) and entry.depot_id is not None:
            incidents.cause_is_gone(entry.depot_id, each.cause, why=each.why, now=now)
        elif isinstance(each, IncidentDraft):
            incidents.raise_incident(each, by=SYSTEM, now=now)


def follow_yes(*, act: str, depot_id: str | None) -> None:
    """Close what the machine asked for, now that a person has said yes."""
    asked = Incident.objects.filter(
        kind="machine_asks", status__in=UNRESOLVED, details__act=act
    )
    if depot_id:
        asked = asked.filter(depot=uuid.UUID(depot_id))
    for row in asked:
        incidents.cause_is_gone(
            row.depot_id, row.cause, why="A person has said yes.", now=clock.now()
        )


def watch(*, by_the_clock: bool = True) -> None:
    """Raise what the tables show, close what is over, escalate what was left.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    now = clock.now()
    for kind, seen in watching.WATCHES.items():
        current = {
            (draft.depot_id, draft.cause): draft for draft in named_anew(seen(now))
        }
        causes = {cause for _, cause in current}
        raised = Incident.objects.filter(cause__in=causes).order_by()
        known = set(raised.values_list("depot", "cause"))
        for place, draft in current.items():
            if place not in known:
                incidents.raise_incident(draft, by=SYSTEM, now=now)
        open_rows = Incident.objects.filter(kind=kind, status__in=UNRESOLVED)
        # What a person or a programme raised by hand, only a person closes.
        for depot_id, cause in open_rows.filter(raised_by=str(SYSTEM)).values_list(
            "depot", "cause"
        ):
            if (depot_id, cause) not in current:
                incidents.cause_is_gone(depot_id, cause, why=GONE, now=now)
    for incident in overdue(now):
        incidents.escalate(incident_id=incident.pk, why=LEFT, by=SYSTEM, now=now)


def watch_reliance(*, by_the_clock: bool = True) -> None:
    """Raise an incident where people wave through what the machine proposes."""
    if by_the_clock and clock.stands():
        return
    now = clock.now()
    for draft in reliancefacts.rubber_stamps(now):
        incidents.raise_incident(draft, by=SYSTEM, now=now)
