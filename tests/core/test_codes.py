"""One spelling for what people write in many."""

import pytest

from apps.core.codes import code_of, codes_of


@pytest.mark.parametrize("text", ["Cool box", "cool_box", "COOL-BOX", " cool  box "])
def test_code_of_many_spellings_is_one(text: str) -> None:
    assert code_of(text) == "cool-box"


def test_codes_of_are_sorted_and_each_once() -> None:
    assert codes_of(["Tail lift", "cool box", "tail_lift", "—"]) == (
        "cool-box",
        "tail-lift",
    )
