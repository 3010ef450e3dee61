"""What became of plans and told times, from what was driven; each made again."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from apps.core.actors import SYSTEM
from apps.drivers.services.shifts import end_shift
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import make_again
from apps.recommendations.services import stored_answer
from apps.routes import adherence as rules
from apps.routes.adherence import Driven, adherence
from apps.routes.changes import MoveStop
from apps.routes.etaledger import Held, decode_times
from apps.routes.impact import apply_change, impact_of
from apps.routes.models import Route, Stop
from apps.routes.services.settling import note_overridden, settle_driven
from tests.factories import NOW
from tests.queueing import drain_only
from tests.routes.days import OFFICE, begin, make_day, publish_day, report, sequence

HOUR = timedelta(hours=1)
A, B, C, D, E = "abcde"


@pytest.mark.parametrize(
    ("planned", "served", "elsewhere", "followed", "moved"),
    [
        ((A, B, C), (A, B, C), (), True, []),
        ((A, B, C), (B, A, C), (), True, [A]),
        ((A, B), (B, A), (), False, [A]),
        ((A, B, C, D, E), (E, D, C, B, A), (), False, [E, D, C, B]),
        ((A, B, C), (A, C), (), False, []),
        ((A, B, C), (A, C), (B,), False, []),
        ((), (), (), True, []),
    ],
)
def test_adherence(
    planned: tuple[str, ...],
    served: tuple[str, ...],
    elsewhere: tuple[str, ...],
    followed: bool,
    moved: list[str],
) -> None:
    found = adherence([Driven(planned, served, elsewhere)])
    assert found.is_followed is followed
    assert found.out_of_order == len(moved)
    assert len(found.moved) == len(moved)
    assert found.not_served == len(planned) - len(served) - len(elsewhere)


def test_adherence_tolerates_a_tenth_of_a_long_route() -> None:
    planned = tuple(f"{at:02d}" for at in range(20))
    served = (*planned[2:4], *planned[:2], *planned[4:])
    assert adherence([Driven(planned, served)]).is_followed
    worse = (*planned[3:6], *planned[:3], *planned[6:])
    found = adherence([Driven(planned, worse)])
    assert not found.is_followed
    assert found.text == "20 of 20 stops served, 3 in another place than planned."
    assert rules.TOLERATED_PERCENT == 10


@pytest.mark.parametrize(
    ("count", "within", "followed"),
    [(10, 9, True), (10, 8, False), (20, 18, True), (3, 2, True), (3, 1, False)],
)
def test_times_hold_nine_times_in_ten(count: int, within: int, followed: bool) -> None:
    assert Held(count, within, 0).is_followed is followed


def drive(route: Route, stops: list[Stop]) -> None:
    """Serve stops in an order, each at its ETA, and end the shift."""
    at = NOW + HOUR
    begin(route.shift, at)
    for stop in stops:
        at = max(at + timedelta(minutes=4), stop.eta_at or at)
        report(stop, "stop.arrived", at)
        report(stop, "stop.succeeded", at + timedelta(minutes=1))
    end_shift(
        shift_id=route.shift_id, occurred_at=at + HOUR / 2, by=SYSTEM, now=at + HOUR / 2
    )


@pytest.mark.django_db
def test_plan_and_times_are_settled_by_what_was_driven() -> None:
    depot = make_day(orders=10, shifts=2)
    plan = publish_day(depot)
    assert plan.recommendation is not None
    assert plan.recommendation.data_used[0]["count"] == 10
    assert plan.recommendation.expires_at is not None
    times = Recommendation.objects.filter(kind="eta")
    routes = [route for route in Route.objects.all() if sequence(route)]
    assert {row.subject_id for row in times} == {str(route.pk) for route in routes}
    for row in Recommendation.objects.select_related("inputs"):
        assert make_again(row).is_identical, row.kind
    assert settle_driven(by=SYSTEM, now=NOW) == 0
    for number, route in enumerate(routes):
        stops = sequence(route)
        drive(route, stops if number else stops[::-1])
    drain_only("apps.routes.tasks.follow_shift")
    assert drain_only("apps.routes.tasks.settle_recommendations") >= 1
    row = Recommendation.objects.get(plan=plan)
    assert row.state == "deviated"
    assert row.outcome["served"] == 10
    assert row.outcome["out_of_order"] >= 2
    assert "in another place" in row.outcome["text"]
    for row in times.all():
        assert row.state in ("followed", "deviated")
        told = decode_times(stored_answer(row))
        assert row.outcome["count"] == len(told)


@pytest.mark.django_db
def test_change_that_people_decide_overrides_the_plan() -> None:
    plan = publish_day(make_day(orders=6, shifts=2))
    route = max(Route.objects.all(), key=lambda each: len(sequence(each)))
    first, *_, last = sequence(route)
    change = MoveStop(stop_id=str(last.pk), before_stop_id=str(first.pk))
    impact = impact_of(change, now=NOW)
    apply_change(change, expected_version=impact.version, by=OFFICE, now=NOW)
    row = Recommendation.objects.get(plan=plan)
    assert row.state == "overridden"
    assert "moved" in row.outcome["text"]
    shown = Recommendation.objects.select_related("inputs").get(kind="impact")
    assert (shown.state, shown.subject_id) == ("followed", str(last.pk))
    assert shown.costs["total_minor"] == impact.cost_minor
    assert make_again(shown).is_identical
    for row in Recommendation.objects.filter(kind="eta", state="issued"):
        assert make_again(row).is_identical


@pytest.mark.django_db
def test_plan_that_a_person_decided_against_is_overridden_once() -> None:
    plan = publish_day(make_day(orders=3, shifts=1))
    pk = plan.recommendation_id
    assert pk is not None
    said = {"text": "A stop was moved."}
    assert note_overridden(pk, outcome=said, by=SYSTEM, now=NOW)
    assert not note_overridden(pk, outcome=said, by=SYSTEM, now=NOW)
    row = Recommendation.objects.get(pk=pk)
    assert (row.state, row.outcome) == ("overridden", said)
    call_command("replay_recommendation")
