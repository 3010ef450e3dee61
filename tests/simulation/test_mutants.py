"""Not one mutant lives: each rule of the server that is broken is noticed."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.running import MUTANT_SEEDS, kill, laid_base

FIRST_SEEDS = {
    "all of a revoked device is doubted": 25,
    "clock of another boot believed": 35,
    "cursor before the horizon goes on": 35,
    "draining device is shut out": 25,
    "file that is safe is not told": 75,
    "forced at once": 40,
    "head read after the rows": 10,
    "horizon not moved": 35,
    "horizon stops one short": 45,
    "maker not asked": 100,
    "one file proves two stops": 30,
    "repeated id accepted with another body": 15,
    "revoked device counts on": 25,
    "whoever is named is believed": 25,
}
"""Where the hunt begins for those that few histories notice: it saves minutes."""

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name: str) -> None:
    first = FIRST_SEEDS.get(name, 0)
    with laid_base() as base:
        found = kill(base, name, range(first, first + MUTANT_SEEDS))
    assert found.seed is not None
