"""Nothing is planned outside a shift, or for a vehicle that cannot do it (C7, C9)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from apps.depots.models import Depot
from apps.drivers import services as drivers
from apps.orders.models import Order
from apps.routes.models import PlanningParameter, Route, Stop
from apps.routes.needs import needs_of, refusal
from apps.routes.selectors import left_out
from apps.routes.solver.port import engine_names
from tests.factories import (
    NOW,
    SERVICE_DATE,
    DriverFactory,
    ShiftBreakFactory,
    ShiftFactory,
    TimeWindowFactory,
    VehicleFactory,
)
from tests.orders.importing import codes, import_file
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, make_order, publish_day

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_six_in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def plan_by(depot: Depot, engine: str) -> None:
    PlanningParameter.objects.create(
        depot=depot,
        name="engine",
        version=1,
        value=engine,
        valid_from=NOW - timedelta(days=1),
        created_by="test",
    )


def machine_shift(depot: Depot, kind: str, *skills: str, **vehicle: object) -> None:
    ShiftFactory(
        depot=depot,
        driver=DriverFactory(depot=depot, skills=list(skills)),
        vehicle=VehicleFactory(depot=depot, type_id=kind, **vehicle),
    )


def why(order: Order) -> str:
    (item,) = [
        item
        for item in left_out(order.depot_id, SERVICE_DATE)
        if item.order_id == order.pk
    ]
    assert item.code == "no_capable_vehicle"
    return item.detail


@pytest.mark.parametrize("engine", engine_names())
@pytest.mark.parametrize("kind", ["robot", "drone", "locker"])
def test_machine_alone_leaves_out_what_must_be_signed_for(
    kind: str, engine: str
) -> None:
    depot = make_day(orders=2, shifts=0)
    plan_by(depot, engine)
    machine_shift(depot, kind, "signature", capabilities=["fridge"])
    signed = make_order(depot, 3, proof=["signature"])
    by_skill = make_order(depot, 4, requires=["signature"])
    plan = publish_day(depot)
    assert (plan.totals["served"], plan.totals["unserved"]) == (2, 2)
    assert not Stop.objects.filter(order__in=[signed, by_skill]).exists()
    assert "Nobody on shift can take a signature" in why(signed)
    assert "Nobody on shift can take a signature" in why(by_skill)


@pytest.mark.parametrize("engine", engine_names())
def test_robot_beside_a_van_gets_only_what_needs_no_person(engine: str) -> None:
    depot = make_day(orders=6, shifts=1)
    plan_by(depot, engine)
    machine_shift(depot, "robot", cost_per_km_minor=0, cost_per_hour_minor=0)
    for number, needs in enumerate(
        [
            {"proof": ["signature", "photo"]},
            {"requires": ["Cash on delivery"]},
            {"requires": ["Age check"]},
            {"requires": ["carry upstairs"]},
        ]
    ):
        make_order(depot, 6 + number, **needs)
    plan = publish_day(depot)
    assert plan.totals["served"] == 10
    robot = Route.objects.get(shift__vehicle__type="robot")
    carried = [stop.order for stop in robot.stops.select_related("order")]
    assert carried, "the robot costs nothing: what it can bring goes with it"
    assert not any(order.proof or order.requires for order in carried)


FILE = (
    "Auftragsnr;Breitengrad;Längengrad;Anforderungen;Nachweis\n"
    "SIGN-1;49.5105;11.2772;;Unterschrift\n"
    "SIGN-2;49.5111;11.2779;Unterschrift;\n"
    "SIGN-3;49.5121;11.2765;;Unterschrift, Foto\n"
    "PHOTO-1;49.5118;11.2783;;Foto\n"
    "PHOTO-2;49.5098;11.2761;;Foto\n"
    "PLAIN-1;49.5109;11.2790;;\n"
)


@pytest.mark.parametrize("engine", engine_names())
def test_robot_gets_no_signature_from_file_to_plan_and_through_a_cancelled_shift(
    engine: str,
) -> None:
    depot = make_day(orders=0, shifts=1)
    plan_by(depot, engine)
    machine_shift(depot, "robot", cost_per_km_minor=0, cost_per_hour_minor=0)
    run = import_file(depot, FILE)
    assert codes(run) == {}
    plan = publish_day(depot)
    assert (plan.totals["served"], plan.totals["unserved"]) == (6, 0)

    def robots() -> set[str]:
        stops = Stop.objects.filter(route__shift__vehicle__type="robot")
        return set(stops.values_list("order__reference", flat=True))

    assert robots() == {"PHOTO-1", "PHOTO-2", "PLAIN-1"}
    van = Route.objects.exclude(shift__vehicle__type="robot").get()
    drivers.cancel_shift(
        shift_id=van.shift_id, expected_version=None, by=OFFICE, now=NOW
    )
    drain()
    assert robots() == {"PHOTO-1", "PHOTO-2", "PLAIN-1"}
    assert {item.reference for item in left_out(depot.pk, SERVICE_DATE)} == {
        "SIGN-1",
        "SIGN-2",
        "SIGN-3",
    }


def test_vehicle_that_lacks_what_its_type_can_gets_no_such_order() -> None:
    depot = make_day(orders=1, shifts=0)
    ShiftFactory(depot=depot, vehicle=VehicleFactory(depot=depot, lacks=["cash"]))
    order = make_order(depot, 2, requires=["cash"])
    publish_day(depot)
    assert "Nobody on shift can take cash" in why(order)


def test_needs_met_apart_and_not_together_are_said_so() -> None:
    depot = make_day(orders=1, shifts=0)
    machine_shift(depot, "van", capabilities=["fridge"])
    machine_shift(depot, "van", capabilities=["lift"])
    order = make_order(depot, 2, requires=["fridge", "lift"])
    publish_day(depot)
    assert "“fridge” and provide “lift” at once" in why(order)


def test_needs_of_takes_other_words_and_proof_together() -> None:
    assert needs_of(["COD", "Cool box"], ["signature", "code"]) == (
        "cash",
        "cool-box",
        "proof-code",
        "proof-signature",
    )


def test_refusal_of_many_needs_fits_its_column() -> None:
    assert len(refusal(["x" * 40] * 20, [])) <= 300


def test_stops_lie_in_their_shift_and_out_of_its_break() -> None:
    depot = make_day(orders=14, shifts=0)
    early = ShiftFactory(depot=depot, ends_at=NOW + timedelta(hours=3))
    late = ShiftFactory(depot=depot, starts_at=NOW + timedelta(hours=6))
    rest = ShiftBreakFactory(shift=late)
    in_early = make_order(depot, 3)
    TimeWindowFactory(order=in_early, opens_at=NOW + timedelta(hours=2))
    between = make_order(depot, 4, reference="BETWEEN")
    TimeWindowFactory(
        order=between,
        opens_at=NOW + timedelta(hours=4),
        closes_at=NOW + timedelta(hours=5),
    )
    publish_day(depot)
    (item,) = left_out(depot.pk, SERVICE_DATE)
    assert (item.reference, item.code) == ("BETWEEN", "no_window_in_any_shift")
    assert Stop.objects.get(order=in_early).route == early.route
    for stop in Stop.objects.select_related("route__shift"):
        assert stop.route is not None
        assert stop.eta_at is not None
        shift, served = stop.route.shift, timedelta(seconds=stop.service_s)
        assert shift.starts_at <= stop.eta_at
        assert stop.eta_at + served <= shift.ends_at
        if shift == late and stop.route.break_starts_at and stop.route.break_ends_at:
            assert stop.route.break_starts_at >= rest.opens_at
            during = stop.eta_at < stop.route.break_ends_at
            assert not (during and stop.eta_at + served > stop.route.break_starts_at)


def test_cancelled_shift_gives_its_stops_to_those_who_work() -> None:
    depot = make_day(orders=8, shifts=2)
    publish_day(depot)
    gone, stays = Route.objects.order_by("id")
    assert gone.stops.count()
    drivers.cancel_shift(
        shift_id=gone.shift_id, expected_version=None, by=OFFICE, now=NOW
    )
    drain()
    assert gone.stops.count() == 0
    assert stays.stops.count() == 8
    assert left_out(depot.pk, SERVICE_DATE) == []


def test_added_shift_takes_what_was_left_out() -> None:
    depot = make_day(orders=4, shifts=1)
    order = make_order(depot, 5, requires=["crane"])
    publish_day(depot)
    begin(Route.objects.get().shift, NOW + timedelta(hours=1))
    drain()
    assert "crane" in why(order)
    driver = DriverFactory(depot=depot)
    drivers.plan_shift(
        driver=driver,
        vehicle=VehicleFactory(depot=depot, capabilities=["crane"]),
        service_date=SERVICE_DATE,
        times=drivers.ShiftTimes(NOW + timedelta(hours=2), NOW + timedelta(hours=8)),
        by=OFFICE,
        now=NOW,
    )
    drain()
    stop = Stop.objects.get(order=order)
    assert stop.route is not None
    assert stop.route.driver_id == driver.pk


def test_changed_shift_is_planned_by_its_new_hours() -> None:
    depot = make_day(orders=6, shifts=2)
    order = make_order(depot, 4)
    TimeWindowFactory(order=order)
    publish_day(depot)
    shift = Stop.objects.get(order=order).route.shift  # type: ignore[union-attr]
    later = NOW + timedelta(hours=6)
    drivers.change_shift(
        shift_id=shift.pk,
        expected_version=None,
        times=drivers.ShiftTimes(later, later + timedelta(hours=4)),
        vehicle=None,
        by=OFFICE,
        now=NOW,
    )
    drain()
    for stop in Stop.objects.select_related("route__shift"):
        assert stop.route is not None
        assert stop.eta_at is not None
        assert stop.eta_at >= stop.route.shift.starts_at
    assert Stop.objects.get(order=order).route.shift != shift  # type: ignore[union-attr]
