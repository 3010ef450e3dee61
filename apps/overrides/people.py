"""Who has which role at a depot, and who stands in for whom."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from apps.core.actors import Actor
from apps.depots.models import Absence, DepotMembership
from apps.depots.selectors import is_absent, stand_in_for
from apps.overrides.rights import ADMINISTRATOR, LADDER, rank, stands_for


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may answer at a depot: by own roles, and for whom who is away."""

    roles: tuple[str, ...]
    for_others: tuple[tuple[str, str], ...] = ()
    """Roles that come from standing in, each with the name of who is away."""

    @property
    def all_roles(self) -> tuple[str, ...]:
        """Own roles and those of others, the highest first."""
        every = {*self.roles, *(role for role, _ in self.for_others)}
        return tuple(sorted(every, key=rank, reverse=True))

    def may_answer(self, approver: str) -> bool:
        """Tell whether a request that asks this role may be answered."""
        return any(stands_for(role, approver) for role in self.all_roles)

    def instead_of(self, approver: str) -> str:
        """Return for whom it would be answered; empty where it is one's own to answer."""
        if any(stands_for(role, approver) for role in self.roles):
            return ""
        names = [name for role, name in self.for_others if stands_for(role, approver)]
        return names[0] if names else ""


def user_of(actor: Actor) -> User | None:
    """Return the office's person behind an actor, if it is one who is active."""
    if actor.kind != "user" or not actor.id.isdigit():
        return None
    return User.objects.filter(pk=int(actor.id), is_active=True).first()


def own_roles(user: User) -> tuple[str, ...]:
    """Return the roles of the ladder that somebody has, the lowest first."""
    names = set(user.groups.values_list("name", flat=True))
    if user.is_superuser:
        names.add(ADMINISTRATOR)
    return tuple(role for role in LADDER if role in names)


def standing(user: User, depot_id: uuid.UUID, at: datetime) -> Standing:
    """Return what somebody may answer at a depot at an instant."""
    if not user.is_active or not _works_at(user, depot_id):
        return Standing(())
    away = Absence.objects.covering(at).exclude(user=user).select_related("user")
    covered = tuple(
        (role, name_of(absence.user))
        for absence in away
        if _works_at(absence.user, depot_id)
        and stand_in_for(absence.user_id, at) == user
        for role in own_roles(absence.user)
    )
    return Standing(own_roles(user), covered)


def who_answers(role: str, depot_id: uuid.UUID, at: datetime) -> list[str]:
    """Return the names of those who are asked as a role: present, or standing in."""
    held = Q(is_superuser=True)
    if role != ADMINISTRATOR:
        held = Q(groups__name=role, depots__depot_id=depot_id)
    names = []
    for user in User.objects.filter(held, is_active=True).distinct():
        if not is_absent(user.pk, at):
            names.append(name_of(user))
        elif (other := stand_in_for(user.pk, at)) is not None:
            names.append(f"{name_of(other)} for {name_of(user)}")
    return names


def name_of(user: User) -> str:
    """Return how somebody of the office is called."""
    return user.get_full_name() or user.get_username()


def _works_at(user: User, depot_id: uuid.UUID) -> bool:
    rows = DepotMembership.objects.filter(user=user, depot_id=depot_id)
    return user.is_superuser or rows.exists()
