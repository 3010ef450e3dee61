"""Questions to incidents and work; they never write."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from apps.depots.models import Depot
from apps.depots.selectors import covered_by, is_absent
from apps.incidents.kinds import ADMINISTRATOR
from apps.incidents.models import ActionItem, Incident, Playbook, WorkCap
from apps.incidents.states import UNRESOLVED, ItemState

USUAL_CAP = 10
"""Open incidents and to-dos together that one person can keep in mind: our guess."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much open work somebody has, and should have at most."""

    open: int
    cap: int

    @property
    def is_over(self) -> bool:
        """Tell whether it is more than it should be."""
        return self.open > self.cap


def overdue(now: datetime) -> QuerySet[Incident]:
    """Return the unresolved incidents whose deadline is over."""
    return Incident.objects.filter(status__in=UNRESOLVED, deadline_at__lte=now)


def open_incidents(depots: Iterable[Depot]) -> QuerySet[Incident]:
    """Return the unresolved incidents of depots, the most urgent first."""
    rows = Incident.objects.filter(depot__in=list(depots), status__in=UNRESOLVED)
    return rows.select_related("depot", "owner").order_by("deadline_at", "id")


def loads_of(users: Collection[int]) -> dict[int, Load]:
    """Return how much open work each of these people has."""
    counted: Counter[int] = Counter()
    mine = Q(owner__in=users)
    for rows in (
        Incident.objects.filter(mine, status__in=UNRESOLVED),
        ActionItem.objects.filter(mine, status=ItemState.OPEN),
    ):
        grouped = rows.order_by().values_list("owner").annotate(count=Count("pk"))
        counted.update({owner: count for owner, count in grouped if owner is not None})
    caps = dict(WorkCap.objects.filter(user__in=users).values_list("user", "most"))
    return {user: Load(counted[user], caps.get(user, USUAL_CAP)) for user in users}


def people_of(depot_id: uuid.UUID, role: str) -> list[User]:
    """Return who has a role in a depot; the administrators where that is the role."""
    people = User.objects.filter(is_active=True).order_by("username")
    if role == ADMINISTRATOR:
        return list(people.filter(is_superuser=True))
    return list(people.filter(groups__name=role, depots__depot=depot_id).distinct())


def colleagues_of(depot_id: uuid.UUID) -> QuerySet[User]:
    """Return everybody who may be given work in a depot."""
    people = User.objects.filter(is_active=True, is_staff=True)
    here = people.filter(Q(depots__depot=depot_id) | Q(is_superuser=True))
    return here.distinct().order_by("username")


def who_takes(depot_id: uuid.UUID, role: str, now: datetime) -> User | None:
    """Return who of a role is there and has the most room left; None where nobody is."""
    there = [
        person for person in people_of(depot_id, role) if not is_absent(person.pk, now)
    ]
    loads = loads_of([person.pk for person in there])
    return min(
        there,
        key=lambda person: (
            loads[person.pk].open - loads[person.pk].cap,
            person.username,
        ),
        default=None,
    )


def works_for(user_id: int, now: datetime) -> list[int]:
    """Return whose work this person does: his own, and that of those he stands in for."""
    return [user_id, *covered_by(user_id, now)]


def work_of(user_id: int, now: datetime) -> QuerySet[ActionItem]:
    """Return the open work of a person and of those he stands in for."""
    rows = ActionItem.objects.filter(
        owner__in=works_for(user_id, now), status=ItemState.OPEN
    )
    return rows.select_related("incident", "depot", "owner")


def playbooks_for(incident: Incident, fitting: str) -> list[Playbook]:
    """Return the lists of steps for an incident's depot, the one that fits first.

    A depot's own list stands in for the one of the same code for all.
    """
    rows = Playbook.objects.filter(
        Q(depot=incident.depot_id) | Q(depot=None), is_active=True
    )
    by_code: dict[str, Playbook] = {}
    for row in rows:
        if row.code not in by_code or row.depot_id is not None:
            by_code[row.code] = row
    return sorted(by_code.values(), key=lambda row: (row.code != fitting, row.name))
