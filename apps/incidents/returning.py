"""What was over by itself and is so again: another incident, by another name; reads only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from django.db.models import Q

from apps.incidents.models import Incident
from apps.incidents.services.incidents import IncidentDraft
from apps.incidents.states import IncidentState, Outcome

RETURNING: Final = frozenset({"surge", "stale_roads"})
"""Kinds that a day may have, lose and have again; other causes happen once."""
AGAIN: Final = "#"


def named_anew(drafts: Iterable[IncidentDraft]) -> list[IncidentDraft]:
    """Return what is so now; what is so for the n-th time carries `#n` in its cause.

    What a person has resolved is not counted: it was seen, and stays resolved.
    """
    seen = list(drafts)
    causes = {draft.cause for draft in seen if draft.kind in RETURNING}
    if not causes:
        return seen
    rows = Incident.objects.filter(
        Q(cause__in=causes) | Q(cause__contains=AGAIN),
        kind__in=RETURNING,
        status=IncidentState.RESOLVED,
        outcome=Outcome.BY_ITSELF,
    )
    over = Counter(
        (depot_id, cause.partition(AGAIN)[0])
        for depot_id, cause in rows.order_by().values_list("depot", "cause")
    )
    return [_named(draft, over[draft.depot_id, draft.cause]) for draft in seen]


def _named(draft: IncidentDraft, times_over: int) -> IncidentDraft:
    if not times_over:
        return draft
    return replace(draft, cause=f"{draft.cause}{AGAIN}{times_over + 1}")
