"""The benchmark in small: planted truths are found, and noise is left undecided."""

from tests.bench.verdicts import main


def test_planted_truth_is_found_and_noise_left_alone() -> None:
    found = main(["--days", "12", "--orders", "36", "--drivers", "3", "--seed", "11"])
    assert found["decidable"] >= 15
    assert found["right_pct"] >= 90
    assert found["inside_noise"] >= 15
    assert found["abstained_inside_noise_pct"] >= 90
    assert found["opposite_pct"] == 0
    assert found["naive_right_pct"] < found["right_pct"]
    assert set(found["by_kind"]) == {
        *("sequence", "give_stop", "take_off", "skip_stop", "end_shift_early"),
        *("extra_break", "change_vehicle", "change_window"),
    }
    assert found["held_back"] >= 10
    assert found["held_back_undecided_pct"] == 100
