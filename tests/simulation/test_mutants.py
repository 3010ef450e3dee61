"""Not one mutant lives: each rule of the server that is broken is noticed."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.running import MUTANT_SEEDS, kill, laid_base

FIRST_SEEDS = {
    "dependency not asked": 33,
    "forced at once": 109,
    "head read after the rows": 35,
    "horizon not moved": 26,
    "cursor before the horizon goes on": 26,
    "maker not asked": 48,
    "repeated id accepted with another body": 33,
    "whoever is named is believed": 38,
}
"""Where the hunt begins for those that few histories notice: it saves minutes."""

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name: str) -> None:
    first = FIRST_SEEDS.get(name, 0)
    with laid_base() as base:
        found = kill(base, name, range(first, first + MUTANT_SEEDS))
    assert found.seed is not None
