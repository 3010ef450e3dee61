"""`bench zoneorder` and `bench adherence` judge what they say they judge."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench import _zoneorder_crossed, _zoneorder_real, adherence
from tests.bench._sequence_score import (
    arcs_shared,
    edit_distance,
    paired_difference,
    score,
    sequence_deviation,
)
from tests.bench._zoneorder_crossed import Folds
from tests.bench._zoneorder_real import Drive, Outcome
from tests.bench._zoneorder_town import judge_town

LINE = np.array([[float(abs(a - b)) for b in range(6)] for a in range(6)])


def test_driven_sequence_itself_scores_nought() -> None:
    assert score([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], LINE) == 0.0


def test_turned_sequence_keeps_its_neighbours_and_is_edited() -> None:
    assert sequence_deviation([1, 2, 3], [3, 2, 1]) == 0.0
    distance, edits = edit_distance([1, 2, 3], [3, 2, 1], LINE)
    assert (distance, edits) == (4.0, 2)


def test_farther_sequence_scores_more() -> None:
    near = score([1, 2, 3, 4, 5], [2, 1, 3, 4, 5], LINE)
    far = score([1, 2, 3, 4, 5], [5, 1, 4, 2, 3], LINE)

    assert 0 < near < far


def test_other_stops_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="other stops"):
        score([1, 2], [1, 3], LINE)


def test_steps_that_both_have_are_counted() -> None:
    assert arcs_shared([0, 1, 2, 3], [0, 1, 3, 2]) == 1


def test_difference_has_an_interval() -> None:
    found = paired_difference([1.0, 2.0, 3.0], [0.5, 1.0, 3.0])

    assert found.mean == pytest.approx(-0.5)
    assert found.low < -0.5 < found.high


def test_choice_for_a_fold_has_seen_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folds = Folds(tuple((Drive(()),) for _ in range(3)))
    seen: list[Drive] = []

    def planned(drive: Drive, *_: object) -> Outcome:
        seen.append(drive)
        return Outcome(score=0.5, arcs=0, steps=1, metres=1)

    def learned(taught: list[Drive], _: object) -> dict[str, object]:
        seen.extend(taught)
        return {}

    monkeypatch.setattr(_zoneorder_crossed, "outcome_of", planned)
    monkeypatch.setattr(_zoneorder_crossed, "order_of", learned)
    assert folds.chosen([0, 2]) is _zoneorder_real.PLAIN
    assert {id(one) for one in seen} == {id(folds.of[0][0]), id(folds.of[2][0])}


def test_missing_data_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_zoneorder_real, "LADE", tmp_path / "none.csv")

    assert _zoneorder_real.judge_real(print) == {"skipped": "none.csv is not here"}


def test_plans_by_the_learned_order_are_nearer_in_a_planted_town() -> None:
    found = judge_town(seeds=[1], teaching=12, days=5, tell=lambda text: None)

    assert found["days"] == 5
    assert found["pairs_right_pct"] > 70
    assert found["score_ours"] < found["score_plain"]


def test_expecting_plans_are_driven_beside_naive_ones() -> None:
    found = adherence.main(
        ["--towns", "1", "--teaching", "4", "--days", "3", "--seed", "1"]
    )

    assert found["days"] == 3
    assert found["share_error_points"] < 15
    assert found["cost_minor"]["ours"] < found["cost_minor"]["naive"]
