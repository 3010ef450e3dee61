"""Past days of every kind are replayed: those planned in parts, and the width of told times."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from apps.core.actors import SYSTEM
from apps.core.roles import SUPERVISOR
from apps.recommendations.services import issue
from apps.routes import largedays
from apps.routes.calibrationrows import EtaCalibration, StopTelling
from apps.routes.conformal import EVERYTHING
from apps.routes.models import Stop
from apps.routes.parameters import CONFORMAL, DEFAULTS, SPREAD
from apps.tuning import tasks
from apps.tuning.intervals import replay_intervals
from apps.tuning.models import Proposal, ShadowDay
from apps.tuning.pastdays import CannotReplay, past_day, past_parts
from apps.tuning.services import shadowing
from apps.tuning.shadow import replay_day
from tests.factories import NOW
from tests.office import make_user, signed_in
from tests.tuning.town import SLOW, Town, parameter_draft

FIRST = date(2026, 3, 2)
LEARNED = replace(DEFAULTS, eta_interval=CONFORMAL)

pytestmark = pytest.mark.django_db


@pytest.fixture
def large_town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """Drive a day that was planned in parts, by streets half as slow again as foretold."""
    for name, value in (
        ("LARGE_ORDERS", 12),
        ("JOBS_A_PART", 6),
        ("SEARCH_S_AN_ORDER", 0.0),
    ):
        monkeypatch.setattr(largedays, name, value)
    town = Town(lambda day, zone: 1.0, orders=14, shifts=3, pace=1.5)
    town.live(FIRST)
    return town


def propose(town: Town, values: dict[str, Any], topic: str) -> Proposal:
    draft = parameter_draft(town.depot, values)
    return Proposal.objects.create(
        recommendation=issue(draft, by=SYSTEM, now=NOW),
        depot=town.depot,
        topic=topic,
        values=values,
        before={name: getattr(DEFAULTS, name) for name in values},
        proposed_at=town.at(FIRST + timedelta(days=1), time(2, 0)),
        proposed_by=str(SYSTEM),
    )


def test_parts_of_a_large_day_share_nothing_and_leave_nothing_out(
    large_town: Town,
) -> None:
    with pytest.raises(CannotReplay, match="in parts"):
        past_day(large_town.depot, FIRST)
    parts = past_parts(large_town.depot, FIRST)
    assert len(parts) > 1
    jobs = [job.id for part in parts for job in part.request.problem.jobs]
    cars = [car.id for part in parts for car in part.request.problem.vehicles]
    assert len(jobs) == len(set(jobs)) == 14
    assert len(cars) == len(set(cars))


def test_large_day_is_replayed_part_by_part_and_counts_as_one_day(
    large_town: Town,
) -> None:
    honest = {"travel_c_s": 1.5 * DEFAULTS.travel_c_s}
    row = propose(large_town, honest, "travel")
    shadowing.begin_shadow(row.pk, [FIRST], by=SYSTEM, now=row.proposed_at)
    parts = past_parts(large_town.depot, FIRST)
    for number in range(len(parts)):
        day = ShadowDay.objects.get(proposal=row)
        assert day.status == "waiting"
        assert len(shadowing.parts_done(day)) == number
        tasks.replay_next(proposal_id=str(row.pk))
    day = ShadowDay.objects.get(proposal=row)
    assert day.status == "done"
    old, new = tasks.values_of(row)
    each = [replay_day(part, old, new) for part in parts]
    for name in ("cost_minor", "late_min", "legs"):
        total = sum(part.after[name] for part in each)
        assert day.after[name] == pytest.approx(total, abs=0.01)
    assert day.seen_services == sum(part.seen_services for part in each) == 14
    assert day.after["leg_error_s"] < 0.5 * day.before["leg_error_s"]


def test_part_that_is_noted_twice_counts_once(large_town: Town) -> None:
    row = propose(large_town, {"travel_c_s": 300.0}, "travel")
    shadowing.begin_shadow(row.pk, [FIRST], by=SYSTEM, now=row.proposed_at)
    day = ShadowDay.objects.get(proposal=row)
    old, new = tasks.values_of(row)
    found = replay_day(past_parts(large_town.depot, FIRST)[0], old, new)
    for _ in range(2):
        done = shadowing.note_part(day.pk, 0, found, by=SYSTEM, now=row.proposed_at)
    assert len(done) == 1


# ── the width of told times ──────────────────────────────────────────────────
SPREAD_S = 60.0


@pytest.fixture
def told_town() -> Town:
    """A town of which five days' times came true six minutes off, either way."""
    town = Town(lambda day, zone: 1.0, orders=6, shifts=1)
    EtaCalibration.objects.create(
        depot=town.depot,
        version=1,
        made_at=town.at(FIRST, time(0, 0)) - timedelta(hours=1),
        count=100,
        margins={EVERYTHING: [-7.0, 7.0, 7.0]},
    )
    town.live(FIRST)
    stops = list(Stop.objects.filter(route__depot=town.depot))
    for stop, number in zip(stops, range(5), strict=False):
        at = town.at(FIRST + timedelta(days=number), time(9, 0))
        # One row a stop: each tells five times of its day.
        told = {str(band): _telling(at.timestamp()) for band in range(5)}
        StopTelling.objects.update_or_create(
            stop=stop,
            defaults={
                "depot": town.depot,
                "route_id": str(stop.route_id),
                "zone": SLOW,
                "told": told,
                "arrived_at": at + timedelta(minutes=6 if number % 2 else -6),
            },
        )
    StopTelling.objects.exclude(stop__in=stops[:5]).delete()
    return town


def _telling(at_s: float) -> dict[str, float]:
    ends = {"arrives_s": at_s, "low_s": at_s - 99, "high_s": at_s + 99}
    basis = {"spread_s": SPREAD_S, "ahead_s": 900.0, "shift": 0.0, "stretch": 1.0}
    return {**ends, **basis, "hour": 9}


def test_width_of_told_times_is_replayed_by_what_was_known_before(
    told_town: Town,
) -> None:
    before, after = replay_intervals(told_town.depot, FIRST, DEFAULTS, LEARNED)
    half_s = 1.645 * SPREAD_S
    assert before["interval_width_s"] == pytest.approx(2 * half_s, abs=0.1)
    assert before["interval_held_pct"] == 0
    assert before["interval_score_s"] == pytest.approx(
        2 * half_s + 20 * (360 - half_s), abs=0.1
    )
    assert after == {
        "interval_score_s": 840.0,
        "interval_width_s": 840.0,
        "interval_held_pct": 100.0,
    }
    early = FIRST - timedelta(days=1)
    with pytest.raises(CannotReplay, match="times were told"):
        replay_intervals(told_town.depot, early, DEFAULTS, LEARNED)
    EtaCalibration.objects.update(made_at=told_town.at(FIRST, time(12, 0)))
    with pytest.raises(CannotReplay, match="No errors had been learned"):
        replay_intervals(told_town.depot, FIRST, DEFAULTS, LEARNED)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [(SPREAD, CONFORMAL, "wins"), (CONFORMAL, SPREAD, "loses")],
)
def test_width_of_told_times_is_judged_like_any_other_change(
    told_town: Town, old: str, new: str, verdict: str
) -> None:
    row = propose(told_town, {"eta_interval": new}, "eta_interval")
    Proposal.objects.update(before={"eta_interval": old})
    dates = [FIRST + timedelta(days=number) for number in range(5)]
    shadowing.begin_shadow(row.pk, dates, by=SYSTEM, now=row.proposed_at)
    for _ in range(6):
        tasks.replay_next(proposal_id=str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.shadow["verdict"]) == ("shadow_tested", verdict)
    assert (row.shadow["days"], row.shadow["error"]) == (5, "interval_score_s")
    assert "told times held" in row.shadow["text"]
    client = signed_in(make_user(SUPERVISOR, told_town.depot))
    page = client.get(f"/admin/tuning/proposal/{row.pk}/change/").content.decode()
    assert "Interval score of a told time" in page
