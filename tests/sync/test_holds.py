"""A driver's device shows what people hold fast of its day: by whom, and until when."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import translation

from apps.core.actors import user_actor
from apps.routes.changes import GiveStop, LockRoute, MoveStop, PinStop, UnlockRoute
from apps.routes.impact import apply_change, impact_of
from apps.sync import feeds
from tests.overrides.days import ASKED, Scene, make_scene
from tests.sync.builders import Handheld, enrol

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    with time_machine.travel(ASKED, tick=False):
        yield make_scene()


def decide(scene: Scene, change: object, by: object = None) -> None:
    actor = by or user_actor(scene.user("Supervisor"))
    impact = impact_of(change, now=ASKED)  # type: ignore[arg-type]
    apply_change(
        change,  # type: ignore[arg-type]
        expected_version=impact.version,
        by=actor,  # type: ignore[arg-type]
        now=ASKED,
    )


def same_as_snapshot(device: Handheld) -> None:
    device.pull()
    assert device.tables == device.snapshot()


def test_pinned_stop_says_what_is_held_by_whom_and_why(scene: Scene) -> None:
    device = enrol(scene.routes[0].driver)
    device.pull()
    first, second = scene.stops()[:2]
    ends = ASKED + timedelta(hours=5)
    pin = PinStop(
        stop_id=str(second.pk), at_place=True, until_at=ends, reason="Key is there"
    )
    decide(scene, pin)
    same_as_snapshot(device)
    row = device.tables["stops"][str(second.pk)]
    name = scene.user("Supervisor").username
    pins = json.loads(row["pins"])
    assert [(one["kind"], one["by"], one["is_yours"]) for one in pins] == [
        ("place", name, False),
        ("time", name, False),
    ]
    assert pins[1]["before_at"] == round(ends.timestamp() * 1000)
    assert pins[0]["why"] == "Key is there"
    assert f"Pinned by {name}: it stays at its place" in row["pin_text"]
    assert f"Pinned by {name}: begin before " in row["pin_text"]
    other = device.tables["stops"][str(first.pk)]
    assert (other["pins"], other["pin_text"]) == ("[]", "")
    decide(scene, PinStop(stop_id=str(second.pk), is_released=True))
    same_as_snapshot(device)
    row = device.tables["stops"][str(second.pk)]
    assert (row["pins"], row["pin_text"]) == ("[]", "")


def test_own_pin_is_told_as_ones_own(scene: Scene) -> None:
    route = scene.routes[0]
    first, second = scene.stops()[:2]
    move = MoveStop(stop_id=str(second.pk), before_stop_id=str(first.pk))
    decide(scene, move, by=scene.driver())
    with translation.override("de"):
        [row] = feeds.stops(route.driver_id, [str(second.pk)]).values()
    assert json.loads(row["pins"])[0]["is_yours"]
    assert row["pin_text"].startswith("Festgehalten von dir: Er bleibt an seinem Platz")


def test_stop_that_was_given_away_is_pinned_on_the_takers_device(scene: Scene) -> None:
    giver, taker = (enrol(route.driver) for route in scene.routes)
    giver.pull()
    taker.pull()
    last = scene.stops()[-1]
    decide(
        scene, GiveStop(stop_id=str(last.pk), shift_id=str(scene.routes[1].shift_id))
    )
    same_as_snapshot(giver)
    same_as_snapshot(taker)
    assert str(last.pk) not in giver.tables["stops"]
    row = taker.tables["stops"][str(last.pk)]
    assert [one["kind"] for one in json.loads(row["pins"])] == ["driver"]
    assert "it stays with you" in row["pin_text"]


def test_locked_route_says_by_whom_and_until_when(scene: Scene) -> None:
    device = enrol(scene.routes[0].driver)
    device.pull()
    route_id = str(scene.routes[0].pk)
    assert device.tables["routes"][route_id]["is_locked"] is False
    until = ASKED + timedelta(hours=3)
    decide(scene, LockRoute(route_id=route_id, until_at=until, reason="Full van"))
    same_as_snapshot(device)
    row = device.tables["routes"][route_id]
    name = scene.user("Supervisor").username
    assert (row["is_locked"], row["locked_by"]) == (True, name)
    assert row["locked_until_at"] == round(until.timestamp() * 1000)
    assert row["lock_text"].startswith(f"Locked by {name} until ")
    assert "“Full van”" in row["lock_text"]
    decide(scene, UnlockRoute(route_id=route_id))
    same_as_snapshot(device)
    row = device.tables["routes"][route_id]
    assert (row["is_locked"], row["locked_until_at"], row["lock_text"]) == (
        False,
        None,
        "",
    )


def test_device_of_schema_six_is_not_sent_pins_nor_locks(scene: Scene) -> None:
    device = enrol(scene.routes[0].driver)
    page = device.get(schema_version=6).json()
    [route] = page["changes"]["routes"]["updated"]
    assert not {"is_locked", "locked_by", "locked_until_at", "lock_text"} & route.keys()
    assert all("pins" not in row for row in page["changes"]["stops"]["updated"])
    migrated = device.get(
        schema_version=7,
        last_pulled_at=page["timestamp"],
        migration=json.dumps(
            {
                "from": 6,
                "tables": [],
                "columns": [{"table": "stops", "columns": ["pins", "pin_text"]}],
            }
        ),
    ).json()
    rows = migrated["changes"]["stops"]["updated"]
    assert len(rows) == len(scene.stops())
    assert all(row["pins"] == "[]" for row in rows)
