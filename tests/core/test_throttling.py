"""Requests are counted in windows: exactly where limits are small, in shares above."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIRequestFactory

from apps.core.throttling import WindowThrottle

SECOND = 1_000_000_020.0
"""A minute begins here."""


class Counted(WindowThrottle):
    """A throttle of one caller, whose clock stands where it is put."""

    def __init__(self, rate: str, at: float = SECOND, who: str = "caller") -> None:
        self.rate, self.at, self.who = rate, at, f"{who}-{rate}"
        super().__init__()

    def timer(self) -> float:
        return self.at

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.who


def let_through(throttle: WindowThrottle, tries: int) -> int:
    request = APIRequestFactory().get("/")
    view = SimpleNamespace()
    return sum(throttle.allow_request(request, view) for _ in range(tries))


@pytest.mark.parametrize("limit", [1, 30, 120, 1200])
def test_throttle_lets_as_many_through_as_the_limit_says(limit: int) -> None:
    throttle = Counted(f"{limit}/min")
    assert let_through(throttle, limit + 50) == limit
    assert throttle.wait() == 60.0


def test_throttle_counts_the_window_before_by_its_part() -> None:
    assert let_through(Counted("30/min"), 30) == 30
    assert let_through(Counted("30/min", SECOND + 60), 30) == 0
    half = Counted("30/min", SECOND + 90)
    assert let_through(half, 30) == pytest.approx(15, abs=1)
    assert let_through(Counted("30/min", SECOND + 240), 40) == 30


def test_throttle_of_a_large_limit_hardly_asks_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    taken = WindowThrottle._taken

    def counted(throttle: WindowThrottle, key: str, window: int, share: int) -> int:
        asked.append(key)
        return taken(throttle, key, window, share)

    monkeypatch.setattr(WindowThrottle, "_taken", counted)
    assert let_through(Counted("1200/min", who="another"), 240) == 240
    assert len(asked) == 20
