"""Truth, outages and the digest: chance that is the same every time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.training.fleet.journey import Fact
from apps.training.fleet.pacing import Pace
from apps.training.fleet.reporting import digest_of
from apps.training.fleet.signals import is_out, outages
from apps.training.fleet.truths import TownTruths, Truth, TwinTruths, Visit
from apps.training.town.generate import make_town

AT = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
DAY = date(2026, 3, 17)
LAUF, NUREMBERG = (49.5126, 11.2823), (49.4541, 11.0775)


def visit(reference: str, pieces: int = 2) -> Visit:
    hour = timedelta(hours=1)
    windows = ((AT - hour, AT + hour), (AT + 4 * hour, AT + 5 * hour))
    return Visit(reference, LAUF, pieces, windows)


def test_visit_knows_its_windows() -> None:
    found = visit("A-1")
    assert found.is_open(AT)
    assert found.opens_after(AT) is None
    assert found.opens_after(AT + timedelta(hours=2)) == AT + timedelta(hours=4)
    assert found.opens_after(AT + timedelta(hours=9)) is None
    assert Visit("A-2", LAUF, 1, ()).is_open(AT)


def test_twin_repeats_itself_for_one_seed_alone() -> None:
    one, again = TwinTruths(7, "Europe/Berlin"), TwinTruths(7, "Europe/Berlin")
    other = TwinTruths(8, "Europe/Berlin")

    def day_of(truth: TwinTruths) -> list[object]:
        return [
            (
                truth.travel_s(LAUF, NUREMBERG, AT, by_bike=False),
                truth.service_s(visit(f"A-{n}"), "D01", DAY),
                truth.outcome(visit(f"A-{n}"), AT),
            )
            for n in range(200)
        ]

    assert day_of(one) == day_of(again) != day_of(other)


def test_twin_fails_one_in_twenty_and_takes_longer_for_more() -> None:
    truth = TwinTruths(7, "Europe/Berlin")
    ends = [truth.outcome(visit(f"A-{n}"), AT).kind for n in range(4_000)]
    assert ends.count("stop.failed") == pytest.approx(200, abs=45)
    assert ends.count("stop.partial") == pytest.approx(120, abs=40)
    few = sum(truth.service_s(visit(f"A-{n}", 1), "D01", DAY) for n in range(100))
    many = sum(truth.service_s(visit(f"A-{n}", 9), "D01", DAY) for n in range(100))
    assert many > 2 * few


@pytest.mark.parametrize(
    "truth", [TownTruths(make_town(7)), TwinTruths(7, "Europe/Berlin")]
)
def test_way_begins_and_ends_where_it_should(truth: Truth) -> None:
    town = make_town(7)
    here, there = town.addresses[10].place, town.addresses[900].place
    assert truth.between(here, there, 0.0) == pytest.approx(here, abs=1e-6)
    assert truth.between(here, there, 1.0) == pytest.approx(there, abs=1e-6)
    assert truth.between(here, here, 0.5) == here
    assert truth.travel_s(here, here, AT, by_bike=False) == 1


def test_town_has_no_signal_in_its_dead_zones() -> None:
    town = make_town(7)
    truth = TownTruths(town)
    dark = [a.place for a in town.addresses if not truth.has_signal(a.place)]
    assert 0 < len(dark) < len(town.addresses) / 4


def test_outages_are_the_drivers_own() -> None:
    ends_at = AT + timedelta(hours=10)
    found = outages(7, "D01", AT, ends_at)
    assert found == outages(7, "D01", AT, ends_at) != outages(7, "D02", AT, ends_at)
    assert all(AT < each.begins_at < each.ends_at for each in found)
    middle = found[0].begins_at + (found[0].ends_at - found[0].begins_at) / 2
    assert is_out(found, middle)
    assert not is_out(found, found[0].ends_at)
    assert not is_out(found, AT)


def test_digest_tells_days_apart_by_what_happened_and_when() -> None:
    facts = [Fact(AT, "D01", "stop.arrived", "A-1"), Fact(AT, "D02", "shift.started")]
    assert digest_of(facts) == digest_of(reversed(facts))
    later = Fact(AT + timedelta(seconds=1), "D01", "stop.arrived", "A-1")
    assert digest_of(facts) != digest_of([later, facts[1]])


def test_pace_shows_each_instant_once_and_holds_the_speed() -> None:
    shown: list[datetime] = []
    pace = Pace(3_600, shown.append)
    assert not pace.has_begun
    with pytest.raises(RuntimeError, match="not begun"):
        pace.now()
    for minutes in (0, 0, 10, 20):
        pace.advance(AT + timedelta(minutes=minutes))
        pace.show()
    assert shown == [AT, AT + timedelta(minutes=10), AT + timedelta(minutes=20)]
    assert pace.reached() <= 3_600
    assert Pace(0, None).is_shown is False
