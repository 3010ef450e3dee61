"""The benchmark in small: planted truths are found, and noise is left undecided."""

from tests.bench.verdicts import main


def test_planted_truth_is_found_and_noise_left_alone() -> None:
    found = main(["--days", "6", "--orders", "48", "--drivers", "3"])
    assert found["decidable"] >= 8
    assert found["right_pct"] >= 90
    assert found["inside_noise"] >= 8
    assert found["abstained_inside_noise_pct"] >= 85
    assert found["opposite_pct"] == 0
    assert found["naive_right_pct"] < found["right_pct"]
