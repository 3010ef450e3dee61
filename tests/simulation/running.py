"""Seeds and mutants, run one after the other in a database that is put back."""

import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction

from tests.migrated import begin_migrated
from tests.simulation.ground import Ground
from tests.simulation.history import SHOWN_STEPS, STEPS, Outcome, lay, run
from tests.simulation.mutants import MUTANTS
from tests.simulation.stage import Base

MUTANT_SEEDS = 120
"""A mutant that has lived through so many seeds survives."""

Say = Callable[[str], object]


@dataclass(frozen=True)
class Kill:
    """A mutant, and the invariant and seed that noticed it; none when it survived."""

    mutant: str
    invariant: str = ""
    seed: int | None = None
    detail: str = ""
    seeds: int = 0
    steps: int = 0
    """How many seeds it took, and steps in all of them."""


@dataclass
class Found:
    """What a run of many seeds has shown."""

    outcomes: list[Outcome] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)

    @property
    def violations(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.violation]

    @property
    def survivors(self) -> list[str]:
        return [kill.mutant for kill in self.kills if kill.seed is None]

    @property
    def faults(self) -> Counter[str]:
        return sum((each.faults for each in self.outcomes), Counter())

    def figures(self) -> dict[str, int]:
        return {
            "seeds": len(self.outcomes),
            "operations": sum(each.operations for each in self.outcomes),
            "violations": len(self.violations),
            "mutants": len(self.kills),
            "killed": len(self.kills) - len(self.survivors),
        }


@contextmanager
def laid_base() -> Iterator[Base]:
    """Make the day in the present database, and take it out again at the end."""
    ground = Ground()
    with silence(), ground.laid(), transaction.atomic():
        yield lay(ground)
        transaction.set_rollback(True)


@contextmanager
def silence() -> Iterator[None]:
    """Log nothing: injected faults are no news."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.freeze()  # what is there already stays: no history has to look at it
    try:
        yield
    finally:
        gc.unfreeze()
        logging.disable(level)


@contextmanager
def own_database() -> Iterator[None]:
    """Make a database beside the configured one, and remove it."""
    name, own = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    own["NAME"] = f"{name}_simulation"
    is_there = begin_migrated(own, connection.vendor)
    if connection.vendor == "sqlite" and not is_there:
        own["NAME"] = None  # nothing runs side by side here: it needs no file
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=is_there)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def run_seeds(
    base: Base,
    seeds: Iterable[int],
    say: Say,
    *,
    steps: int = STEPS,
    whole: bool = False,
) -> list[Outcome]:
    """Run histories; say of each that fails, or of all as a whole, how it came to it."""
    outcomes = []
    for seed in seeds:
        outcome = run(base, seed, steps)
        outcomes.append(outcome)
        if whole or outcome.violation:
            say(f"Seed {seed}: {outcome.violation or outcome.digest}")
            for line in outcome.steps if whole else outcome.steps[-SHOWN_STEPS:]:
                say(f"    {line}")
        if outcome.violation:
            again = f"simulate_sync --seeds 1 --first {seed} --steps {steps}"
            say(f"  Again: python3 manage.py {again}")
    return outcomes


def kill(base: Base, name: str, seeds: Iterable[int]) -> Kill:
    """Run a mutant until an invariant notices it."""
    steps = 0
    for count, seed in enumerate(seeds, 1):
        with MUTANTS[name]():
            outcome = run(base, seed)
        steps += outcome.operations
        if outcome.violation:
            noticed = (outcome.invariant, seed, outcome.violation)
            return Kill(name, *noticed, seeds=count, steps=steps)
    return Kill(name)
