"""Who plans: the engines die, the rules take over within seconds, and the way back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from pytest_django import Settings

from apps.core.actors import SYSTEM, Actor
from apps.core.breaker import Circuit, Limits
from apps.core.problems import Invalid
from apps.depots.models import Depot
from apps.journal.models import Change, Entry
from apps.routes import tasks
from apps.routes.chain import Failure
from apps.routes.models import Plan, Route
from apps.routes.moderows import DecisionPoint, DepotMode
from apps.routes.planners import mode_of
from apps.routes.readiness import AMBER, GREEN, RED, Facts, blockers, checks_of
from apps.routes.services.leaves import MachineMayNot, let_once, set_leave
from apps.routes.services.modes import (
    NotReady,
    claim_trial,
    note_search,
    note_trial,
    set_limits,
    switch_mode,
)
from apps.routes.services.parameters import keep_parameters
from apps.routes.solver import process
from apps.routes.solver.births import Child, Spawned
from apps.routes.states import Act, Leave, PlanState
from tests.factories import NOW, SERVICE_DATE, DepotFactory
from tests.queueing import drain
from tests.routes.days import OFFICE, make_day, make_order, publish_day

pytestmark = pytest.mark.django_db

IS_KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
DIED = Failure(engine="pyvrp", code="died", detail="killed by signal 9")
WITHIN_S = 30.0
"""Seconds in which six orders are planned by the rules, on a machine that is fully busy:
idle, it is one or two."""


Kill = Callable[[], list[str]]


@pytest.fixture
def kill_engines(monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Let every child that solves be killed as soon as it starts; count them."""
    started: list[str] = []

    def start() -> Child:
        started.append("killed")
        return Spawned("-c", IS_KILLED)

    def kill() -> list[str]:
        monkeypatch.setattr(process, "_start", start)
        return started

    return kill


@pytest.fixture
def at_six() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def fail(depot: Depot, minutes: float, times: int = 1) -> None:
    note_search(
        depot.pk, answered=False, failures=[DIED] * times, by=SYSTEM, now=at(minutes)
    )


def kinds(depot: Depot, prefix: str = "mode.") -> list[str]:
    rows = Entry.objects.filter(depot_id=depot.pk, kind__startswith=prefix)
    return list(rows.order_by("id").values_list("kind", flat=True))


def test_killed_optimizer_is_replaced_by_rules_and_comes_back_by_itself(
    at_six: time_machine.Traveller,
    kill_engines: Kill,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    depot = make_day(orders=6)
    begin = process._start
    killed = kill_engines()
    started_s = time.perf_counter()

    plan = publish_day(depot)

    assert time.perf_counter() - started_s < WITHIN_S
    assert (plan.status, plan.mode) == (PlanState.PUBLISHED, "rules")
    assert plan.totals["served"] == 6
    assert plan.recommendation is not None
    assert plan.recommendation.mode == "rules"
    assert len(killed) == 2, "both engines were asked"
    assert mode_of(depot.pk).mode == "optimizer", "two failures are not yet three"

    replan(depot, 6)  # the search after the mending fails as well
    assert mode_of(depot.pk).is_trouble
    assert kinds(depot) == ["mode.fell_back"]
    routes = Change.objects.filter(table="routes")
    told = {route.driver_id for route in Route.objects.filter(depot=depot)}
    assert {row.scope for row in routes} == told

    asked = len(killed)
    replan(depot, 7)
    assert len(killed) == asked, "nobody waits for engines that are known to fail"
    searched = Plan.objects.filter(cause__step="search").order_by("id")
    assert {plan.mode for plan in searched} == {"rules"}

    at_six.shift(timedelta(minutes=3))
    tasks.try_engines()
    assert mode_of(depot.pk).is_trouble, "the trial was killed too"
    assert len(killed) == asked + 2

    monkeypatch.setattr(process, "_start", begin)
    at_six.shift(timedelta(minutes=5))
    tasks.try_engines()
    assert mode_of(depot.pk).on_trial
    replan(depot, 8)
    assert mode_of(depot.pk) == mode_of(DepotFactory().pk)
    assert kinds(depot) == [
        "mode.fell_back",
        "mode.came_back",
        "mode.trial_passed",
    ]
    assert [plan.mode for plan in searched.all()][-1] == "optimizer"


def replan(depot: Depot, number: int) -> None:
    """Let an order come in, as the office enters it, and the day follow."""
    order = make_order(depot, number)
    tasks.reoptimize(
        depot_id=str(depot.pk),
        service_date=SERVICE_DATE.isoformat(),
        route_id=None,
        cause="order.created",
        order_id=str(order.pk),
    )
    drain()


def test_circuit_counts_failures_in_a_window_and_doubles_its_pause() -> None:
    limits = Limits(failures=2, window_s=60, pause_s=100, longest_pause_s=300)
    once = Circuit().failed(0, limits)
    assert not once.is_open(1)
    assert not once.failed(61, limits).is_open(62), "the first is out of the window"
    opened = once.failed(30, limits)
    assert opened.is_open(129)
    assert opened.is_due(130)
    assert opened.failed(130, limits).open_until_s == 330
    on_trial = opened.on_its_way_back()
    assert on_trial.open_until_s is None
    assert on_trial.failed(200, limits).open_until_s == 400, "one failure is enough"
    third = on_trial.failed(200, limits).failed(400, limits)
    assert third.open_until_s == 700, "no pause is longer than the longest"
    assert on_trial.answered() == Circuit()


def test_note_search_opens_on_failures_within_the_window_alone() -> None:
    depot = DepotFactory()
    fail(depot, 0, 2)
    fail(depot, 16)
    assert not mode_of(depot.pk).is_rules
    note_search(depot.pk, answered=True, failures=[DIED], by=SYSTEM, now=at(17))
    fail(depot, 18, 2)
    assert not mode_of(depot.pk).is_rules, "an answer made good what was before"
    fail(depot, 19)
    mode = mode_of(depot.pk)
    assert (mode.cause, mode.since, mode.tries_at) == ("fell_back", at(19), at(21))
    assert mode.why == DIED.text


def test_note_search_does_not_count_an_engine_that_was_passed_over() -> None:
    depot = DepotFactory()
    refused = [Failure(engine="pyvrp", code="refused", detail="it cannot do breaks")]
    for _ in range(5):
        note_search(depot.pk, answered=False, failures=refused, by=SYSTEM, now=NOW)
    assert not DepotMode.objects.exists()


def test_trial_is_one_workers_and_a_failed_one_waits_twice_as_long() -> None:
    depot = DepotFactory()
    fail(depot, 0, 3)
    assert not claim_trial(depot.pk, now=at(1))
    assert claim_trial(depot.pk, now=at(2))
    assert not claim_trial(depot.pk, now=at(2))
    note_trial(depot.pk, failure="PyVRP died.", by=SYSTEM, now=at(2))
    assert mode_of(depot.pk).tries_at == at(6)
    note_trial(depot.pk, by=SYSTEM, now=at(6))
    assert mode_of(depot.pk).on_trial
    fail(depot, 7)
    assert mode_of(depot.pk).is_rules, "on trial one failure is enough"


def test_set_limits_are_those_that_count() -> None:
    depot = DepotFactory()
    set_limits(
        depot_id=depot.pk,
        most_failures=1,
        window_s=60,
        pause_s=30,
        by=OFFICE,
        now=NOW,
    )
    fail(depot, 0)
    assert mode_of(depot.pk).tries_at == NOW + timedelta(seconds=30)
    with pytest.raises(Invalid):
        set_limits(
            depot_id=depot.pk,
            most_failures=0,
            window_s=60,
            pause_s=30,
            by=OFFICE,
            now=NOW,
        )


def test_switch_by_hand_says_who_and_why_and_goes_before_what_engines_do() -> None:
    depot = make_day(orders=2)
    switch_mode(depot_id=depot.pk, to="rules", why="New roads", by=OFFICE, now=NOW)
    mode = mode_of(depot.pk)
    assert (mode.mode, mode.cause, mode.by) == ("rules", "switched", "user:1")
    with pytest.raises(Invalid):
        switch_mode(depot_id=depot.pk, to="rules", why=" ", by=OFFICE, now=NOW)
    with pytest.raises(Invalid):
        switch_mode(depot_id=depot.pk, to="magic", why="?", by=OFFICE, now=NOW)
    switch_mode(depot_id=depot.pk, to="optimizer", why="Done", by=OFFICE, now=at(5))
    assert mode_of(depot.pk).mode == "optimizer"
    assert kinds(depot) == ["mode.switched", "mode.switched"]


def test_red_check_stops_the_switch_unless_signed_off() -> None:
    depot = DepotFactory()
    switch_mode(depot_id=depot.pk, to="rules", why="First week", by=OFFICE, now=NOW)
    with pytest.raises(NotReady) as refused:
        switch_mode(depot_id=depot.pk, to="", why="Go", by=OFFICE, now=NOW)
    assert set(refused.value.extra["blockers"]) == {"vehicles", "shifts"}
    assert mode_of(depot.pk).is_rules
    row = switch_mode(
        depot_id=depot.pk,
        to="",
        why="Go",
        signed_off="Vans come at eight",
        by=OFFICE,
        now=NOW,
    )
    assert row.signed_off == "Vans come at eight"
    entry = Entry.objects.filter(kind="mode.switched").latest("id")
    assert entry.payload["signed_off"] == "Vans come at eight"


GOOD = Facts(
    orders=100,
    unsure_places=0,
    without_service_time=0,
    oversized=0,
    vehicles=5,
    shifts=5,
    devices=5,
    silent_devices=0,
    travel_source="local",
    learned_travel=True,
    engine_failing=False,
    failure="",
    dead_plans=0,
    may_plan=True,
)


@pytest.mark.parametrize(
    ("code", "worse", "colour"),
    [
        ("places", {"unsure_places": 1}, AMBER),
        ("places", {"unsure_places": 11}, RED),
        ("service_times", {"without_service_time": 51}, AMBER),
        ("loads", {"oversized": 1}, AMBER),
        ("loads", {"oversized": 100}, RED),
        ("vehicles", {"vehicles": 0}, RED),
        ("shifts", {"shifts": 0}, RED),
        ("devices", {"silent_devices": 3}, AMBER),
        ("travel", {"travel_source": "estimated", "learned_travel": False}, AMBER),
        ("engines", {"engine_failing": True, "failure": "Dead."}, RED),
        ("recent_plans", {"dead_plans": 1}, AMBER),
        ("leave", {"may_plan": False}, RED),
    ],
)
def test_check_turns_red_or_amber_by_what_is_found(
    code: str, worse: dict[str, object], colour: str
) -> None:
    assert {check.colour for check in checks_of(GOOD)} == {GREEN}
    checks = checks_of(replace(GOOD, **worse))  # type: ignore[arg-type]
    found = {check.code: check for check in checks}
    assert found[code].colour == colour
    assert found[code].to_do, "what is not green says what to do"
    assert bool(blockers(checks)) == (colour == RED)


def test_house_that_is_set_to_rules_plans_by_rules(settings: Settings) -> None:
    settings.PLANNING_MODE = "rules"
    depot = DepotFactory()
    assert mode_of(depot.pk).cause == "setting"
    DepotMode.objects.create(depot=depot, chosen="optimizer")
    assert mode_of(depot.pk).mode == "optimizer"


def no(act: Act, depot: Depot | None = None, leave: Leave = Leave.NO) -> DecisionPoint:
    return set_leave(
        act=act,
        depot_id=depot.pk if depot else None,
        leave=leave,
        why="Union",
        by=OFFICE,
        now=NOW,
    )


def test_first_decision_points_let_the_machine_do_what_it_did() -> None:
    rows = DecisionPoint.objects.filter(depot=None)
    assert {row.act: row.leave for row in rows} == dict.fromkeys(Act.values, "yes")


def test_machine_is_refused_outside_a_decision_point_and_it_is_written_down(
    at_six: time_machine.Traveller,
) -> None:
    depot = make_day(orders=4)
    plan = publish_day(depot)
    assert plan.mode == "optimizer"
    no(Act.REPAIR, depot)
    before = {route.pk: route.version for route in Route.objects.all()}
    replan(depot, 5)
    assert {route.pk: route.version for route in Route.objects.all()} == before
    entry = Entry.objects.get(kind="machine.refused")
    assert (entry.payload["act"], entry.payload["leave"]) == ("repair", "no")


def test_machine_is_refused_where_plans_are_stored_whoever_solved_them(
    at_six: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot = make_day(orders=4)
    no(Act.PLAN)
    # A task that forgets to ask is stopped where the plan is stored.
    monkeypatch.setattr("apps.routes.planners.plans_by_rules", lambda *_: False)
    plan = publish_day(depot)
    assert plan.status == PlanState.FAILED
    assert plan.problem.startswith("The machine may not do this here")
    assert not Route.objects.exists()
    assert kinds(depot, "machine.") == ["machine.refused"]


def test_depot_without_leave_to_plan_is_planned_by_the_rules(
    at_six: time_machine.Traveller,
) -> None:
    depot = make_day(orders=4)
    no(Act.PLAN, depot)
    plan = publish_day(depot)
    assert (plan.status, plan.mode) == (PlanState.PUBLISHED, "rules")


def test_plan_that_is_to_be_asked_for_waits_for_a_person(
    at_six: time_machine.Traveller,
) -> None:
    depot = make_day(orders=4)
    no(Act.PLAN, depot, Leave.ASK)
    plan = publish_day(depot)
    assert (plan.status, plan.mode) == (PlanState.READY, "optimizer")


def test_yes_of_a_person_lets_the_machine_go_on_for_a_while(
    at_six: time_machine.Traveller,
) -> None:
    depot = make_day(orders=4)
    publish_day(depot)
    point = no(Act.REPAIR, depot, Leave.ASK)
    replan(depot, 5)
    assert Plan.objects.filter(kind="replan").count() == 0
    let_once(point.pk, by=Actor("user", "2"), now=NOW)
    drain()
    mended = Plan.objects.filter(kind="replan", cause__step="mend").get()
    assert mended.status == PlanState.PUBLISHED
    assert mended.totals["served"] == 5
    with pytest.raises(Invalid):
        let_once(no(Act.ETA, depot).pk, by=OFFICE, now=NOW)


def test_people_may_change_parameters_where_the_machine_may_not() -> None:
    depot = DepotFactory()
    no(Act.PARAMETERS)
    values = {"roads_factor": 1.1}
    with pytest.raises(MachineMayNot):
        keep_parameters(depot.pk, values, because="learned", by=SYSTEM, now=NOW)
    keep_parameters(depot.pk, values, because="we say so", by=OFFICE, now=NOW)


def test_etas_stay_as_they_are_where_the_machine_may_not_touch_them(
    at_six: time_machine.Traveller,
) -> None:
    depot = make_day(orders=4)
    publish_day(depot)
    no(Act.ETA, depot)
    routes = [str(route.pk) for route in Route.objects.all()]
    Route.objects.update(etas_due_at=NOW)
    tasks.refresh_etas(route_ids=routes)
    tasks.refresh_etas(route_ids=routes)
    assert Route.objects.filter(etas_due_at=None).count() == 0
    assert kinds(depot, "machine.") == ["machine.refused"], "once an hour"
