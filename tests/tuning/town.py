"""A small town with a planted truth: planned by the house, driven by what is really so."""

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import time_machine

from apps.core.actors import SYSTEM, Actor
from apps.core.units import Point
from apps.depots.models import Depot, Zone
from apps.drivers.models import Driver, Shift
from apps.feedback.models import Feedback
from apps.feedback.services import Opinion, Speaker, record_feedback
from apps.learning.services import learn
from apps.learning.services.nightly import Night
from apps.orders.models import Order
from apps.recommendations.services import Draft
from apps.routes import tasks as routing
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.models import Plan, PlanningParameter, Route, Stop
from apps.routes.services.plans import request_plan
from apps.routes.states import PlanState, RouteState, StopState
from apps.tuning import tasks as tuning
from apps.tuning.models import Proposal
from apps.tuning.states import ShadowState
from tests.factories import (
    DEPOT_POINT,
    NOW,
    DepotFactory,
    DriverFactory,
    OrderFactory,
    ShiftFactory,
    TimeWindowFactory,
    VehicleFactory,
    ZoneFactory,
)

OFFICE = Actor("user", "1")
SLOW, USUAL = "Old town", "Meadows"
STANDARD_S = 120
PLANNED_AT, BEGINS_AT = time(4, 30), time(8, 0)
SHIFT_HOURS = 5
WINDOW_MINUTES = 45
Truth = Callable[[date, str], float]


@dataclass(frozen=True, slots=True)
class DrivenDay:
    """What a driven day came to."""

    day: date
    late_min: float
    late_stops: int
    served: int
    left_out: int
    service_error_s: float


@dataclass(slots=True)
class Town:
    """A depot with two parts of town, and what services there really take."""

    truth: Truth
    orders: int = 30
    shifts: int = 2
    seed: int = 7
    engine: str = "greedy"
    rounds: int = 8
    pace: float = 1.0
    """How much longer travel really takes than the first law says."""
    depot: Depot = field(init=False)
    zones: Mapping[str, Zone] = field(init=False)
    crew: list[Driver] = field(init=False)

    def __post_init__(self) -> None:
        """Store the depot, its zones and people, and a short search by the rules."""
        self.depot = DepotFactory()
        self.zones = {
            name: ZoneFactory(depot=self.depot, name=name) for name in (SLOW, USUAL)
        }
        self.crew = [DriverFactory(depot=self.depot) for _ in range(self.shifts)]
        values = {
            "engine": self.engine,
            "rules_day_rounds": self.rounds,
            "day_rounds": 100,
        }
        for name, value in values.items():
            PlanningParameter.objects.create(
                depot=self.depot,
                name=name,
                version=1,
                value=value,
                valid_from=NOW - timedelta(days=400),
                created_by="test",
            )

    def at(self, day: date, clock: time) -> datetime:
        """Return an instant of the depot's clock."""
        return datetime.combine(day, clock, ZoneInfo(self.depot.time_zone))

    # ── a day of work ────────────────────────────────────────────────────────
    def live(self, day: date) -> DrivenDay:
        """Take orders for a day, plan it in the morning, and drive it."""
        self.make_day(day)
        self.plan(day)
        return self.drive(day)

    def make_day(self, day: date) -> None:
        """Store a day's shifts and orders, each with a window of three quarters."""
        chance = random.Random(f"{self.seed}/{day}")  # noqa: S311 (repeatable)
        begins_at = self.at(day, BEGINS_AT)
        for driver in self.crew:
            ShiftFactory(
                depot=self.depot,
                driver=driver,
                vehicle=VehicleFactory(depot=self.depot),
                service_date=day,
                starts_at=begins_at,
                ends_at=begins_at + timedelta(hours=SHIFT_HOURS),
            )
        lat, lon = DEPOT_POINT
        for number in range(self.orders):
            name = SLOW if number % 2 else USUAL
            order = OrderFactory(
                depot=self.depot,
                service_date=day,
                zone=self.zones[name],
                latitude=lat + chance.uniform(-0.02, 0.02),
                longitude=lon + (0.01 if number % 2 else -0.01) * chance.uniform(0, 2),
                service_s=None,
            )
            opens_at = begins_at + timedelta(minutes=chance.randrange(15, 190))
            TimeWindowFactory(
                order=order,
                opens_at=opens_at,
                closes_at=opens_at + timedelta(minutes=WINDOW_MINUTES),
            )

    def plan(self, day: date) -> Plan:
        """Plan and publish a day, as the task does it."""
        now = self.at(day, PLANNED_AT)
        with time_machine.travel(now, tick=False):
            plan = request_plan(
                depot_id=self.depot.pk,
                service_date=day,
                publish_when_ready=True,
                by=OFFICE,
                now=now,
            )
            routing.plan_day(plan_id=str(plan.pk))
        plan.refresh_from_db()
        assert plan.status == PlanState.PUBLISHED, plan.problem
        return plan

    # ── what is really so ────────────────────────────────────────────────────
    def drive(self, day: date) -> DrivenDay:
        """Drive the published routes of a day by the truth."""
        chance = random.Random(f"{self.seed}/drive/{day}")  # noqa: S311 (repeatable)
        late_s, late, served, errors = 0.0, 0, 0, []
        for route in Route.objects.filter(depot=self.depot, service_date=day):
            for stop, began_at in self._driven(route, chance):
                served += 1
                assert stop.completed_at is not None
                took_s = (stop.completed_at - began_at).total_seconds()
                errors.append(abs(took_s - stop.service_s))
                window = stop.order.windows.get()
                over_s = (began_at - window.closes_at).total_seconds()
                late_s, late = late_s + max(0.0, over_s), late + (over_s > 0)
        orders = Order.objects.filter(depot=self.depot, service_date=day).count()
        error_s = round(fmean(errors), 1) if errors else 0.0
        return DrivenDay(
            day, round(late_s / 60, 1), late, served, orders - served, error_s
        )

    def _driven(
        self, route: Route, chance: random.Random
    ) -> list[tuple[Stop, datetime]]:
        at, here = route.starts_at, self.depot.point
        stops = list(route.stops.select_related("order__zone").order_by("sequence"))
        found = []
        for stop in stops:
            way_s = self._way_s(here, stop.order.point) * chance.uniform(0.92, 1.08)
            way_s *= self.pace
            stop.enroute_at, stop.arrived_at = at, at + timedelta(seconds=way_s)
            opens_at = stop.order.windows.get().opens_at
            began_at = max(stop.arrived_at, opens_at)
            assert stop.order.zone is not None
            factor = self.truth(route.service_date, stop.order.zone.name)
            took_s = STANDARD_S * factor * chance.uniform(0.85, 1.15)
            stop.completed_at = began_at + timedelta(seconds=took_s)
            stop.status = StopState.SUCCEEDED
            at, here = stop.completed_at, stop.order.point
            found.append((stop, began_at))
        Stop.objects.bulk_update(
            stops, ["enroute_at", "arrived_at", "completed_at", "status"]
        )
        Route.objects.filter(pk=route.pk).update(status=RouteState.FINISHED)
        Shift.objects.filter(pk=route.shift_id).update(
            started_at=route.starts_at, status="ended"
        )
        return found

    @staticmethod
    def _way_s(here: Point, there: Point) -> float:
        matrix = EstimatedTravelTimes().matrix([here, there])
        return float(matrix.durations_s[0, 1])

    # ── what is said and learned of it ───────────────────────────────────────
    def complain(self, day: date, text: str, *, zone: str = SLOW) -> list[Feedback]:
        """Let each driver say of one stop in a zone that there is too little time."""
        said = []
        now = self.at(day, time(18, 0))
        for driver in self.crew:
            route = Route.objects.get(driver=driver, service_date=day)
            stop = route.stops.filter(order__zone__name=zone).first()
            if stop is None:
                continue
            who = Actor("driver", str(driver.pk))
            said.append(
                record_feedback(
                    recommendation_id=route.plan.recommendation_id,
                    speaker=Speaker(
                        who, "driver", self.depot.pk, driver.pk, str(stop.pk)
                    ),
                    opinion=Opinion(rating=2, reason="too_tight", text=text),
                    given_at=now,
                    source_key=f"{day}/{driver.pk}",
                    by=who,
                    now=now,
                )
            )
        return said

    def learn(self, day: date) -> Night:
        """Let the night after a day learn from what was driven."""
        now = self.at(day, time(21, 0))
        return learn(depot=self.depot, by=SYSTEM, now=now)


# ── the story, step by step ──────────────────────────────────────────────────
def night(town: Town, day: date) -> AbstractContextManager[object]:
    """Stand at ten in the evening of a day."""
    return time_machine.travel(town.at(day, time(22, 0)), tick=False)


def proposed(town: Town, day: date) -> Proposal:
    """Let the night look for changes; return the newest proposal."""
    with night(town, day):
        tuning.propose_service(depot_id=str(town.depot.pk))
    return Proposal.objects.filter(depot=town.depot).latest("pk")


def tried(town: Town, row: Proposal, day: date) -> Proposal:
    """Replay a proposal on the past days, as the queue would."""
    with night(town, day):
        tuning.begin_shadow(proposal_id=str(row.pk))
        while row.shadow_days.filter(status=ShadowState.WAITING).exists():
            tuning.replay_next(proposal_id=str(row.pk))
        tuning.replay_next(proposal_id=str(row.pk))
    row.refresh_from_db()
    return row


def watched(town: Town, row: Proposal, day: date) -> Proposal:
    """Let the night before a day watch what is in force."""
    with time_machine.travel(town.at(day, time(3, 0)), tick=False):
        tuning.watch()
    row.refresh_from_db()
    return row


def parameter_draft(
    depot: Depot, values: dict[str, Any], *, engine: str = "test", why: str = ""
) -> Draft:
    """Return what another room would issue that has learned values of a parameter."""
    return Draft(
        kind="parameter",
        depot_id=depot.pk,
        subject_type="depot",
        subject_id=str(depot.pk),
        inputs=b"{}",
        answer=b"{}",
        engine=engine,
        engine_version="1",
        seed=0,
        mode="rules",
        parameters=values,
        reasons=[{"code": "learned", "text": why}] if why else [],
    )
