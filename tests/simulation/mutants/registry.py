"""The mutants by name, and what makes one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest import mock

Mutant = Callable[[], AbstractContextManager[None]]
MUTANTS: dict[str, Mutant] = {}
patch = mock.patch.object


def mutant(make: Callable[[], Iterator[None]]) -> Mutant:
    """Take a mutant in, named as its function is."""
    made = contextmanager(make)
    MUTANTS[make.__name__.replace("_", " ")] = made
    return made
