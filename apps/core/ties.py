"""What a page's subject is tied to in rooms above its own; told by who knows them.

A request lies below its verdict, a route below what was said of it. Their pages ask a
function that `settings.OFFICE_TIES` names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Tie:
    """A page that belongs to this one: what it is, how it stands, in a sentence, where."""

    label: str
    state: str
    tone: str
    text: str
    url: str


def ties_of(row: Any, user: Any) -> Sequence[Tie]:
    """Return what a row is tied to, as far as a user may see it."""
    teller: Callable[[Any, Any], Sequence[Tie]] = import_string(settings.OFFICE_TIES)
    return teller(row, user)
