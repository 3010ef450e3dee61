"""How drivers drive goes into plans: learned, proposed, tried, approved, taken back.

In this town people drive the meadows before the old town, whatever the plan says.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest

from apps.core.actors import SYSTEM
from apps.learning.models import Estimate
from apps.orders.models import TimeWindow
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.models import Plan, Route, Stop
from apps.routes.selectors import parameters_in_force
from apps.routes.solver.codec import decode_solution
from apps.routes.solving import replay
from apps.routes.zoneorder import Before
from apps.tuning import ledger
from apps.tuning.models import Proposal
from apps.tuning.nearness import zone_pairs
from apps.tuning.pastdays import past_day
from apps.tuning.sequencing import FOLLOWED, ORDER
from apps.tuning.services.deciding import approve, revert
from apps.tuning.services.proposals import propose_sequences
from apps.verdicts.models import Verdict
from tests.tuning.town import OFFICE, SLOW, USUAL, Town, tried, watched

FIRST = date(2026, 3, 2)
DAYS = 12
LAST = FIRST + timedelta(days=DAYS - 1)

pytestmark = pytest.mark.django_db


@dataclass(slots=True)
class OrderlyTown(Town):
    """A town where people drive one zone before the other, or as planned."""

    first: str = USUAL

    def make_day(self, day: date) -> None:
        """Let every order come at any time of the day."""
        Town.make_day(self, day)
        begins_at = self.at(day, time(8, 0))
        TimeWindow.objects.filter(order__service_date=day).update(
            opens_at=begins_at, closes_at=begins_at + timedelta(hours=5)
        )

    def _driven(
        self, route: Route, chance: random.Random
    ) -> list[tuple[Stop, datetime]]:
        """Drive the zone that comes first, each zone as it is planned."""
        stops = list(route.stops.select_related("order__zone").order_by("sequence"))
        planned = [str(stop.planned_arrival_at) for stop in stops]
        kept = sorted(stops, key=lambda stop: str(stop.order.zone) != self.first)
        for place, stop in enumerate(kept, start=1):
            Stop.objects.filter(pk=stop.pk).update(sequence=place)
        found = Town._driven(self, route, chance)
        assert planned == sorted(planned)
        return found


@pytest.fixture
def town() -> OrderlyTown:
    """Twelve driven days, of which the nights have learned."""
    town = OrderlyTown(lambda day, zone: 1.0, orders=14, shifts=1)
    for number in range(DAYS):
        town.live(FIRST + timedelta(days=number))
    town.learn(LAST)
    return town


def zones_of(town: Town, plan: Plan) -> list[str]:
    """Return the zones of a plan's stops as its answer has them."""
    assert plan.recommendation is not None
    answer = decode_solution(stored_answer(plan.recommendation))
    places = past_day(town.depot, plan.service_date).places
    return [places[one.job_id].zone for route in answer.routes for one in route.visits]


def proposed(town: Town, name: str) -> Proposal:
    row = propose_sequences(
        town.depot.pk, name, by=SYSTEM, now=town.at(LAST, time(22, 0))
    )
    assert row is not None
    return row


def test_order_of_zones_is_learned_tried_approved_and_planned_by(
    town: OrderlyTown,
) -> None:
    before = [zones_of(town, each) for each in Plan.objects.order_by("service_date")]
    turned = [zone_pairs(zones, [USUAL, SLOW])[1] for zones in before]
    assert sum(turned) >= 3, "plans have no opinion"
    row = proposed(town, ORDER)
    key = f"{USUAL}>{SLOW}"
    assert list(row.values["zone_order"]) == [key]
    assert row.values["zone_order"][key]["share"] >= 0.6
    assert row.why[0].startswith(f"{USUAL} was rightly driven before {SLOW}")
    about = row.recommendation
    assert ledger.rerun(stored_inputs(about)) == stored_answer(about)
    assert (
        parameters_in_force(town.depot.pk, town.at(LAST, time(22, 30))).zone_order == {}
    )

    row = tried(town, row, LAST)
    assert row.shadow["error"] == "order_error_pct"
    figure = row.shadow["figures"]["order_error_pct"]
    assert figure["after"] < figure["before"], "nearer to what was driven"
    assert row.shadow["loss"] == "driven_loss_minor"
    assert row.shadow["verdict"] == ("wins" if figure["high"] < 0 else "undecided")

    reason = "The drivers know their streets better."
    row = approve(row.pk, reason=reason, by=OFFICE, now=town.at(LAST, time(22, 0)))
    assert row.status == "in_force"
    known = parameters_in_force(town.depot.pk, town.at(LAST, time(22, 30)))
    assert isinstance(known.zone_order[key], Before)

    town.live(LAST + timedelta(days=1))
    plan = Plan.objects.get(service_date=LAST + timedelta(days=1))
    zones = zones_of(town, plan)
    assert (zones[0], zones[-1]) == (USUAL, SLOW)
    assert zone_pairs(zones, [USUAL, SLOW]) == (1, 0)
    assert plan.recommendation is not None
    codes = {reason["code"] for reason in plan.recommendation.reasons}
    assert "zone_order" in codes
    assert replay(stored_inputs(plan.recommendation)) == stored_answer(
        plan.recommendation
    ), "to the byte"

    for number in (2, 3):
        town.live(LAST + timedelta(days=number))
    row = watched(town, row, LAST + timedelta(days=4))
    assert row.status == "in_force"
    assert row.watch["error"]["after"] == 0.0, "no route turns them round any more"

    row = revert(
        row.pk,
        reason="The bridge is open again.",
        by=OFFICE,
        now=town.at(LAST + timedelta(days=4), time(4, 0)),
    )
    assert row.status == "reverted"
    later = town.at(LAST + timedelta(days=4), time(5, 0))
    assert parameters_in_force(town.depot.pk, later).zone_order == {}


def test_how_plans_are_followed_is_proposed_and_tried(town: OrderlyTown) -> None:
    row = proposed(town, FOLLOWED)
    shares = row.values["followed"]
    assert shares
    assert all(0 <= each["share"] < 1 for each in shares.values())
    about = row.recommendation
    assert ledger.rerun(stored_inputs(about)) == stored_answer(about)

    row = tried(town, row, LAST)

    assert row.shadow["days"] >= 5
    assert row.shadow["verdict"] in {"wins", "undecided", "loses"}
    assert row.shadow["figures"]["loss_minor"]["before"] > 0


def test_route_that_was_driven_wrongly_is_no_aim(town: OrderlyTown) -> None:
    day = FIRST + timedelta(days=1)
    [route] = past_day(town.depot, day).routes
    assert route.weight == 1.0
    row = Route.objects.get(service_date=day)
    plan = Plan.objects.get(service_date=day)
    Verdict.objects.create(
        depot=town.depot,
        shift=row.shift,
        route=row,
        service_date=day,
        subject="deviation",
        kind="sequence",
        role="driver",
        recommendation=plan.recommendation,
        ruling="wrong",
        gained_minor=-500,
        gained_s=-900,
        sd_minor=10,
        sd_s=30,
        least_minor=50,
        arithmetic={},
        inputs_hash="0" * 64,
        judged_at=town.at(day, time(20, 0)),
    )

    [route] = past_day(town.depot, day).routes

    assert (route.verdict, route.weight) == ("wrong", 0.0)


def test_learners_say_how_often_a_zone_is_stayed_in(town: OrderlyTown) -> None:
    known = {
        row.key: row
        for row in Estimate.objects.filter(kind="zone_order", until_at=None)
    }

    driven, planned = known["stays:driven"], known["stays:planned"]

    assert driven.mean > 0.98, "each zone is finished before the next"
    assert planned.mean <= driven.mean
