"""A day that is planned in parts, through the same doors as any other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import time_machine
from django.core.management import call_command

from apps.core.ids import uuid7
from apps.core.units import Point
from apps.recommendations.models import Recommendation
from apps.recommendations.services import content_hash, stored_answer, stored_inputs
from apps.routes import largedays
from apps.routes.conditions import RoadCondition
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.intake import day_input, running_input
from apps.routes.largedays import is_large, plane
from apps.routes.models import Route, Stop, UnservedOrder
from apps.routes.pieces import around
from apps.routes.solver.codec import (
    SplitRequest,
    decode_inputs,
    decode_solution,
)
from apps.routes.solving import answer_day, replay
from apps.routes.states import PlanState
from apps.routes.why.ledger import NotExplained, answer_now
from apps.routes.why.questions import About, Question
from tests.bench._large_days import composed_large_day
from tests.factories import NOW, SERVICE_DATE
from tests.routes.days import begin, make_day, make_order, publish_day, report, sequence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largedays, "LARGE_ORDERS", 20)
    monkeypatch.setattr(largedays, "JOBS_A_PART", 10)
    monkeypatch.setattr(largedays, "SEARCH_S_AN_ORDER", 0.0)


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def asked_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many places travel times were asked between, each time."""
    counts: list[int] = []
    ask = EstimatedTravelTimes.matrix

    def counted(self: EstimatedTravelTimes, points: list[Point], **more: int) -> object:
        counts.append(len(points))
        return ask(self, points, **more)

    monkeypatch.setattr(EstimatedTravelTimes, "matrix", counted)
    return iter([counts])


def test_large_day_is_planned_in_parts_published_and_replayed(
    asked_at_once: Iterator[list[int]],
) -> None:
    depot = make_day(orders=24, shifts=3)
    plan = publish_day(depot)
    assert plan.status == PlanState.PUBLISHED
    assert plan.totals["served"] == 24
    assert Stop.objects.filter(route__plan=plan, eta_at__isnull=False).count() == 24
    assert Stop.objects.filter(leg_s=None, route__plan=plan).count() == 0
    [counts] = asked_at_once
    assert max(counts) < 24
    row = Recommendation.objects.get(kind=Recommendation.Kind.PLAN)
    assert row.mode == "optimizer"
    assert row.engine == "pyvrp"
    assert "parts" in [reason["code"] for reason in row.reasons]
    inputs = stored_inputs(row)
    assert row.inputs_hash == content_hash(inputs)
    assert isinstance(decode_inputs(inputs), SplitRequest)
    assert content_hash(replay(inputs)) == row.answer_hash
    call_command("replay_recommendation", str(row.pk))


@pytest.mark.parametrize("doubled", [True, False])
def test_large_day_asks_for_travel_as_the_road_is(doubled: bool) -> None:
    depot = make_day(orders=24, shifts=3)
    day = day_input(depot.pk, SERVICE_DATE, now=NOW)
    ends_at = max(shift.ends_at for shift in day.shifts)
    weather = RoadCondition(
        condition_id=uuid7(),
        version=1,
        kind="weather",
        place=None,
        from_at=day.origin_at - timedelta(hours=2),
        until_at=ends_at if doubled else day.origin_at,
        percent=200,
        name="Ice",
    )
    given = replace(day, conditions=(weather,))
    answer = answer_day(
        given, plan_id=uuid7(), kind="plan", on_progress=lambda percent, text: None
    )
    # Clear legs are those of every day; what is driven takes as long as the road is.
    driven_s = sum(route.travel_s for route in answer.solution.routes)
    clear_s = sum(answer.legs.values())
    assert driven_s >= 1.8 * clear_s if doubled else driven_s <= 1.3 * clear_s


def test_large_running_day_keeps_what_is_done_and_takes_new_orders_in() -> None:
    depot = make_day(orders=24, shifts=3)
    publish_day(depot)
    route = Route.objects.filter(stops__isnull=False).first()
    assert route is not None
    begin(route.shift, NOW)
    first = sequence(route)[0]
    for minutes, kind in enumerate(("stop.enroute", "stop.arrived")):
        report(first, kind, NOW + timedelta(minutes=minutes))
    added = make_order(depot, 30)
    day = running_input(depot.pk, SERVICE_DATE, route_ids=None, now=NOW)
    answer = answer_day(
        day, plan_id=uuid7(), kind="replan", on_progress=lambda percent, text: None
    )
    served = {
        visit.job_id: route.vehicle_id
        for route in answer.solution.routes
        for visit in route.visits
    }
    assert len(served) == 24
    assert str(first.order_id) not in served
    # The van that has left keeps what it carries, and a new parcel goes with another.
    on_board = {str(stop.order_id) for stop in sequence(route)[1:]}
    assert {served[order] for order in on_board} == {str(route.shift_id)}
    assert served[str(added.pk)] != str(route.shift_id)
    assert answer.left_out == ()
    assert answer.draft is not None
    assert replay(answer.draft.inputs) == answer.draft.answer


def test_orders_that_no_van_can_do_are_left_out_with_their_reason() -> None:
    depot = make_day(orders=23, shifts=3)
    order = make_order(depot, 23, requires=["crane"])
    plan = publish_day(depot)
    left = UnservedOrder.objects.get(plan=plan)
    assert left.order_id == order.pk
    assert left.code == "no_capable_vehicle"


def test_stops_of_a_day_in_parts_are_explained() -> None:
    depot = make_day(orders=24, shifts=3)
    plan = publish_day(depot)
    routes = [sequence(route) for route in Route.objects.order_by("id")]
    stop = routes[0][1]
    question = Question(about=About.STOP, order=str(stop.order_id))
    assert answer_now(plan, question).summary
    assert plan.recommendation is not None
    request = decode_inputs(stored_inputs(plan.recommendation))
    assert isinstance(request, SplitRequest)
    solution = decode_solution(stored_answer(plan.recommendation))
    part, _ = around(request, solution, job=question.order)
    known = {job.id for job in part.jobs}
    for other in (str(row.order_id) for row in Stop.objects.exclude(pk=stop.pk)):
        beside = Question(about=About.BESIDE, order=question.order, other=other)
        if other in known:
            assert answer_now(plan, beside).summary
        else:
            with pytest.raises(NotExplained, match="planned in parts"):
                answer_now(plan, beside)
    assert {job.id for job in part.jobs} > {question.order}


def test_a_day_is_large_by_its_orders_and_needs_two_vans() -> None:
    depot = make_day(orders=20, shifts=2)
    day = day_input(depot.pk, SERVICE_DATE, now=NOW)
    assert is_large(day)
    assert not is_large(composed_large_day(orders=19, shifts=2))
    assert not is_large(composed_large_day(orders=20, shifts=1))


def test_plane_keeps_distances() -> None:
    points = [Point(49.5, 11.2), Point(49.5, 11.3), Point(49.6, 11.2)]
    spots = plane(points)
    # A hundredth of a degree of latitude is 1.112 km; of longitude, cos(49.53°) of it.
    assert np.hypot(*(spots[2] - spots[0])) == pytest.approx(11_120, rel=0.002)
    assert np.hypot(*(spots[1] - spots[0])) == pytest.approx(7_216, rel=0.002)
    assert plane([]).shape == (0, 2)
