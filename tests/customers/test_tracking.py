"""What a customer may know at an instant: the rules alone, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.customers.tracking import Facts, Nearness, track

MIDNIGHT = datetime(2026, 3, 18, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def facts(*, service_date: date, expected: datetime, out: bool = True) -> Facts:
    return Facts(
        order_status="planned",
        service_date=service_date,
        today=MIDNIGHT.date(),
        stop_status="planned",
        is_out=out,
        stops_before=9,
        eta=(expected, expected - 5 * MINUTE, expected + 5 * MINUTE),
    )


@pytest.mark.parametrize(
    ("days", "minutes_ahead", "out", "status"),
    [
        pytest.param(-1, 60, True, "out", id="round goes on after midnight"),
        pytest.param(-1, 10, True, "near", id="and comes near"),
        pytest.param(-1, -300, True, "planned", id="shift that nobody ended"),
        pytest.param(-1, 60, False, "planned", id="driver not on the road"),
        pytest.param(0, 60, True, "out", id="today"),
        pytest.param(1, 60, True, "planned", id="moved to tomorrow"),
    ],
)
def test_track_follows_a_round_past_midnight(
    days: int, minutes_ahead: int, out: bool, status: str
) -> None:
    now = MIDNIGHT + 20 * MINUTE
    given = facts(
        service_date=MIDNIGHT.date() + timedelta(days=days),
        expected=now + minutes_ahead * MINUTE,
        out=out,
    )
    told = track(given, Nearness(), now)
    assert told.status == status
    assert told.is_live == (status != "planned")
