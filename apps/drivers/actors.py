"""Who did something, by name: reads only."""

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import User

from apps.drivers.models import Driver


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return the names of actors such as `user:3`, as far as they are known."""
    parted = [(actor, *actor.partition(":")[::2]) for actor in actors]
    users = {key for _, kind, key in parted if kind == "user" and key.isdigit()}
    drivers = {key for _, kind, key in parted if kind == "driver" and _is_uuid(key)}
    names = {
        f"user:{user.pk}": user.get_full_name() or user.get_username()
        for user in User.objects.filter(pk__in=users)
    }
    found = Driver.objects.filter(pk__in=drivers).values_list("pk", "name")
    by_id = {pk: name for pk, name in found}
    for actor, kind, key in parted:
        if kind == "driver" and _is_uuid(key) and uuid.UUID(key) in by_id:
            names[actor] = by_id[uuid.UUID(key)]
    return names


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
