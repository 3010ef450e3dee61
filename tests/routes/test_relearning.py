"""Travel times relearned: planted truths are found, and noise teaches nothing."""

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine

from apps.core.actors import SYSTEM
from apps.core.problems import NotFound
from apps.core.units import great_circle_m
from apps.depots.models import Depot
from apps.drivers.models import ShiftBreak
from apps.journal.models import Entry
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.driven import driven_legs
from apps.routes.gateways.choice import travel_times
from apps.routes.models import Plan, PlanningParameter, Route, Stop
from apps.routes.parameterledger import rerun
from apps.routes.parameters import DEFAULTS
from apps.routes.relearning import (
    LEAST_LEGS,
    DrivenLeg,
    Law,
    lesson_of_estimate,
    lesson_of_roads,
    usual_hours,
)
from apps.routes.selectors import parameters_in_force
from apps.routes.services.learning import relearn_travel
from apps.routes.services.parameters import keep_parameters
from apps.routes.states import StopState
from apps.routes.tasks import relearn_travel as relearn_every_depot
from tests.factories import NOW, SERVICE_DATE, DepotFactory, OrderFactory, ShiftFactory
from tests.routes.days import OFFICE

LAW = Law(c_s=219.0, p=0.70, by_hour=usual_hours(()), roads_factor=1.0)
RUSH = tuple(1.6 if hour in {8, 17} else 1.0 for hour in range(24))


def driven(
    count: int, *, c_s: float, p: float, hours: tuple[float, ...], noise: float = 0.25
) -> list[DrivenLeg]:
    """Return legs as a town with another law would have them, with noise."""
    chance = random.Random(5)  # noqa: S311 (repeatable)
    legs = []
    for _ in range(count):
        km, hour = chance.uniform(0.2, 6), chance.randrange(7, 19)
        took_s = c_s * km**p * hours[hour] * math.exp(chance.gauss(0, noise))
        free_s = took_s / hours[hour] / 1.4 * math.exp(chance.gauss(0, 0.1))
        legs.append(DrivenLeg(hour, km, took_s, free_s))
    return legs


def test_a_planted_law_is_found_with_its_rush_hours() -> None:
    legs = driven(3000, c_s=300, p=0.6, hours=RUSH)

    lesson = lesson_of_estimate(legs, LAW, LAW)

    assert lesson is not None
    for km, hour in ((0.5, 10), (2.0, 8), (5.0, 17), (3.0, 13)):
        truth_s = 300 * km**0.6 * RUSH[hour] * math.exp(0.25**2 / 2)
        law = lesson.law
        told_s = law.c_s * km**law.p * law.by_hour[hour]
        assert told_s == pytest.approx(truth_s, rel=0.08), (km, hour)
    assert lesson.error_after_s < 0.7 * lesson.error_before_s
    assert lesson.law.by_hour[3] == pytest.approx(LAW.by_hour[3], rel=0.2), "unseen"


def test_absurd_legs_teach_nothing() -> None:
    legs = driven(2000, c_s=300, p=0.6, hours=RUSH)
    clean = lesson_of_estimate(legs, LAW, LAW)
    absurd = [
        replace(leg, took_s=leg.took_s * 25) if n % 20 == 0 else leg
        for n, leg in enumerate(legs)
    ]

    lesson = lesson_of_estimate(absurd, LAW, LAW)

    assert clean is not None
    assert lesson is not None
    assert lesson.law.c_s == pytest.approx(clean.law.c_s, rel=0.12)


def test_what_is_in_force_stays_where_it_is_right() -> None:
    legs = driven(1500, c_s=219, p=0.70, hours=LAW.by_hour)

    assert lesson_of_estimate(legs, LAW, LAW) is None


def test_few_legs_teach_nothing_and_some_only_a_part() -> None:
    legs = driven(2000, c_s=400, p=0.70, hours=LAW.by_hour, noise=0.1)

    few = lesson_of_estimate(legs[:LEAST_LEGS], LAW, LAW)
    many = lesson_of_estimate(legs, LAW, LAW)

    assert lesson_of_estimate(legs[: LEAST_LEGS - 1], LAW, LAW) is None
    assert few is not None
    assert many is not None
    assert LAW.c_s < few.law.c_s < many.law.c_s < 405


def test_the_roads_factor_is_found() -> None:
    legs = driven(1500, c_s=219, p=0.7, hours=LAW.by_hour)

    lesson = lesson_of_roads(legs, LAW, LAW)

    assert lesson is not None
    assert lesson.law.roads_factor == pytest.approx(1.4, rel=0.05)
    assert (
        lesson_of_roads([replace(leg, free_s=None) for leg in legs], LAW, LAW) is None
    )


@pytest.fixture
def driven_depot(db: None) -> Depot:
    """Three days that are driven at half the speed that the law has."""
    depot: Depot = DepotFactory()
    chance = random.Random(8)  # noqa: S311 (repeatable)
    plan = Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=1,
        requested_by="test",
        requested_at=NOW - timedelta(days=5),
    )
    for day in range(3):
        shift = ShiftFactory(depot=depot, starts_at=NOW - timedelta(days=day + 1))
        route = Route.objects.create(
            depot=depot,
            shift=shift,
            driver=shift.driver,
            service_date=shift.service_date,
            plan=plan,
            travel_quality="roads",
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
        )
        drive(route, shift.starts_at + timedelta(minutes=10), 60, chance)
    return depot


def drive(route: Route, at: datetime, stops: int, chance: random.Random) -> None:
    """Let a route's stops be done one after the other, each leg at half the speed."""
    before: Stop | None = None
    hours = usual_hours(())
    for number in range(1, stops + 1):
        order = OrderFactory(
            depot=route.depot,
            latitude=49.5 + chance.uniform(-0.02, 0.02),
            longitude=11.28 + chance.uniform(-0.03, 0.03),
        )
        stop = Stop(order=order, route=route, sequence=number, service_s=60)
        if before is not None:
            km = great_circle_m(before.order.point, order.point) / 1000
            stop.leg_s, stop.leg_from = round(100 * km**0.7), before.pk
            hour = (at.hour + 1) % 24
            at += timedelta(seconds=2 * 219 * km**0.7 * hours[hour])
        stop.arrived_at, stop.completed_at = at, at + timedelta(seconds=60)
        stop.status = StopState.SUCCEEDED
        stop.save()
        at, before = stop.completed_at, stop


def test_relearn_writes_down_what_it_learned_and_puts_nothing_in_force(
    driven_depot: Depot,
) -> None:
    row = relearn_travel(driven_depot, by=SYSTEM, now=NOW)

    assert row is not None
    assert row.state == "issued", "it waits for people"
    found = row.parameters
    assert set(found) == {"travel_c_s", "travel_p", "travel_by_hour", "roads_factor"}
    assert found["travel_c_s"] == pytest.approx(2 * 219, rel=0.2)
    assert found["roads_factor"] == pytest.approx(4.38 * 0.68, rel=0.1)
    assert "177 driven legs of 28 days" in row.reasons[0]["text"]
    assert rerun(stored_inputs(row)) == stored_answer(row)
    assert not PlanningParameter.objects.exists()
    assert parameters_in_force(driven_depot.pk, NOW) == DEFAULTS
    entry = Entry.objects.get(kind="parameters.learned")
    assert entry.payload["recommendation_id"] == str(row.pk)
    assert entry.payload["values"] == found


def test_what_was_learned_makes_travel_longer_once_it_is_kept(
    driven_depot: Depot,
) -> None:
    row = relearn_travel(driven_depot, by=SYSTEM, now=NOW)
    assert row is not None
    keep_parameters(driven_depot.pk, row.parameters, because="", by=OFFICE, now=NOW)

    points = [driven_depot.point, replace(driven_depot.point, lat=49.53)]
    old = travel_times(parameters_in_force(driven_depot.pk, NOW - timedelta(1)))
    fresh = travel_times(parameters_in_force(driven_depot.pk, NOW))
    before_s = old.matrix(points, departs_hour=9).durations_s[0, 1]
    after_s = fresh.matrix(points, departs_hour=9).durations_s[0, 1]
    assert after_s > 1.5 * before_s
    again = relearn_travel(driven_depot, by=SYSTEM, now=NOW + timedelta(days=1))
    assert again is None, "the same legs teach nothing more"


def test_relearn_again_from_the_same_legs_says_nothing_new(
    driven_depot: Depot,
) -> None:
    with time_machine.travel(NOW, tick=False):
        relearn_every_depot()
    for day in range(1, 7):
        relearn_travel(driven_depot, by=SYSTEM, now=NOW + timedelta(days=day))

    assert Recommendation.objects.filter(kind="parameter").count() == 1


def test_relearn_without_finished_stops_changes_nothing(db: None) -> None:
    assert relearn_travel(DepotFactory(), by=SYSTEM, now=NOW) is None
    assert not PlanningParameter.objects.exists()


def test_a_leg_with_a_break_in_it_tells_nothing(driven_depot: Depot) -> None:
    since = NOW - timedelta(days=28)
    before = len(driven_legs(driven_depot, since, NOW))
    route = Route.objects.filter(depot=driven_depot).first()
    assert route is not None
    stop = route.stops.get(sequence=5)
    assert stop.completed_at is not None
    ShiftBreak.objects.create(
        shift=route.shift,
        opens_at=stop.completed_at,
        closes_at=stop.completed_at + timedelta(hours=1),
        duration_s=600,
        taken_at=stop.completed_at + timedelta(seconds=1),
    )

    assert before == 3 * 59
    assert len(driven_legs(driven_depot, since, NOW)) == before - 1
    assert driven_legs(driven_depot, NOW, NOW + timedelta(days=1)) == []


def test_a_leg_begins_when_its_driver_sets_out(driven_depot: Depot) -> None:
    stop = Stop.objects.filter(route__depot=driven_depot, sequence=9).first()
    assert stop is not None
    assert stop.arrived_at is not None
    Stop.objects.filter(pk=stop.pk).update(
        enroute_at=stop.arrived_at - timedelta(seconds=33)
    )

    legs = driven_legs(driven_depot, NOW - timedelta(days=28), NOW)

    assert [leg.took_s for leg in legs].count(33.0) == 1


@pytest.mark.django_db
def test_keep_parameters_counts_versions_and_refuses_what_is_no_parameter() -> None:
    depot = DepotFactory()
    for value in (0.7, 0.8):
        keep_parameters(depot.pk, {"travel_p": value}, because="", by=OFFICE, now=NOW)

    rows = PlanningParameter.objects.filter(depot=depot).order_by("version")
    assert [(row.version, row.value) for row in rows] == [(1, 0.7), (2, 0.8)]
    assert parameters_in_force(depot.pk, NOW).travel_p == 0.8
    with pytest.raises(KeyError, match="speed_of_light"):
        keep_parameters(depot.pk, {"speed_of_light": 3}, because="", by=OFFICE, now=NOW)
    depot_id = depot.pk
    Depot.objects.filter(pk=depot_id).delete()
    with pytest.raises(NotFound):
        keep_parameters(depot_id, {"travel_p": 0.7}, because="", by=OFFICE, now=NOW)
