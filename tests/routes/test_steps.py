"""The two answers to an event: mended at once, then searched; the queue drained by hand."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction

from apps.core import queue
from apps.core.models import TaskRun
from apps.core.units import Point
from apps.depots.models import Depot
from apps.journal.models import Change, FeedHead
from apps.recommendations.models import Recommendation
from apps.recommendations.services import content_hash, stored_inputs
from apps.routes import tasks, triggers
from apps.routes.gateways.base import TravelMatrix
from apps.routes.gateways.memory import MemoryTravelTimes
from apps.routes.models import Plan, PlanChange, PlanningParameter, Route, Stop
from apps.routes.services.applying import store_plan
from apps.routes.services.fitting import StaleInput
from apps.routes.solving import replay
from apps.routes.states import PlanState
from tests.factories import NOW, SERVICE_DATE, ShiftFactory, VehicleFactory
from tests.queueing import drain
from tests.routes.days import (
    begin,
    make_day,
    make_order,
    publish_day,
    report,
    sequence,
)

pytestmark = pytest.mark.django_db


BEGIN = NOW + timedelta(hours=1)
"""When the shifts begin."""


@pytest.fixture(autouse=True)
def _when_shifts_begin() -> Iterator[None]:
    with time_machine.travel(BEGIN, tick=True):
        yield


def _running_route() -> tuple[Depot, Route]:
    depot = make_day(orders=12, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, BEGIN)
    drain()
    return depot, route


def _trigger(depot: Depot, route: Route | None, cause: str = "stop.failed") -> None:
    queue.enqueue(
        triggers.REOPTIMIZE,
        depot_id=str(depot.pk),
        service_date=SERVICE_DATE.isoformat(),
        route_id=None if route is None else str(route.pk),
        cause=cause,
    )


def _take_due(task: str) -> None:
    """Take the due runs of one task, and leave the others in the queue."""
    for run_id in queue.due_run_ids():
        if TaskRun.objects.get(pk=run_id).task == task:
            queue.take(run_id)


def _make_unrest_cheap(depot: Depot, min_gain_minor: int = 1) -> None:
    """Let what little there is to gain on a small day be worth the unrest."""
    values = {"resequence_percent": 1, "told_late_minor_per_min": 1}
    for name, value in (values | {"min_gain_minor": min_gain_minor}).items():
        PlanningParameter.objects.create(
            depot=depot,
            name=name,
            version=1,
            value=value,
            valid_from=NOW,
            created_by="test",
        )


def _steps() -> list[str]:
    replans = Plan.objects.filter(kind=Plan.Kind.REPLAN).order_by("number")
    return [plan.cause["step"] for plan in replans]


def _shuffle(route: Route) -> list[Stop]:
    """Put the stops of a route in a bad order, as many small repairs could."""
    stops = sequence(route)
    for place, stop in enumerate(stops[::2] + stops[1::2], 1):
        Stop.objects.filter(pk=stop.pk).update(sequence=place)
    return sequence(route)


def test_reoptimize_mends_at_once_and_leaves_the_search_to_a_later_task() -> None:
    depot, route = _running_route()
    head = FeedHead.objects.get(scope=route.driver_id).head
    report(sequence(route)[0], "stop.failed", BEGIN, reason="not_home")
    _take_due(triggers.REOPTIMIZE)
    plan = Plan.objects.get(kind=Plan.Kind.REPLAN)
    row = plan.recommendation
    assert row is not None
    assert (row.engine, row.mode, plan.mode) == ("repair", "rules", "rules")
    assert {reason["code"] for reason in row.reasons} >= {"served", "travel_times"}
    assert content_hash(replay(stored_inputs(row))) == row.answer_hash
    assert FeedHead.objects.get(scope=route.driver_id).head > head
    waiting = TaskRun.objects.get(task=triggers.IMPROVE, state=TaskRun.State.QUEUED)
    assert waiting.arguments["depot_id"] == str(depot.pk)
    assert waiting.arguments["shift_ids"] == [str(route.shift_id)]


def test_both_steps_go_by_the_traffic_of_the_depots_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours: list[int | None] = []

    class Asked(MemoryTravelTimes):
        def matrix(
            self, points: Sequence[Point], *, departs_hour: int | None = None
        ) -> TravelMatrix:
            hours.append(departs_hour)
            return super().matrix(points, departs_hour=departs_hour)

    depot, route = _running_route()
    monkeypatch.setattr("apps.routes.steps.travel_times_of", lambda _: Asked())
    report(sequence(route)[0], "stop.failed", BEGIN, reason="not_home")
    drain()
    assert len(hours) >= 2
    assert set(hours) == {BEGIN.astimezone(ZoneInfo(depot.time_zone)).hour}
    assert BEGIN.hour not in hours


def test_the_days_first_event_tells_no_driver_of_the_hours_traffic() -> None:
    depot, route = _running_route()
    stops = sequence(route)
    for stop in stops:
        assert stop.eta_at is not None
        assert stop.plan_eta_at is not None
        assert abs(stop.eta_at - stop.plan_eta_at) < timedelta(minutes=2)
    told = PlanChange.objects.count()
    _trigger(depot, None, cause="order.created")
    drain()
    assert [stop.pk for stop in sequence(route)] == [stop.pk for stop in stops]
    assert PlanChange.objects.count() == told


def test_improve_a_better_plan_is_a_second_change_for_the_driver() -> None:
    depot, route = _running_route()
    _make_unrest_cheap(depot)
    first, second, *_ = _shuffle(route)
    report(first, "stop.succeeded", BEGIN)
    report(second, "stop.arrived", BEGIN + timedelta(seconds=60))
    order = make_order(depot, 5, kind="pickup")
    with time_machine.travel(BEGIN + timedelta(minutes=2)):
        _trigger(depot, None, "order.created")
        drain()
    assert _steps() == ["mend", "search"]
    mended, searched = Plan.objects.filter(kind=Plan.Kind.REPLAN).order_by("number")
    assert (mended.status, searched.status) == (PlanState.SUPERSEDED, "published")
    by_mending, by_search = PlanChange.objects.order_by("made_at")
    assert [by_mending.plan_id, by_search.plan_id] == [mended.pk, searched.pk]
    assert by_search.why == triggers.WHY_SEARCHED
    assert by_search.moved
    assert Change.objects.filter(
        scope=route.driver_id, table="plan_changes", row_id=str(by_search.pk)
    ).exists()
    row = searched.recommendation
    assert row is not None
    assert row.engine not in {"repair", "greedy"}
    assert row.mode == "optimizer"
    assert row.expected_gain["against"] == "repair"
    assert row.expected_gain["minor"] > 0
    assert content_hash(replay(stored_inputs(row))) == row.answer_hash
    after = sequence(route)
    assert [stop.pk for stop in after[:2]] == [first.pk, second.pk]
    assert order.pk in {stop.order_id for stop in after}


def test_improve_a_plan_that_saves_less_than_unrest_is_worth_is_not_driven() -> None:
    """The same day as above, on which a gain would have to be a thousand in money."""
    depot, route = _running_route()
    _make_unrest_cheap(depot, min_gain_minor=100_000)
    first, second, *_ = _shuffle(route)
    report(first, "stop.succeeded", BEGIN)
    report(second, "stop.arrived", BEGIN + timedelta(seconds=60))
    make_order(depot, 5, kind="pickup")
    with time_machine.travel(BEGIN + timedelta(minutes=2)):
        _trigger(depot, None, "order.created")
        drain()
    mended, searched = Plan.objects.filter(kind=Plan.Kind.REPLAN).order_by("number")
    assert (mended.status, searched.status) == ("published", PlanState.UNCHANGED)
    assert PlanChange.objects.get().plan_id == mended.pk


def test_improve_nothing_of_value_tells_the_driver_nothing() -> None:
    depot, route = _running_route()
    _trigger(depot, route)
    drain()
    assert _steps() == ["mend", "search"]
    assert not PlanChange.objects.exists()
    for plan in Plan.objects.filter(kind=Plan.Kind.REPLAN):
        assert plan.status == PlanState.UNCHANGED
        assert plan.recommendation is not None
        assert plan.recommendation.state == "expired"


def test_reoptimize_burst_of_events_plans_once() -> None:
    depot = make_day(orders=54, shifts=0)
    for _ in range(3):
        vehicle = VehicleFactory(depot=depot, capacity_pieces=20)
        ShiftFactory(depot=depot, vehicle=vehicle)
    publish_day(depot)
    routes = list(Route.objects.all())
    assert len(routes) == 3
    for route in routes:
        begin(route.shift, BEGIN)
    drain()
    before = Plan.objects.count()
    reported = 0
    for route in routes:
        for place, stop in enumerate(sequence(route)):
            if reported < 50:
                at = BEGIN + timedelta(seconds=place)
                report(stop, "stop.failed", at, reason="not_home")
                reported += 1
    runs = TaskRun.objects.filter(task=triggers.REOPTIMIZE, state=TaskRun.State.QUEUED)
    assert (reported, runs.count()) == (50, 50)
    with time_machine.travel(BEGIN + timedelta(minutes=1)):
        drain()
    assert Plan.objects.count() - before == 2
    assert _steps()[-2:] == ["mend", "search"]
    assert not TaskRun.objects.exclude(state=TaskRun.State.SUCCEEDED).exists()
    search = TaskRun.objects.filter(task=triggers.IMPROVE).latest("id")
    assert set(search.arguments["shift_ids"]) == {str(r.shift_id) for r in routes}


def test_reoptimize_the_state_that_an_answer_left_is_not_planned_again() -> None:
    depot, route = _running_route()
    _shuffle(route)
    make_order(depot, 5, kind="pickup")
    for _ in range(3):
        _trigger(depot, None, "order.created")
        drain()
    assert _steps() == ["mend", "search"]


def test_improve_lets_an_event_have_its_first_answer_before() -> None:
    depot, route = _running_route()
    _trigger(depot, route)
    _take_due(triggers.REOPTIMIZE)
    report(sequence(route)[0], "stop.failed", BEGIN, reason="not_home")
    drain()
    assert _steps() == ["mend", "mend", "search"]


@pytest.mark.parametrize(
    ("task", "step"),
    [("mended_answer", "mend"), ("searched_answer", "search")],
)
def test_answer_that_comes_too_late_is_thrown_away_and_made_anew(
    monkeypatch: pytest.MonkeyPatch, task: str, step: str
) -> None:
    depot, route = _running_route()
    _make_unrest_cheap(depot)
    _shuffle(route)
    order = make_order(depot, 5, kind="pickup")
    begun: list[Stop] = []
    make: Callable[..., Any] = getattr(tasks, task)
    answers: list[Any] = []

    def make_and_lose_time(*args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        answer = made[0] if isinstance(made, tuple) else made
        answers.append(made)
        if len(answers) == 1:
            last = answer.solution.routes[0].visits[-1].job_id
            begun.append(Stop.objects.get(order=last))
            report(begun[0], "stop.arrived", BEGIN)
        return made

    monkeypatch.setattr(tasks, task, make_and_lose_time)
    _trigger(depot, None, "order.created")
    drain()
    late, *_ = [
        plan
        for plan in Plan.objects.filter(kind=Plan.Kind.REPLAN).order_by("number")
        if plan.cause["step"] == step
    ]
    assert late.status == PlanState.SUPERSEDED
    assert (late.recommendation, late.input_version) == (None, "")
    assert not PlanChange.objects.filter(plan=late).exists()
    assert len(answers) > 1
    assert not Recommendation.objects.filter(subject_id=str(late.pk)).exists()
    after = sequence(route)
    assert after[0].pk == begun[0].pk
    assert order.pk in {stop.order_id for stop in after}
    assert not TaskRun.objects.exclude(state=TaskRun.State.SUCCEEDED).exists()


def test_answer_of_a_worker_that_was_taken_over_is_stored_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run thought dead comes back when another has stored its plan's answer."""
    depot, route = _running_route()
    _shuffle(route)
    make_order(depot, 5, kind="pickup")
    refused: list[str] = []

    def store_twice(plan_id: UUID, answer: Any, **named: Any) -> Plan:
        plan = store_plan(plan_id, answer, **named)
        changes = PlanChange.objects.count()
        with pytest.raises(StaleInput) as stale, transaction.atomic():
            store_plan(plan_id, answer, **named)
        refused.append(stale.value.detail)
        assert PlanChange.objects.count() == changes
        return plan

    monkeypatch.setattr(tasks, "store_plan", store_twice)
    _trigger(depot, None, "order.created")
    drain()
    assert refused[0] == "The plan is published."
    mended = Plan.objects.get(kind=Plan.Kind.REPLAN, cause__step="mend")
    assert Recommendation.objects.filter(subject_id=str(mended.pk)).count() == 1
