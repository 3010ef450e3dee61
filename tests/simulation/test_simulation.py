"""Histories without a violation; the same seed is the same history."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.simulation.history import STEPS, run
from tests.simulation.running import run_seeds
from tests.simulation.stage import Base

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 20
SEEDS = 200 if settings.IS_SQLITE else 60
WHOLE_SEEDS = 20
SHORT_STEPS = 10
"""Seeds behind the first ones have short histories: many beginnings, in bearable time."""

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_invariant_is_violated(base: Base, first: int) -> None:
    said: list[str] = []
    seeds = range(first, first + CHUNK)
    steps = STEPS if first < WHOLE_SEEDS else SHORT_STEPS
    outcomes = run_seeds(base, seeds, said.append, steps=steps)
    assert said == []
    # Faults do befall these histories: silence would prove nothing.
    assert sum(sum(each.faults.values()) for each in outcomes) > CHUNK


def test_same_seed_is_the_same_history(base: Base) -> None:
    first, again, other = run(base, 7), run(base, 7), run(base, 8)
    assert first.digest == again.digest
    assert first.steps == again.steps
    assert other.digest != first.digest


def test_command_replays_a_seed_and_counts(base: Base, tmp_path: Path) -> None:
    """Another process, with other hashes of words: the same history all the same."""
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "simulate_sync", "--seeds", "1"),
            *("--first", "7", "--show", "--json"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4242", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    here = run(base, 7)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert f"Seed 7: {here.digest}" in lines
    assert json.loads(lines[-1]) == {
        "seeds": 1,
        "operations": here.operations,
        "violations": 0,
        "mutants": 0,
        "killed": 0,
    }
