"""The process that `bench scale` measures: it makes plans, and says how long they took."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import django

from tests.bench._family import spent_s

Figures = dict[str, Any]


def main(words: list[str]) -> Figures:
    """Plan a day of several depots, or compare with the peer."""
    django.setup()
    what, *numbers = words
    if what == "day":
        return plan_days(*map(int, numbers))
    return compare(*map(int, numbers))


def plan_days(orders: int, vehicles: int, depots: int, seed: int) -> Figures:
    """Lay days out, and plan each depot's by the task's own function."""
    from django.core.management import call_command  # noqa: PLC0415

    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.routes import intake, tasks  # noqa: PLC0415
    from apps.routes.services.applying import store_plan  # noqa: PLC0415
    from apps.routes.services.plans import request_plan  # noqa: PLC0415
    from apps.routes.solving import answer_day  # noqa: PLC0415
    from tests.bench._large_days import DAY, lay_out_days  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    laid = lay_out_days(depots=depots, orders=orders, vehicles=vehicles, seed=seed)
    plans = [
        request_plan(depot_id=depot.pk, service_date=DAY, by=SYSTEM, now=clock.now())
        for depot in laid
    ]
    laps: Figures = {"read_s": 0.0, "plan_s": 0.0, "store_s": 0.0}
    started, own, (before_s, _) = time.perf_counter(), time.process_time(), spent_s()
    with (
        patch.object(intake, "day_input", timed(intake.day_input, laps, "read_s")),
        patch.object(tasks, "answer_day", timed(answer_day, laps, "plan_s")),
        patch.object(tasks, "store_plan", timed(store_plan, laps, "store_s")),
    ):
        for plan in plans:
            tasks.plan_day(plan_id=str(plan.pk))
    seconds, own_s = time.perf_counter() - started, time.process_time() - own
    all_s = spent_s()[0] - before_s
    for plan in plans:
        plan.refresh_from_db()
        if not plan.totals:
            raise SystemExit(f"{plan}: {plan.status}. {plan.problem}")
    served = sum(plan.totals["served"] for plan in plans)
    cost_minor = sum(plan.totals["cost_minor"] for plan in plans)
    return {
        "orders": orders,
        "vehicles": vehicles,
        "depots": depots,
        "seconds": round(seconds, 1),
        "unserved": sum(plan.totals["unserved"] for plan in plans),
        "served": served,
        "distance_km": round(sum(plan.totals["distance_m"] for plan in plans) / 1000),
        "cost_an_order": round(cost_minor / 100 / max(1, served), 3),
        **{name: round(value, 1) for name, value in laps.items()},
        # What it took of a core with the searches in its family, and without.
        "processor_s": round(all_s, 1),
        "processor_ms_an_order": round(1000 * all_s / max(1, orders), 1),
        "own_processor_s": round(own_s, 1),
    }


def timed(act: Callable[..., Any], laps: Figures, name: str) -> Callable[..., Any]:
    """Return a function that does the same and adds up the seconds that it takes."""

    def also_timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return act(*arguments, **named)
        finally:
            laps[name] += time.perf_counter() - started

    return also_timed


def compare(orders: int, seed: int) -> Figures:
    """Plan one depot's day in parts and by one search, with the same processor's time."""
    from apps.routes.chain import GRACE_S  # noqa: PLC0415
    from apps.routes.gateways.estimated import EstimatedTravelTimes  # noqa: PLC0415
    from apps.routes.inparts import Means, PlanningInParts  # noqa: PLC0415
    from apps.routes.largedays import SEARCH_S_AN_ORDER, plane  # noqa: PLC0415
    from apps.routes.planning import build_problem  # noqa: PLC0415
    from apps.routes.solver.port import Stop  # noqa: PLC0415
    from apps.routes.solver.problem import Matrix  # noqa: PLC0415
    from apps.routes.solver.process import solve_in_process  # noqa: PLC0415
    from tests.bench._large_days import composed_large_day  # noqa: PLC0415

    day = composed_large_day(orders=orders, shifts=max(2, orders // 100), seed=seed)
    points, source = day.points(), EstimatedTravelTimes()
    matrix = source.matrix(points)
    problem = build_problem(
        day, durations_s=matrix.durations_s, distances_m=matrix.distances_m
    )

    def matrices_of(locations: Any) -> tuple[Matrix, ...]:
        some = source.matrix([points[location] for location in locations])
        return (Matrix(durations_s=some.durations_s, distances_m=some.distances_m),)

    means = Means(
        engines=("pyvrp",),
        stops={},
        seed=seed,
        wall_s=120.0,
        search_s_a_job=SEARCH_S_AN_ORDER,
    )
    started = time.perf_counter()
    planning = PlanningInParts(
        replace(problem, matrices=()), plane(points), matrices_of, means
    )
    planning.plan()
    ours = planning.answer().solution
    seconds = time.perf_counter() - started
    limit_s = round(means.at_a_time * seconds)
    started = time.perf_counter()
    whole = solve_in_process(
        problem,
        engine="pyvrp",
        stop=Stop(time_limit_s=limit_s),
        seed=seed,
        timeout_s=limit_s + 20 * GRACE_S,
    )
    whole_seconds = time.perf_counter() - started
    ours_milli, whole_milli = ours.cost.total_milli, whole.cost.total_milli
    return {
        "orders": orders,
        "in_parts_s": round(seconds, 1),
        "in_parts_cost": round(ours_milli / 100_000, 2),
        "in_parts_unserved": len(ours.unserved),
        "one_search_s": round(whole_seconds, 1),
        "one_search_cost": round(whole_milli / 100_000, 2),
        "one_search_unserved": len(whole.unserved),
        "loss_pct": round(100 * (ours_milli - whole_milli) / whole_milli, 2),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])) + "\n")
