"""Rules of the server, broken one at a time: each has to be noticed by an invariant.

A mutant lives in the process that runs it, and nowhere else. Its docstring says what is
wrong with it.
"""

from tests.simulation.mutants import (
    of_devices,
    of_facts,
    of_feeds,
    of_pushes,
    of_the_office,
)
from tests.simulation.mutants.registry import MUTANTS

__all__ = [
    "MUTANTS",
    "of_devices",
    "of_facts",
    "of_feeds",
    "of_pushes",
    "of_the_office",
]
