"""Where a device was: the wire form, the clocks, the shift, and repeats."""

import gzip
import json
import math
from datetime import timedelta
from typing import Any

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.units import epoch_ms
from apps.drivers import services as drivers
from apps.drivers.models import Position
from apps.drivers.selectors import last_position
from apps.sync.tracks import write_column
from apps.sync.wire import MAX_BODY
from tests.sync.builders import Day, Handheld, enrol, publish_day

pytestmark = pytest.mark.django_db

POSITIONS = "/api/sync/v1/positions"


def at_work() -> tuple[Day, Handheld]:
    """A driver whose shift began an hour ago."""
    now = clock.now()
    day = publish_day(now=now - timedelta(hours=1))
    drivers.start_shift(
        shift_id=day.shift.pk, occurred_at=day.shift.starts_at, by=SYSTEM, now=now
    )
    return day, enrol(day.driver)


def track_of(fixes: int, *, every_ms: int = 5000, boot: str = "b1") -> dict[str, Any]:
    """A drive in circles; the first fix half an hour into the boot."""
    turns = [number / 20 for number in range(fixes)]
    return {
        "boot_id": boot,
        "mono_ms": write_column([1_800_000 + every_ms * n for n in range(fixes)]),
        "lat_e6": write_column([49_512_600 + round(900 * math.sin(t)) for t in turns]),
        "lon_e6": write_column([11_282_300 + round(900 * math.cos(t)) for t in turns]),
        "accuracy_m": write_column([6 + n % 3 for n in range(fixes)]),
    }


def anchored(boot: str = "b1", *, minutes_ago: int = 30) -> dict[str, Any]:
    """An anchor: the first fix of `track_of` was so many minutes ago."""
    at = clock.now() - timedelta(minutes=minutes_ago)
    anchor = {"boot_id": boot, "mono_ms": 1_800_000, "rtt_ms": 40}
    return {"anchors": [{**anchor, "server_time": at.isoformat()}]}


def send(device: Handheld, body: Any, *, zipped: bool = False) -> Any:
    device.sign(device.session_token)
    raw: Any = json.dumps(body).encode()
    raw = gzip.compress(raw) if zipped else raw
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    return device.client.generic(
        "POST",
        POSITIONS,
        raw,
        content_type="application/json",
        headers=headers,
    )


def told(response: Any) -> dict[str, int]:
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = json.loads(response.content)
    answer.pop("server_time")
    return answer


def test_positions_are_kept_with_the_instants_of_the_anchor() -> None:
    day, device = at_work()

    answer = told(send(device, {"tracks": [track_of(10)], "device": anchored()}))

    assert answer == {"stored": 10, "repeated": 0, "outside_shift": 0, "undated": 0}
    newest, *_, oldest = Position.objects.filter(driver=day.driver)
    half_an_hour_ago = epoch_ms(clock.now()) - 1_800_000
    assert abs(oldest.occurred_ms - half_an_hour_ago) < 60_000
    assert newest.occurred_ms - oldest.occurred_ms == 45_000
    assert (oldest.lat_e6, oldest.lon_e6) == (49_512_600, 11_283_200)
    assert (oldest.accuracy_m, oldest.speed_cm_s) == (6, None)
    assert last_position(day.driver.pk) == newest


def test_repeated_positions_are_one_row_in_any_order() -> None:
    _, device = at_work()
    track = track_of(6)
    newest_first = {
        **track,
        **{
            name: write_column(_values(track[name])[::-1])
            for name in ("mono_ms", "lat_e6", "lon_e6", "accuracy_m")
        },
    }

    first = told(send(device, {"tracks": [newest_first], "device": anchored()}))
    again = told(send(device, {"tracks": [track, track_of(8)], "device": anchored()}))

    assert first["stored"] == 6
    assert (again["stored"], again["repeated"]) == (2, 12)
    assert Position.objects.count() == 8


def _values(column: list[int]) -> list[int]:
    values: list[int] = []
    for step in column:
        values.append(step + (values[-1] if values else 0))
    return values


def test_positions_outside_of_the_shift_are_not_kept() -> None:
    day, device = at_work()
    an_hour = track_of(60, every_ms=60_000)

    answer = told(
        send(device, {"tracks": [an_hour], "device": anchored(minutes_ago=90)})
    )

    assert answer["stored"] == 30
    assert answer["outside_shift"] == 30
    drivers.end_shift(
        shift_id=day.shift.pk,
        occurred_at=clock.now() - timedelta(minutes=20),
        by=SYSTEM,
        now=clock.now(),
    )
    later = told(
        send(
            device,
            {
                "tracks": [track_of(30, every_ms=60_000, boot="b2")],
                "device": anchored("b2", minutes_ago=30),
            },
        )
    )
    assert (later["stored"], later["outside_shift"]) == (10, 20)


def test_positions_without_an_anchor_go_by_the_wall_clock_or_are_undated() -> None:
    day, device = at_work()
    ten_ago = clock.now() - timedelta(minutes=10)
    by_wall = {**track_of(4, boot="b7"), "wall_ms": epoch_ms(ten_ago)}

    answer = told(send(device, {"tracks": [track_of(3, boot="b8"), by_wall]}))

    assert (answer["stored"], answer["undated"]) == (4, 3)
    oldest = Position.objects.filter(driver=day.driver).last()
    assert oldest is not None
    assert oldest.occurred_ms == epoch_ms(ten_ago)


def test_positions_are_never_later_than_they_were_received() -> None:
    day, device = at_work()
    ahead = {**track_of(2), "wall_ms": epoch_ms(clock.now()) + 86_400_000}

    assert told(send(device, {"tracks": [ahead]}))["stored"] == 2

    newest = last_position(day.driver.pk)
    assert newest is not None
    assert newest.occurred_ms <= epoch_ms(clock.now())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lat_e6": [1, 2]}, "lat_e6 has 2 entries and mono_ms 3"),
        ({"lat_e6": [91_000_000, 0, 0]}, "lat_e6 leaves the range"),
        ({"lon_e6": [179_000_000, 2_000_000, 0]}, "lon_e6 leaves the range"),
        ({"mono_ms": [2**53, 2**53, 0]}, "mono_ms leaves the range"),
        ({"heading_deg": [90]}, "heading_deg has 1 entries"),
    ],
)
def test_track_that_does_not_fit_together_is_refused(
    change: dict[str, Any], message: str
) -> None:
    _, device = at_work()
    good = track_of(3)

    response = send(
        device, {"tracks": [good, {**good, **change}], "device": anchored()}
    )

    assert response.status_code == 400
    (fault,) = json.loads(response.content)["errors"]
    assert fault["pointer"] == "/tracks/1"
    assert message in fault["detail"]
    assert not Position.objects.exists()


def test_eight_hours_weigh_less_than_forty_kilobytes() -> None:
    body = {"tracks": [track_of(8 * 3600 // 5)], "device": anchored()}

    assert len(gzip.compress(json.dumps(body).encode())) < 40_000


def test_compressed_body_is_taken_and_a_broken_one_refused() -> None:
    _, device = at_work()
    body = {"tracks": [track_of(100)], "device": anchored()}

    assert told(send(device, body, zipped=True))["stored"] == 100

    device.sign(device.session_token)
    bodies: list[tuple[Any, int]] = [
        (b"not gzip", 400),
        (gzip.compress(json.dumps(body).encode())[:-20], 400),
        (gzip.compress(b" " * (MAX_BODY + 1)), 413),
    ]
    for raw, status in bodies:
        response = device.client.generic(
            "POST",
            POSITIONS,
            raw,
            content_type="application/json",
            headers={"Content-Encoding": "gzip"},
        )
        assert response.status_code == status, response.content


def test_too_many_fixes_are_refused() -> None:
    _, device = at_work()
    many = {"tracks": [track_of(10_001), track_of(10_000)], "device": anchored()}

    assert send(device, many).status_code == 413


def test_positions_need_a_device(client: Any) -> None:
    response = client.post(POSITIONS, "{}", content_type="application/json")

    assert response.status_code == 401
