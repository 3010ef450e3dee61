"""When did it happen: by the steady clock where it is known, else by the wall."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.sync.moments import (
    WALL_KNOWN_MS,
    WALL_UNKNOWN_MS,
    Anchor,
    Moment,
    Reading,
    moment_of,
    wall_offset_ms,
)

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)
BORN = NOON - timedelta(days=30)
MINUTE = 60_000


def moment(reading: Reading, *anchors: Anchor, offset_ms: int | None = None) -> Moment:
    return moment_of(
        reading,
        anchors=anchors,
        offset_ms=offset_ms,
        earliest_at=BORN,
        received_at=NOON,
    )


def test_moment_of_same_boot_counts_from_the_anchor() -> None:
    anchor = Anchor("b", 5 * MINUTE, NOON - timedelta(minutes=30), 200)
    found = moment(Reading("b", 15 * MINUTE, NOON - timedelta(days=9)), anchor)
    assert found == Moment(NOON - timedelta(minutes=20), 100 + 30, "mono")


def test_moment_of_before_the_anchor_counts_backwards() -> None:
    anchor = Anchor("b", 15 * MINUTE, NOON, 0)
    found = moment(Reading("b", 5 * MINUTE, None), anchor)
    assert found == Moment(NOON - timedelta(minutes=10), 30, "mono")


def test_moment_of_several_anchors_takes_the_surest() -> None:
    far = Anchor("b", 0, NOON - timedelta(minutes=61), 0)
    slow = Anchor("b", 50 * MINUTE, NOON - timedelta(minutes=10), 9000)
    near = Anchor("b", 40 * MINUTE, NOON - timedelta(minutes=20), 40)
    found = moment(Reading("b", 50 * MINUTE, None), far, slow, near)
    assert found == Moment(NOON - timedelta(minutes=10), 50, "mono")


def test_moment_of_another_boot_takes_the_wall_less_its_offset() -> None:
    anchor = Anchor("old", 0, NOON, 0)
    reading = Reading("new", 5, NOON - timedelta(minutes=5))
    assert moment(reading, anchor, offset_ms=2 * MINUTE) == Moment(
        NOON - timedelta(minutes=7), WALL_KNOWN_MS, "wall"
    )
    assert moment(reading, anchor) == Moment(
        NOON - timedelta(minutes=5), WALL_UNKNOWN_MS, "wall"
    )


def test_moment_of_a_wall_clock_at_its_epoch_is_not_before_the_device() -> None:
    reading = Reading("", None, datetime(1970, 1, 1, tzinfo=UTC))
    assert moment(reading).occurred_at == BORN


def test_moment_of_no_clock_at_all_is_when_it_came() -> None:
    assert moment(Reading("", None, None)).occurred_at == NOON
    assert moment(Reading("", None, None)).quality == "received"


def test_wall_offset_is_known_by_the_steady_clock_alone() -> None:
    anchor = Anchor("b", 0, NOON - timedelta(minutes=1), 10)
    reading = Reading("b", 0, NOON)
    assert wall_offset_ms(reading, moment(reading, anchor)) == MINUTE
    assert wall_offset_ms(reading, moment(reading)) is None


instants = st.datetimes(timezones=st.just(UTC))


@given(
    st.one_of(st.none(), st.integers(0, 2**53)),
    st.one_of(st.none(), instants),
    st.lists(
        st.builds(
            Anchor,
            st.sampled_from("ab"),
            st.integers(0, 2**53),
            instants,
            st.integers(0, 2**31 - 1),
        ),
        max_size=4,
    ),
    st.one_of(st.none(), st.integers(-(2**62), 2**62)),
)
def test_moment_is_never_after_its_receipt(
    mono_ms: int | None,
    wall_at: datetime | None,
    anchors: list[Anchor],
    offset_ms: int | None,
) -> None:
    reading = Reading("a", mono_ms, wall_at)
    found = moment(reading, *anchors, offset_ms=offset_ms)
    assert found.occurred_at <= NOON
    assert 0 <= found.uncertainty_ms <= 2**31 - 1
