"""Routes driven without each of their stops: the closed form against stop by stop."""

import numpy as np
import pytest
from numpy.typing import NDArray

from apps.routes.solver.driving import earliest_on, latest_back
from apps.routes.solver.routestate import NEVER

Integers = NDArray[np.int64]


def _drawn(seed: int) -> tuple[Integers, Integers, Integers, Integers]:
    """Draw ways, services, and one window for each stop; a third have none."""
    chance = np.random.default_rng(seed)
    depth, count, cases = chance.integers(1, 9, size=3)
    ways = chance.integers(0, 300, size=(depth + 1, count, cases))
    services = chance.integers(0, 60, size=(depth, count, cases))
    firsts = chance.integers(0, 2500, size=(1, depth, count, cases))
    lasts = firsts + chance.integers(0, 900, size=firsts.shape)
    free = chance.random(firsts.shape) < 1 / 3
    firsts[free], lasts[free] = -NEVER, NEVER
    return ways, services, firsts, lasts


@pytest.mark.parametrize("seed", range(20))
def test_earliest_on_is_the_same_stop_by_stop(seed: int) -> None:
    ways, services, firsts, _ = _drawn(seed)
    ready = np.arange(ways.shape[1])[:, None] * 7
    never_late = np.full_like(firsts, NEVER)
    found = earliest_on(ready, ways, services, firsts, never_late)
    now = np.broadcast_to(ready, ways.shape[1:]).copy()
    assert (found[0] == now).all()
    for stop in range(len(services)):
        now = np.maximum(now + ways[stop], firsts[0, stop]) + services[stop]
        assert (found[stop + 1] == now).all()


@pytest.mark.parametrize("seed", range(20))
def test_latest_back_is_the_same_stop_by_stop(seed: int) -> None:
    ways, services, firsts, lasts = _drawn(seed)
    backs = ways[1:] + services
    closes = np.full((ways.shape[1], 1), 2000)
    found = latest_back(closes, backs, firsts, lasts)
    until = np.broadcast_to(closes, backs.shape[1:]).copy()
    hopeless = 0
    for stop in range(len(backs) - 1, -1, -1):
        bound = until - backs[stop]
        late = (firsts[0, stop] > bound) | (bound < -NEVER // 2)
        until = np.where(late, -NEVER, np.minimum(bound, lasts[0, stop]))
        assert (found[stop][~late] == until[~late]).all()
        assert (found[stop][late] < -NEVER // 2).all()
        hopeless += int(late.sum())
    assert len(backs) < 4 or hopeless, "no case in which time runs out"


@pytest.mark.parametrize("seed", range(5))
def test_several_windows_of_which_all_are_one_say_the_same(seed: int) -> None:
    ways, services, firsts, lasts = _drawn(seed)
    ready = np.zeros((ways.shape[1], 1), dtype=np.int64)
    lasts = np.where(firsts < 0, lasts, NEVER)
    twice = np.concatenate([firsts, firsts]), np.concatenate([lasts, lasts])
    assert (
        earliest_on(ready, ways, services, *twice)
        == earliest_on(ready, ways, services, firsts, lasts)
    ).all()
    closes = np.full((ways.shape[1], 1), 2000)
    backs = ways[1:] + services
    one, two = (
        latest_back(closes, backs, firsts, lasts),
        latest_back(closes, backs, *twice),
    )
    assert (np.maximum(one, -1) == np.maximum(two, -1)).all()
