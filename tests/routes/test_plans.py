"""A day planned, published, changed, and re-optimized."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from apps.core.problems import Invalid
from apps.core.verdicts import OK
from apps.drivers.services.shifts import end_shift, pause_shift
from apps.journal.models import Change, Entry, FeedHead
from apps.orders import services as orders
from apps.orders.states import OrderState
from apps.recommendations.models import Recommendation
from apps.recommendations.services import content_hash, stored_inputs
from apps.routes import intake
from apps.routes.models import Plan, PlanChange, Route, Stop, StopAssignment
from apps.routes.selectors import left_out
from apps.routes.services.acknowledging import acknowledge_plan_change
from apps.routes.services.applying import store_plan
from apps.routes.services.fitting import StaleInput
from apps.routes.services.plans import (
    DayIsRunning,
    NothingToPublish,
    claim_replan,
    publish_plan,
    request_plan,
)
from apps.routes.solving import answer_day, replay
from apps.routes.states import PlanState, RouteState, StopState
from apps.routes.tasks import reoptimize
from tests.factories import (
    NOW,
    SERVICE_DATE,
    OrderFactory,
    ShiftBreakFactory,
    ShiftFactory,
    TimeWindowFactory,
    VehicleFactory,
)
from tests.queueing import drain
from tests.routes.days import (
    DEVICE,
    OFFICE,
    begin,
    make_day,
    make_order,
    publish_day,
    report,
    sequence,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def test_plan_day_serves_every_order_once() -> None:
    depot = make_day(orders=12)
    plan = publish_day(depot)
    assert plan.status == PlanState.PUBLISHED
    assert plan.totals["served"] == 12
    assert left_out(depot.pk, SERVICE_DATE) == []
    stops = Stop.objects.filter(route__plan=plan)
    assert stops.count() == 12
    for route in Route.objects.all():
        places = [stop.sequence for stop in sequence(route)]
        assert places == list(range(1, len(places) + 1))
        etas = [stop.eta_at for stop in sequence(route) if stop.eta_at]
        assert len(etas) == len(places)
        assert etas == sorted(etas)
    assert StopAssignment.objects.filter(until_at=None).count() == 12


def test_plan_day_the_ledger_repeats_the_answer_to_the_byte() -> None:
    depot = make_day(orders=10)
    plan = publish_day(depot)
    row = plan.recommendation
    assert row is not None
    assert row.inputs_hash == content_hash(stored_inputs(row))
    assert {reason["code"] for reason in row.reasons} >= {"served", "travel_times"}
    assert content_hash(replay(stored_inputs(row))) == row.answer_hash


def test_plan_day_an_order_that_no_van_can_take_says_why() -> None:
    depot = make_day(orders=3)
    order = make_order(depot, 4, requires=["crane"])
    plan = publish_day(depot)
    assert plan.totals["unserved"] == 1
    (item,) = left_out(depot.pk, SERVICE_DATE)
    assert (item.order_id, item.code) == (order.pk, "no_capable_vehicle")
    assert "requires" in item.detail


def test_plan_day_without_a_shift_fails_and_says_what_to_do() -> None:
    depot = make_day(orders=2, shifts=0)
    plan = publish_day(depot)
    assert plan.status == PlanState.FAILED
    assert "add shifts" in plan.problem


def test_plan_day_ready_plan_is_unseen_until_it_is_published() -> None:
    depot = make_day(orders=4)
    plan = request_plan(
        depot_id=depot.pk, service_date=SERVICE_DATE, by=OFFICE, now=NOW
    )
    drain()
    plan.refresh_from_db()
    assert plan.status == PlanState.READY
    assert not Change.objects.exists()
    publish_plan(plan.pk, by=OFFICE, now=NOW)
    tables = set(Change.objects.values_list("table", flat=True))
    assert tables == {"routes", "stops", "orders", "recommendations"}
    assert set(FeedHead.objects.values_list("head", flat=True)) == {1}
    with pytest.raises(NothingToPublish):
        publish_plan(plan.pk, by=OFFICE, now=NOW)


def test_request_plan_a_second_time_replaces_the_unpublished_one() -> None:
    depot = make_day(orders=4)
    first = request_plan(
        depot_id=depot.pk, service_date=SERVICE_DATE, by=OFFICE, now=NOW
    )
    drain()
    second = publish_day(depot)
    first.refresh_from_db()
    assert first.status == PlanState.SUPERSEDED
    assert second.totals["served"] == 4
    assert Stop.objects.count() == 4


def test_request_plan_of_a_published_day_is_refused() -> None:
    depot = make_day(orders=2)
    publish_day(depot)
    with pytest.raises(DayIsRunning):
        request_plan(depot_id=depot.pk, service_date=SERVICE_DATE, by=OFFICE, now=NOW)


def test_request_plan_unknown_depot_is_refused() -> None:
    depot = make_day(orders=0)
    with pytest.raises(Invalid):
        request_plan(
            depot_id=OrderFactory.build().pk,
            service_date=SERVICE_DATE,
            by=OFFICE,
            now=NOW,
        )
    assert depot.plans.count() == 0


def test_reoptimize_failed_stop_keeps_what_is_done_and_tells_the_driver() -> None:
    depot = make_day(orders=12, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    first, second, *rest = sequence(route)
    start = route.starts_at
    begin(route.shift, start)
    with time_machine.travel(start + timedelta(minutes=90)):
        assert first.eta_at is not None
        in_time = first.eta_at + timedelta(seconds=first.service_s)
        assert report(first, "stop.succeeded", in_time) == OK
        report(second, "stop.failed", start + timedelta(minutes=80), reason="not_home")
        drain()
    after = sequence(Route.objects.get())
    assert [stop.pk for stop in after[:2]] == [first.pk, second.pk]
    assert {stop.pk for stop in after} == {first.pk, second.pk, *(s.pk for s in rest)}
    assert after[1].reason == "not_home"
    change = PlanChange.objects.get()
    assert change.eta_moved or change.moved
    assert change.why == "A stop failed: what follows moves up."
    assert change.acknowledged_at is None
    done = start + timedelta(minutes=95)
    for _ in range(2):
        assert (
            acknowledge_plan_change(
                driver_id=route.driver_id,
                change_id=str(change.pk),
                occurred_at=done,
                by=DEVICE,
                now=done,
            )
            == OK
        )
    change.refresh_from_db()
    assert change.acknowledged_at == done


def test_reoptimize_same_trigger_twice_plans_once() -> None:
    depot = make_day(orders=8, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    first = sequence(route)[0]
    report(
        first, "stop.failed", route.starts_at + timedelta(minutes=9), reason="closed"
    )
    drain()
    made = Plan.objects.filter(kind=Plan.Kind.REPLAN).count()
    for _ in range(3):
        reoptimize(
            depot_id=str(depot.pk),
            service_date=SERVICE_DATE.isoformat(),
            route_id=str(route.pk),
            cause="stop.failed",
        )
    assert Plan.objects.filter(kind=Plan.Kind.REPLAN).count() == made


def test_reoptimize_cancelled_order_leaves_its_driver() -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    stop = sequence(route)[2]
    orders.cancel_order(order_id=stop.order_id, reason="refund", by=OFFICE, now=NOW)
    drain()
    stop.refresh_from_db()
    assert stop.status == StopState.CANCELLED
    gone = Change.objects.get(scope=route.driver_id, row_id=str(stop.pk))
    assert gone.deleted
    places = [item.sequence for item in sequence(route)]
    assert places == list(range(1, 6))


def test_reoptimize_added_order_goes_to_a_van_still_at_the_depot() -> None:
    depot = make_day(orders=6, shifts=2)
    publish_day(depot)
    gone, waiting = Route.objects.order_by("id")
    begin(gone.shift, gone.starts_at)
    drain()
    order = make_order(depot, 3)
    reoptimize(
        depot_id=str(depot.pk),
        service_date=SERVICE_DATE.isoformat(),
        route_id=None,
        cause="order.created",
    )
    stop = Stop.objects.get(order=order)
    assert stop.route_id == waiting.pk
    told = PlanChange.objects.filter(route=waiting).get()
    assert [item["stop_id"] for item in told.added] == [str(stop.pk)]


def test_reoptimize_ended_shift_gives_back_what_it_did_not_visit() -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    drain()
    at = route.starts_at + timedelta(minutes=5)
    end_shift(shift_id=route.shift_id, occurred_at=at, by=DEVICE, now=at)
    drain()
    route.refresh_from_db()
    assert route.status == RouteState.FINISHED
    assert len(left_out(depot.pk, SERVICE_DATE)) == 6
    assert not StopAssignment.objects.filter(until_at=None).exists()


def test_store_plan_answer_for_a_day_that_moved_on_is_thrown_away() -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    drain()
    now = route.starts_at + timedelta(minutes=10)
    day = intake.running_input(depot.pk, SERVICE_DATE, route_ids=[route.pk], now=now)
    plan = claim_replan(
        depot_id=depot.pk,
        service_date=SERVICE_DATE,
        input_version="test",
        cause={},
        by=OFFICE,
        now=now,
    )
    assert plan is not None
    answer = answer_day(
        day, plan_id=plan.pk, kind="replan", on_progress=lambda *_: None
    )
    last = sequence(route)[-1]
    report(last, "stop.arrived", now)
    before = list(Stop.objects.order_by("pk").values())
    issued = Recommendation.objects.count()
    with pytest.raises(StaleInput):
        store_plan(plan.pk, answer, by=OFFICE, now=now)
    assert list(Stop.objects.order_by("pk").values()) == before
    assert Recommendation.objects.count() == issued


def test_record_stop_event_outcome_reaches_the_order() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    stop = sequence(route)[0]
    at = route.starts_at + timedelta(minutes=5)
    report(stop, "stop.succeeded", at)
    stop.order.refresh_from_db()
    assert stop.order.status == OrderState.DELIVERED
    report(stop, "stop.reopened", at + timedelta(minutes=1))
    stop.order.refresh_from_db()
    stop.refresh_from_db()
    assert stop.order.status == OrderState.OPEN
    assert stop.status == StopState.PENDING


def test_reoptimize_break_that_was_taken_is_not_given_twice() -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    rest = ShiftBreakFactory(shift=route.shift)
    at = rest.opens_at + timedelta(minutes=10)
    before = intake.running_input(depot.pk, SERVICE_DATE, route_ids=None, now=at)
    assert [len(shift.breaks) for shift in before.shifts] == [1]
    pause_shift(shift_id=route.shift_id, occurred_at=at, by=DEVICE, now=at)
    after = intake.running_input(depot.pk, SERVICE_DATE, route_ids=None, now=at)
    assert [len(shift.breaks) for shift in after.shifts] == [0]


def test_plan_day_a_requirement_is_met_however_it_is_spelled() -> None:
    depot = make_day(orders=1, shifts=0)
    ShiftFactory(
        depot=depot, vehicle=VehicleFactory(depot=depot, capabilities=["cool_box"])
    )
    make_order(depot, 2, requires=["Cool box"])
    assert publish_day(depot).totals["served"] == 2


def test_record_stop_event_lateness_is_told_once() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    stop = sequence(Route.objects.get())[0]
    assert stop.plan_eta_at is not None
    arrival = stop.plan_eta_at + timedelta(minutes=15)
    report(stop, "stop.arrived", arrival)
    report(stop, "stop.succeeded", arrival + timedelta(seconds=stop.service_s))
    late = {
        entry.kind: entry.payload["late_s"]
        for entry in Entry.objects.filter(subject_id=str(stop.pk))
    }
    assert (late["stop.arrived"], late["stop.succeeded"]) == (900, 0)


def test_record_stop_event_waiting_for_a_window_is_no_lead() -> None:
    depot = make_day(orders=3, shifts=1)
    publish_day(depot)
    stop = sequence(Route.objects.get())[0]
    assert stop.eta_at is not None
    report(stop, "stop.arrived", stop.eta_at - timedelta(minutes=25))
    entry = Entry.objects.get(kind="stop.arrived")
    assert entry.payload["late_s"] == 0


def test_reoptimize_added_order_without_a_van_at_the_depot_says_so() -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    drain()
    order = make_order(depot, 3)
    reoptimize(
        depot_id=str(depot.pk),
        service_date=SERVICE_DATE.isoformat(),
        route_id=None,
        cause="order.created",
    )
    (item,) = left_out(depot.pk, SERVICE_DATE)
    assert (item.order_id, item.code) == (order.pk, "vans_have_left")
    assert "add a shift" in item.detail


def test_reoptimize_parcel_on_board_is_late_rather_than_left_out() -> None:
    depot = make_day(orders=3, shifts=1)
    order = make_order(depot, 4)
    TimeWindowFactory(
        order=order,
        opens_at=NOW + timedelta(hours=1),
        closes_at=NOW + timedelta(hours=2),
    )
    publish_day(depot)
    route = Route.objects.get()
    begin(route.shift, route.starts_at)
    drain()
    with time_machine.travel(NOW + timedelta(hours=3)):
        reoptimize(
            depot_id=str(depot.pk),
            service_date=SERVICE_DATE.isoformat(),
            route_id=str(route.pk),
            cause="running_late",
        )
    stop = Stop.objects.get(order=order)
    assert stop.route_id == route.pk
    assert stop.eta_at is not None
    assert stop.eta_at > NOW + timedelta(hours=3)
    plan = Plan.objects.filter(kind=Plan.Kind.REPLAN).first()
    assert plan is not None
    assert plan.recommendation is not None
    assert "late" in {reason["code"] for reason in plan.recommendation.reasons}
