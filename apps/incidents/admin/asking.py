"""To whom work may be given, and what is said when it was."""

from typing import Any

from django.contrib.auth.models import User

from apps.core import clock
from apps.depots.selectors import is_absent
from apps.incidents.selectors import Load, colleagues_of, loads_of


def people_with_loads(depot_id: Any) -> list[tuple[User, Load, bool]]:
    """Return everybody who may be given work, with what each has, and who is away."""
    people = list(colleagues_of(depot_id))
    loads, now = loads_of([person.pk for person in people]), clock.now()
    return [(person, loads[person.pk], is_absent(person.pk, now)) for person in people]


def given_words(name: str, warning: str) -> str:
    """Say to whom work went, and what speaks against it."""
    return f"{name} has it. {warning}".strip()
