"""The demo's clock: set, standing, let go; and the ids that follow the machine's."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core import clock
from apps.core.ids import uuid7

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def demo(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "demo_clock.json"
    settings.DEMO_CLOCK_FILE = str(path)
    return path


def test_clock_stands_until_it_is_let_go(demo: Path) -> None:
    clock.set_demo_time(NOON, stands=True)
    assert clock.now() == clock.now() == NOON
    assert clock.stands()
    clock.set_demo_time(NOON)
    assert NOON <= clock.now() < NOON + timedelta(seconds=30)
    assert not clock.stands()
    clock.forget_demo_time()
    assert abs(clock.now() - NOON) > timedelta(minutes=1)


def test_clock_that_nobody_sets_any_more_goes_on(demo: Path) -> None:
    clock.set_demo_time(NOON, stands=True)
    held = json.loads(demo.read_text())
    long_ago = timedelta(seconds=clock.STANDS_FOR_S + 60)
    set_at = datetime.fromisoformat(held["set_at"]) - long_ago
    demo.write_text(json.dumps({**held, "set_at": set_at.isoformat()}))
    assert not clock.stands()
    assert clock.now() >= NOON + long_ago


def test_clock_cannot_be_set_outside_the_demo(settings: Settings) -> None:
    settings.DEMO_CLOCK_FILE = None
    with pytest.raises(RuntimeError, match="demo"):
        clock.set_demo_time(NOON)
    assert not clock.stands()


def test_uuid7_sorts_as_it_was_made() -> None:
    made = [uuid7() for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(each.version, each.variant) for each in made} == {
        (7, "specified in RFC 4122")
    }
