"""`bench learning` judges what it says it judges."""

from pathlib import Path

import pytest

from tests.bench import _learning_real, learning
from tests.bench._learning_judge import Judged, Medians, Raw, judged, pooled


def test_best_naive_way_is_named_whichever_it_is() -> None:
    row = judged([10, 20], [11, 20], {"zero": [0, 0], "near": [12, 20]}, unit="s")

    found = row.figures()

    assert (found["ours"], found["naive"], found["naive_is"]) == (0.5, 1.0, "near")
    assert found["better_pct"] == 50.0
    assert found["n"] == 2


def test_towns_are_pooled_by_how_many_were_asked() -> None:
    rows = [Judged(1.0, {"a": 4.0}, 30, "s", 1), Judged(5.0, {"a": 8.0}, 10, "s", 1)]

    whole = pooled(rows)

    assert (whole.ours, whole.naive["a"], whole.n) == (2.0, 5.0, 40)


def test_raw_ways_fall_back_where_a_key_is_new() -> None:
    mean = Raw([("a", 30, 10), ("b", 10, 10)])
    middle = Medians([("a", 3.0), ("b", 1.0), ("b", 1.5)])

    assert (mean("a"), mean("c")) == (3.0, 2.0)
    assert (middle("b"), middle("c")) == (1.25, 1.5)


def test_bench_without_the_real_data_says_so_and_judges_the_towns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LADE", "NYC"):
        monkeypatch.setattr(_learning_real, name, Path("nowhere.csv"))
    argv = [
        "--teaching",
        "4",
        "--days",
        "1",
        "--orders",
        "30",
        "--drivers",
        "2",
        "--towns",
        "1",
    ]

    found = learning.main(argv)["learners"]

    assert found["travel_nyc"] == {"skipped": "nowhere.csv is not here"}
    assert found["service"]["n"] == 30
    assert found["service"]["ours"] < found["service"]["all_naive"]["planned × mean"]
    assert {"zone_order", "success", "travel", "adherence"} <= found.keys()
    assert "nowhere.csv" in capsys.readouterr().err
