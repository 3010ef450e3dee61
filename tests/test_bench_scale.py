"""What the benchmarks of large days and of matrices are made of."""

import os
import subprocess
import sys

import pytest
from pytest_django import Settings

from apps.depots.models import Depot
from apps.drivers.models import Shift
from apps.orders.models import Order
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.intake import day_input
from tests.bench._family import Watch, family, spent_s, waited_s
from tests.bench._large_days import DAY, composed_large_day, lay_out_days
from tests.bench.matrix import TOWN, osrm_here, pair_by_pair, places_in
from tests.bench.scale import depots_of, exponents
from tests.factories import NOW


@pytest.mark.django_db
def test_laid_out_days_are_read_as_they_were_composed() -> None:
    depots = lay_out_days(depots=2, orders=41, vehicles=5, seed=3)
    assert [row.code for row in Depot.objects.order_by("code")] == [
        "large-0",
        "large-1",
    ]
    assert (Order.objects.count(), Shift.objects.count()) == (41, 5)
    composed = composed_large_day(orders=21, shifts=3, seed=3)
    read = day_input(depots[0].pk, DAY, now=NOW)
    orders = {order.order_id: order for order in read.orders}
    for order in composed.orders:
        found = orders[order.order_id]
        assert (found.point, found.windows) == (order.point, order.windows)
        assert (found.demands, found.service_s) == (order.demands, order.service_s)
        assert found.is_pickup == order.is_pickup
        assert {*order.requires} <= {*found.requires}
    shifts = {shift.shift_id: shift for shift in read.shifts}
    for shift in composed.shifts:
        same = shifts[shift.shift_id]
        assert (same.free_at, same.ends_at) == (shift.free_at, shift.ends_at)
        assert (same.capacities, same.breaks) == (shift.capacities, shift.breaks)
        assert {*shift.capabilities} <= {*same.capabilities}


def test_growth_is_told_as_a_power_of_the_orders() -> None:
    rows = [
        {"orders": 1000, "seconds": 10.0, "processor_s": 20.0, "peak_mb": 100},
        {"orders": 4000, "seconds": 160.0, "processor_s": 80.0, "peak_mb": 400},
    ]
    assert exponents(rows) == {"seconds": 2.0, "processor_s": 1.0, "peak_mb": 1.0}
    assert exponents(rows[:1]) == {}


def test_growth_is_fitted_to_every_size() -> None:
    rows = [
        {"orders": 1000, "seconds": 10.0, "processor_s": 10.0, "peak_mb": 100},
        {"orders": 2000, "seconds": 40.0, "processor_s": 20.0, "peak_mb": 100},
        {"orders": 4000, "seconds": 40.0, "processor_s": 40.0, "peak_mb": 100},
        {"orders": 8000, "seconds": 80.0, "processor_s": 80.0, "peak_mb": 100},
    ]
    # From end to end it were linear; the bend between says otherwise: 0.9 of a power.
    assert exponents(rows) == {"seconds": 0.9, "processor_s": 1.0, "peak_mb": 0.0}


def test_day_that_names_no_depots_has_them_in_proportion() -> None:
    assert [depots_of(count) for count in (250, 1000, 10_000, 20_000)] == [1, 1, 4, 8]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_watch_counts_the_memory_of_children() -> None:
    script = "held = bytearray(80_000_000); print(len(held), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in family(os.getpid())
        watch = Watch(child.pid)
        watch.look()
        assert watch.stop() >= 80
        child.communicate(b"\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_processor_time_of_a_child_is_counted_while_it_lives_and_after() -> None:
    script = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True); input()"
    before_s, _ = spent_s()
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert spent_s()[0] - before_s >= 0.28
        child.communicate(b"\n")
    assert spent_s()[0] - before_s >= 0.28


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_waits_for_a_core_is_counted() -> None:
    core = min(os.sched_getaffinity(0))
    script = (
        f"import os, sys, time; os.sched_setaffinity(0, {{{core}}}); os.fork()\n"
        "while time.process_time() < 0.2: pass\n"
        "print(os.getpid(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        both = [int(child.stdout.readline()) for _ in range(2)]
        waited = sum(map(waited_s, both))
        child.communicate(b"")

    assert waited > 0.1, "one of them had no core while the other had it"


def test_peer_of_the_estimate_says_the_same() -> None:
    points = places_in(TOWN, 12, seed=1)
    ours = EstimatedTravelTimes().matrix(points).durations_s
    # The great circle is within 0.6 % of the ellipsoid's geodesic.
    for row, others in zip(ours.tolist(), pair_by_pair(points), strict=True):
        assert row == pytest.approx(others, rel=0.006, abs=1)


def test_matrix_without_a_network_says_what_to_do(
    settings: Settings, tmp_path: object
) -> None:
    settings.ROADS_DIR = tmp_path
    with pytest.raises(RoadsFailed, match="build_roads"):
        osrm_here()
