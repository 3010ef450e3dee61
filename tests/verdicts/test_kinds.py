"""Each kind of override is judged by what it is about, or says why it cannot be."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.actors import SYSTEM
from apps.core.ids import uuid7
from apps.drivers.models import ShiftBreak
from apps.journal.services import writing
from apps.overrides.models import Override
from apps.overrides.states import OverrideKind
from apps.recommendations.services import Draft, issue, stored_answer, stored_inputs
from apps.routes.models import Route, Stop
from apps.routes.states import RouteState, StopState
from apps.verdicts.models import Verdict
from apps.verdicts.services.judging import judge_shift
from apps.verdicts.words import WORDS, to_the_driver, why
from tests.factories import NOW, SERVICE_DATE, VehicleFactory
from tests.verdicts.days import AFTER, LEG, SERVICE, Driven, make_driven, overridden

pytestmark = pytest.mark.django_db

ALONG = (1, 2, 3, 4, 5, 6)
ZIGZAG = (4, 1, 5, 2, 6, 3)
DAY = timedelta(days=1)


def judged(driven: Driven, now: Any = AFTER) -> list[Verdict]:
    return judge_shift(driven.shift, by=SYSTEM, now=now)


def changed(driven: Driven, row: Override, old: Any, plan_id: str = "") -> None:
    """Write down what an applied change replaced, as the verb does."""
    with writing(by=SYSTEM, now=NOW) as journal:
        journal.record(
            "change.applied",
            driven.route,
            depot_id=driven.depot.pk,
            change=row.kind,
            old=old,
            version=row.impact_version,
            plan_id=plan_id,
            service_date=SERVICE_DATE.isoformat(),
            route_ids=[str(driven.route.pk)],
        )


def put_off(driven: Driven, number: int, *, detour: int) -> None:
    """Let a stop be left on its day, and be visited `detour` legs out of the way later."""
    stop = driven.stops[number - 1]
    later = Route.objects.create(
        depot=driven.depot,
        shift=_shift_of_another_day(driven),
        driver=driven.shift.driver,
        service_date=SERVICE_DATE + DAY,
        plan=driven.route.plan,
        status=RouteState.FINISHED,
        starts_at=NOW + DAY,
        ends_at=AFTER + DAY,
    )
    at = NOW + DAY + timedelta(minutes=10)
    Stop.objects.filter(pk=stop.pk).update(
        route=later,
        sequence=1,
        enroute_at=at,
        arrived_at=at + LEG * detour,
        completed_at=at + LEG * detour + SERVICE,
    )


def _shift_of_another_day(driven: Driven) -> Any:
    shift = driven.shift
    old = shift.pk
    other = type(shift).objects.get(pk=old)
    other.pk = None
    other.id = None
    other.id = uuid7()
    other.service_date = SERVICE_DATE + DAY
    other.starts_at, other.ends_at = shift.starts_at + DAY, shift.ends_at + DAY
    other.started_at, other.ended_at = NOW + DAY, AFTER + DAY
    other.save(force_insert=True)
    return other


def test_every_kind_says_something() -> None:
    driven = make_driven(*ALONG)
    for kind in OverrideKind.values:
        overridden(driven, ZIGZAG, ALONG, kind=kind, client_id=kind)
    found = {row.kind: row for row in judged(driven)}
    assert found.keys() == set(OverrideKind.values)
    for row in found.values():
        assert row.arithmetic or row.ruling == "undecidable"
        assert row.because in WORDS or row.arithmetic


@pytest.mark.parametrize(
    ("kind", "reason", "because"),
    [
        ("lock_route", "knows_better", "no_other_way"),
        ("unlock_route", "other", "no_other_way"),
        ("other", "other", "in_words"),
        ("skip_stop", "customer_absent", "door_unknown"),
        ("take_off", "customer_asked", "door_unknown"),
        ("change_vehicle", "load", "vehicle_out"),
        ("take_off", "hours", "not_visited_since"),
    ],
)
def test_what_cannot_be_replayed_says_why(kind: str, reason: str, because: str) -> None:
    driven = make_driven(*ALONG)
    overridden(driven, ALONG, ALONG[:5], kind=kind, reason=reason, stop=driven.stops[5])
    if kind == "take_off":
        Stop.objects.filter(pk=driven.stops[5].pk).update(
            status=StopState.PENDING, arrived_at=None, completed_at=None, route=None
        )
    [row] = [one for one in judged(driven) if one.override_id]
    assert (row.ruling, row.because, row.gained_minor) == ("undecidable", because, 0)
    told = why(
        row.ruling,
        gained_minor=0,
        sd_minor=0,
        least_minor=0,
        currency="EUR",
        because=row.because,
    )
    assert told == WORDS[because]
    assert told in to_the_driver(row.ruling, 0, row.because)
    assert judged(driven) == []


def test_a_visit_put_off_is_judged_by_the_day_on_which_it_was_made() -> None:
    driven = make_driven(1, 2, 3, 4, 5)
    stop = driven.stops[5]
    Stop.objects.filter(pk=stop.pk).update(
        status=StopState.PENDING, route=None, arrived_at=None, completed_at=None
    )
    overridden(
        driven,
        *(ALONG, ALONG[:5]),
        kind="take_off",
        reason="hours",
        stop=stop,
        change={"stop_id": str(stop.pk)},
    )
    [row] = judged(driven)
    assert row.because == "not_visited_since"
    # On the next day somebody drives all the way for that one stop.
    Stop.objects.filter(pk=stop.pk).update(status=StopState.SUCCEEDED)
    put_off(driven, 6, detour=6)
    shift = Stop.objects.get(pk=stop.pk).route.shift  # type: ignore[union-attr]
    [again] = judge_shift(shift, by=SYSTEM, now=AFTER + 2 * DAY)
    assert (again.pk, again.version, again.because) == (row.pk, 2, "")
    # It saved two legs, and cost twelve.
    assert again.ruling == "wrong"
    assert again.gained_s == pytest.approx(-10 * 120, rel=0.2)
    assert again.route == driven.route


def test_a_visit_put_off_is_never_right_for_the_customer_waited() -> None:
    driven = make_driven(2, 3, 4, 5, 6)
    stop = driven.stops[0]
    overridden(
        driven,
        *((5, 3, 1, 6, 2, 4), ALONG[1:]),
        kind="take_off",
        reason="hours",
        stop=stop,
        change={"stop_id": str(stop.pk)},
    )
    put_off(driven, 1, detour=1)
    [row] = judged(driven, AFTER + 2 * DAY)
    assert (row.ruling, row.because) == ("undecidable", "waited")
    assert row.gained_minor > row.least_minor


def test_a_break_that_was_taken_is_in_the_chosen_way_alone_and_never_wrong() -> None:
    driven = make_driven(*ALONG)
    ShiftBreak.objects.create(
        shift=driven.shift,
        opens_at=NOW,
        closes_at=NOW + timedelta(hours=4),
        duration_s=1800,
        taken_at=NOW + timedelta(minutes=13),
    )
    change = {
        "shift_id": str(driven.shift.pk),
        "from_at": NOW.isoformat(),
        "until_at": (NOW + timedelta(hours=4)).isoformat(),
        "duration_s": 1800,
    }
    overridden(driven, ALONG, ALONG, kind="extra_break", change=change)
    [row] = judged(driven)
    assert (row.ruling, row.because) == ("undecidable", "rest")
    assert row.gained_s == pytest.approx(-1800, abs=5)
    rests = {
        way: sum(step["rests_s"] for step in row.arithmetic[way]["steps"])
        for way in ("recommended", "chosen")
    }
    assert rests == {"recommended": 0, "chosen": 1800}


def test_a_break_that_nobody_took_says_so() -> None:
    driven = make_driven(*ALONG)
    change = {
        "shift_id": str(driven.shift.pk),
        "from_at": NOW.isoformat(),
        "until_at": (NOW + timedelta(hours=4)).isoformat(),
        "duration_s": 1800,
    }
    overridden(driven, ALONG, ALONG, kind="extra_break", change=change)
    [row] = judged(driven)
    assert row.because == "break_not_taken"


def test_a_vehicle_is_judged_by_what_the_planned_one_would_have_cost() -> None:
    driven = make_driven(*ALONG)
    slow = VehicleFactory(depot=driven.depot, speed_percent=50)
    change = {"shift_id": str(driven.shift.pk), "vehicle_id": str(slow.pk)}
    row = overridden(driven, ALONG, ALONG, kind="change_vehicle", change=change)
    changed(driven, row, str(slow.pk))
    [verdict] = judged(driven)
    assert verdict.ruling == "right"
    # 12 legs of 120 s would have taken twice as long.
    assert verdict.gained_s == pytest.approx(12 * 120, rel=0.2)
    names = [part["name"] for part in verdict.arithmetic["parts"]]
    assert f"vehicle {driven.shift.pk}" in names


def test_a_window_holds_each_way_to_its_own() -> None:
    driven = make_driven(*ALONG)
    stop = driven.stops[5]
    opens, closes = NOW + timedelta(hours=3), NOW + timedelta(hours=4)
    new = NOW, NOW + timedelta(hours=4)
    change = {
        "stop_id": str(stop.pk),
        "opens_at": new[0].isoformat(),
        "closes_at": new[1].isoformat(),
    }
    row = overridden(
        driven,
        *(ALONG, ALONG),
        kind="change_window",
        reason="knows_better",
        stop=stop,
        change=change,
    )
    changed(driven, row, [[opens.isoformat(), closes.isoformat()]])
    [verdict] = judged(driven)
    # Without it the driver would have waited for more than two hours.
    assert verdict.ruling == "right"
    assert verdict.gained_s > 2 * 3600


def test_an_end_before_the_shifts_is_judged_where_all_was_served() -> None:
    driven = make_driven(*ALONG)
    early = NOW + timedelta(hours=2)
    change = {"shift_id": str(driven.shift.pk), "ends_at": early.isoformat()}
    row = overridden(driven, ZIGZAG, ALONG, kind="end_shift_early", change=change)
    changed(driven, row, driven.shift.ends_at.isoformat())
    [verdict] = judged(driven)
    assert verdict.ruling == "right"
    Stop.objects.filter(pk=driven.stops[5].pk).update(
        status=StopState.CANCELLED, arrived_at=None
    )
    [again] = judged(driven)
    assert (again.ruling, again.because) == ("undecidable", "not_served")


def test_a_deviation_from_a_plan_that_people_made_is_judged_too() -> None:
    driven = make_driven(*ZIGZAG)
    plan = driven.route.plan
    machine = plan.recommendation
    assert machine is not None
    impact = issue(
        Draft(
            kind="impact",
            depot_id=driven.depot.pk,
            subject_type="stop",
            subject_id=str(driven.stops[0].pk),
            inputs=stored_inputs(machine),
            answer=stored_answer(machine),
            engine="follower",
            engine_version="1",
            seed=0,
            mode="rules",
            parameters={"change": "move_stop", "version": "v1"},
        ),
        by=SYSTEM,
        now=NOW,
    )
    plan.recommendation = None
    plan.cause = {"kind": "change", "change": "move_stop"}
    plan.save()
    assert judged(driven) == []  # nothing says which change it was
    row = overridden(driven, ZIGZAG, ZIGZAG, state="withdrawn", recommendation=None)
    changed(driven, row, None, plan_id=str(plan.pk))
    [verdict] = judged(driven)
    assert (verdict.subject, verdict.recommendation) == ("deviation", impact)
    assert verdict.ruling == "wrong"
