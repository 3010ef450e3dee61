from apps.routes.solver.problem import Break, Job, TimeWindow, Vehicle
from apps.routes.solver.resting import AFTER_END, BEFORE_DEPARTURE
from apps.routes.solver.schedule import Times, forward, leave_late, time_route
from apps.routes.solver.view import View
from tests.routes.solver.instances import job, line_problem, van


def window(start_s: int, end_s: int) -> TimeWindow:
    return TimeWindow(start_s=start_s, end_s=end_s)


def view(*jobs: Job, vehicle: Vehicle | None = None) -> View:
    return View(line_problem(jobs=jobs, vehicles=(vehicle or van(),)))


def timed(day: View, *sequence: int) -> Times:
    times = time_route(day, 0, sequence)
    assert times is not None
    return times


def test_time_route_adds_travel_and_service() -> None:
    times = timed(view(job("a", 1), job("b", 3)), 0, 1)

    assert times.arrivals_s == [100, 360]
    assert times.finishes_s == [160, 420]
    assert times.end_s == 720


def test_time_route_waits_for_the_second_window() -> None:
    day = view(job("a", 1, windows=(window(900, 1000), window(0, 50))))

    times = timed(day, 0)

    assert times.starts_s == [900]
    assert times.slack_s == 800


def test_time_route_keeps_windows_half_open() -> None:
    assert time_route(view(job("a", 1, windows=(window(0, 101),))), 0, (0,))
    assert time_route(view(job("a", 1, windows=(window(0, 100),))), 0, (0,)) is None


def test_time_route_scales_for_the_vehicle() -> None:
    slow = van(travel_percent=150, service_percent=50)

    times = timed(view(job("a", 1), vehicle=slow), 0)

    assert (times.arrivals_s, times.finishes_s, times.end_s) == ([150], [180], 330)


def test_time_route_refuses_beyond_overtime() -> None:
    day = [job("a", 1)]

    assert time_route(view(*day, vehicle=van(end_s=200, max_overtime_s=60)), 0, (0,))
    assert time_route(view(*day, vehicle=van(end_s=200)), 0, (0,)) is None


def test_leave_late_ends_no_later() -> None:
    day = view(job("a", 1, windows=(window(900, 1000),)), job("b", 2))
    times = timed(day, 0, 1)

    late = leave_late(day, 0, (0, 1), times)

    assert late.departure_s == 800
    assert late.end_s == times.end_s
    assert late.starts_s == times.starts_s


def test_time_route_waits_at_the_depot_for_a_release() -> None:
    times = timed(view(job("a", 1), job("b", 2, release_s=500)), 0, 1)

    assert times.departure_s == 500


def test_time_route_takes_a_break_while_it_waits_anyway() -> None:
    rest = Break(earliest_s=0, latest_s=5000, duration_s=300)
    day = view(
        job("a", 1),
        job("b", 2, windows=(window(2000, 3000),)),
        vehicle=van(breaks=(rest,)),
    )

    times = timed(day, 0, 1)

    assert times.starts_s == [100, 2000]
    assert times.end_s == 2260


def test_time_route_takes_a_break_as_late_as_its_window_lets() -> None:
    rest = Break(earliest_s=150, latest_s=250, duration_s=300)
    day = view(job("a", 1), job("b", 2), job("c", 3), vehicle=van(breaks=(rest,)))

    times = timed(day, 0, 1, 2)

    assert times.rests_s == [160]
    assert times.arrivals_s == [100, 560, 720]


def test_time_route_moves_a_break_where_the_quick_rule_fails() -> None:
    rest = Break(earliest_s=100, latest_s=600, duration_s=300)
    tight = job("b", 2, windows=(window(510, 621),))
    later = job("c", 3, windows=(window(0, 800),))
    day = view(job("a", 1), tight, later, vehicle=van(breaks=(rest,)))

    times = timed(day, 0, 1, 2)

    assert times.rests_s == [100]
    assert times.starts_s == [400, 560, 720]


def test_time_route_needs_no_break_after_its_end() -> None:
    rest = Break(earliest_s=0, latest_s=400, duration_s=300)

    times = timed(view(job("a", 1), vehicle=van(breaks=(rest,))), 0)

    assert times.slots == (AFTER_END,)
    assert times.end_s == 260


def test_forward_departs_after_a_break_before_departure() -> None:
    rest = Break(earliest_s=50, latest_s=60, duration_s=300)
    day = view(job("a", 1), vehicle=van(breaks=(rest,)))

    times = forward(day, 0, (0,), (BEFORE_DEPARTURE,))

    assert times is not None
    assert times.departure_s == 350


def test_time_route_serves_commitments_though_they_are_late() -> None:
    vehicle = van(start_s=1000, end_s=1200, locked=("a", "b"))
    missed = job("a", 3, windows=(window(0, 500),))
    day = view(missed, job("b", 5), job("c", 1), vehicle=vehicle)

    times = timed(day, 0, 1)

    assert times.starts_s == [1300, 1560]
    assert times.slack_s == 0
    assert time_route(day, 0, (0, 1, 2)) is None


def test_time_route_puts_a_break_off_until_commitments_are_done() -> None:
    rest = Break(earliest_s=0, latest_s=50, duration_s=300)
    vehicle = van(locked=("a",), breaks=(rest,))
    day = view(job("a", 1), job("b", 2), vehicle=vehicle)

    times = timed(day, 0, 1)

    assert times.arrivals_s[0] == 100
    assert times.rests_s == [160]


def test_time_route_ends_an_open_route_at_its_last_stop() -> None:
    assert timed(view(job("a", 4), vehicle=van(end_location=None)), 0).end_s == 460
