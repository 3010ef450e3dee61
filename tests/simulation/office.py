"""The office of the simulation: it makes the day, and changes it by the house's own verbs."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from django.contrib.auth.models import User
from django.db.models import Q

from apps.core import queue
from apps.core.actors import SYSTEM
from apps.core.models import TaskRun
from apps.depots.models import Depot
from apps.drivers import services as drivers
from apps.drivers.models import Driver, Shift, Token, Vehicle
from apps.orders import services as orders
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.recommendations.services import Draft
from apps.routes import intake
from apps.routes.models import Plan
from apps.routes.services import plans
from apps.routes.services.applying import store_plan
from apps.routes.services.fitting import Answer, StaleInput
from apps.routes.solver.solution import (
    CostBreakdown,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Visit,
)
from apps.sync import tasks
from apps.sync.models import Upload
from apps.sync.services import compacting, uploads
from tests.simulation.ground import BEGINNING

PLACE = (49.5126, 11.2823)
PASSWORD = "simulated-password"  # noqa: S105 (nobody's)
DRIVERS = 2
ORDERS = 4
PERFORMED = (
    "apps.routes.tasks.follow_order",
    "apps.routes.tasks.follow_shift",
    "apps.routes.tasks.refresh_etas",
)
"""The tasks that the simulation carries out by themselves; plans it makes itself."""

PERFORMED_ROOM = "apps.sync.tasks."
REDELIVERED_AFTER = timedelta(minutes=4)
"""The queue gives a task out again whose worker has said nothing for so long."""

_NO_COST = RouteCost(
    fixed_milli=0, distance_milli=0, duration_milli=0, overtime_milli=0
)


class Time(Protocol):
    """Whatever tells what time it is."""

    def now(self) -> datetime: ...


@dataclass
class Thought:
    """A plan that was thought out and is not stored yet."""

    plan: Plan
    answer: Answer


class Office:
    """Plans, cancels, adds, works the queue; every change by the verb that does it."""

    def __init__(
        self, ground: Time, depot_id: uuid.UUID, begins_at: datetime = BEGINNING
    ) -> None:
        self.ground = ground
        self.begins_at = begins_at
        self.service_date = begins_at.date()
        self.depot_id = depot_id
        self.orders_made = 0
        self.thoughts: list[Thought] = []

    # ── plans ───────────────────────────────────────────────────────────────
    def think(self, random: Random) -> None:
        """Read the day and deal its open stops out anew; the answer waits."""
        now = self.ground.now()
        day = intake.running_input(
            self.depot_id, self.service_date, route_ids=None, now=now
        )
        if not day.shifts:
            return
        plan = plans.claim_replan(
            depot_id=self.depot_id,
            service_date=self.service_date,
            input_version=f"{random.getrandbits(128):032x}",
            cause={"kind": "simulated"},
            by=SYSTEM,
            now=now,
        )
        if plan is None:
            raise AssertionError("A number of 128 bits came twice.")
        hands: dict[uuid.UUID, list[str]] = {}
        for place, order in enumerate(day.orders):
            # Where nothing is held yet, everyone gets some.
            shift = day.shifts[place % len(day.shifts)]
            if order.shift_id is not None:
                shift = random.choice(day.shifts)
            stays = order.shift_id if random.random() < 0.5 else None
            hands.setdefault(stays or shift.shift_id, []).append(str(order.order_id))
        for hand in hands.values():
            random.shuffle(hand)
        solution = _solution({str(k): hands[k] for k in sorted(hands)})
        draft = Draft(
            kind="replan",
            depot_id=self.depot_id,
            subject_type="plan",
            subject_id=str(plan.pk),
            inputs=b"{}",
            answer=b"{}",
            engine="simulated",
            engine_version="1",
            seed=0,
            mode="auto",
        )
        answer = Answer(day, solution, draft, why="The plan was made anew.")
        self.thoughts.append(Thought(plan, answer))

    def store(self) -> str:
        """Store the oldest answer that waits; say what became of it."""
        if not self.thoughts:
            return "nothing"
        thought = self.thoughts.pop(0)
        now = self.ground.now()
        try:
            store_plan(thought.plan.pk, thought.answer, by=SYSTEM, now=now)
        except StaleInput:
            plans.give_way(thought.plan.pk, why="Stale.", by=SYSTEM, now=now)
            return "stale"
        return "stored"

    def plan_first_day(self, random: Random) -> None:
        """Deal out the day for the first time, and publish it."""
        now = self.ground.now()
        Plan.objects.create(
            depot_id=self.depot_id,
            service_date=self.service_date,
            kind=Plan.Kind.DAY,
            number=1,
            status="published",
            requested_by="system",
            requested_at=now,
            published_at=now,
            published_by="system",
        )
        self.think(random)
        self.store()

    # ── orders and shifts ───────────────────────────────────────────────────
    def add_order(self) -> None:
        """Take an order in; the next plan finds a place for it."""
        self.orders_made += 1
        now = self.ground.now()
        Order.objects.create(
            depot_id=self.depot_id,
            reference=f"R-{self.orders_made}",
            service_date=self.service_date,
            latitude=PLACE[0] + self.orders_made / 1000,
            longitude=PLACE[1],
            received_at=now,
            changed_at=now,
        )

    def cancel(self, random: Random) -> str:
        """Cancel some order; its stop follows by a task, as ever."""
        rows = Order.objects.filter(depot_id=self.depot_id)
        rows = rows.filter(status__in=[OrderState.OPEN, OrderState.FAILED])
        found = list(rows.order_by("reference"))
        if not found:
            return "nothing"
        order = random.choice(found)
        orders.cancel_order(
            order_id=order.pk, reason="", by=SYSTEM, now=self.ground.now()
        )
        if random.random() < 0.5:
            self.work_all()
        return order.reference

    def reschedule(self, random: Random) -> str:
        """Give some order another day."""
        rows = Order.objects.filter(
            depot_id=self.depot_id, service_date=self.service_date
        )
        found = list(rows.filter(status=OrderState.OPEN).order_by("reference"))
        if not found:
            return "nothing"
        order = random.choice(found)
        orders.reschedule_order(
            order_id=order.pk,
            service_date=self.service_date + timedelta(days=1),
            windows=[],
            by=SYSTEM,
            now=self.ground.now(),
        )
        return order.reference

    # ── the queue ───────────────────────────────────────────────────────────
    def due(self) -> list[TaskRun]:
        """Return what a worker would take: what one died over is given out again."""
        ours = Q(task__in=PERFORMED) | Q(task__startswith=PERFORMED_ROOM)
        given_up_at = self.ground.now() - REDELIVERED_AFTER
        waits = Q(state=TaskRun.State.QUEUED)
        waits |= Q(state=TaskRun.State.RUNNING, started_at__lt=given_up_at)
        rows = TaskRun.objects.filter(ours & waits)
        return list(rows.order_by("pk"))

    def is_behind(self) -> bool:
        """Tell whether a stop has still to follow its order or shift."""
        rows = TaskRun.objects.filter(task__in=PERFORMED)
        open_states = [TaskRun.State.QUEUED, TaskRun.State.RUNNING]
        return rows.filter(state__in=open_states).exists()

    def work(self, random: Random) -> str:
        """Perform some task that waits."""
        due = self.due()
        if not due:
            return "nothing"
        run = random.choice(due)
        queue.perform(str(run.pk))
        return run.task.rpartition(".")[2]

    def work_all(self) -> None:
        for _ in range(20):
            due = self.due()
            if not due:
                return
            for run in due:
                queue.perform(str(run.pk))
        raise AssertionError("The queue does not come to rest.")

    # ── what the clock does ─────────────────────────────────────────────────
    def compact(self, driver_id: uuid.UUID, before: datetime) -> str:
        """Rid a feed of what is over and has not changed since an instant."""
        done = compacting.compact_feed(
            driver_id=driver_id, before=before, by=SYSTEM, now=self.ground.now()
        )
        return f"{done.retired} retired, {done.forgotten} forgotten"

    def release_held(self) -> None:
        """Have judged at once what has waited long enough."""
        tasks.release_held()
        self.work_all()

    def abandon_uploads(self) -> str:
        """Give up the uploads that wait for more, as it is done after a week."""
        now = self.ground.now()
        Upload.objects.all().update(expires_at=now)
        return f"{uploads.expire_uploads(now=now)} expired"

    # ── people ──────────────────────────────────────────────────────────────
    def expire_sessions(self, device_id: uuid.UUID) -> None:
        """Let a device's sessions be over, as they are after twelve hours."""
        rows = Token.objects.filter(device=device_id, purpose=Token.Purpose.SESSION)
        rows.update(expiry=self.ground.now())

    def revoke(self, device_id: uuid.UUID, action: str) -> None:
        """Take a device out of service."""
        now = self.ground.now()
        drivers.revoke_device(device_id=device_id, action=action, by=SYSTEM, now=now)

    def hire(self, number: int, *, with_shift: bool) -> Driver:
        """Make a driver, mostly with a shift."""
        user = User.objects.create_user(f"driver-{number}", password=PASSWORD)
        driver = Driver.objects.create(
            depot_id=self.depot_id, user=user, name=f"Driver {number}"
        )
        if with_shift:
            vehicle = Vehicle.objects.create(
                depot_id=self.depot_id,
                name=f"Van {number}",
                capacity_g=800_000,
                capacity_ml=9_000_000,
                capacity_pieces=200,
            )
            Shift.objects.create(
                depot_id=self.depot_id,
                driver=driver,
                vehicle=vehicle,
                service_date=self.service_date,
                starts_at=self.begins_at,
                ends_at=self.begins_at + timedelta(hours=10),
            )
        return driver

    def enrol(self, driver: Driver) -> drivers.Enrolled:
        """Give a driver a device."""
        now = self.ground.now()
        _, code = drivers.create_enrolment_code(driver_id=driver.pk, by=SYSTEM, now=now)
        return drivers.enrol_device(
            code=code, name="Handheld", platform="simulated", by=SYSTEM, now=now
        )


def make_depot() -> Depot:
    return Depot.objects.create(
        code="simulated",
        name="Simulated",
        time_zone="Europe/Berlin",
        country="DE",
        currency="EUR",
        latitude=PLACE[0],
        longitude=PLACE[1],
    )


def _solution(hands: dict[str, list[str]]) -> Solution:
    """Return a solution that gives each shift its orders, a quarter of an hour each."""
    routes = tuple(
        RoutePlan(
            vehicle_id=shift_id,
            departure_s=0,
            end_s=900 * (len(hand) + 1),
            duration_s=900 * (len(hand) + 1),
            travel_s=0,
            distance_m=1000 * len(hand),
            overtime_s=0,
            visits=tuple(
                Visit(
                    job_id=order_id,
                    arrival_s=900 * place,
                    wait_s=0,
                    start_s=900 * place,
                    departure_s=900 * place + 300,
                )
                for place, order_id in enumerate(hand, 1)
            ),
            breaks=(),
            cost=_NO_COST,
        )
        for shift_id, hand in hands.items()
    )
    return Solution(
        routes=routes,
        unserved=(),
        cost=CostBreakdown(
            fixed_milli=0,
            distance_milli=0,
            duration_milli=0,
            overtime_milli=0,
            unserved_milli=0,
            disruption_milli=0,
        ),
        engine="simulated",
        engine_version="1",
        seed=0,
        solutions=1,
        stopped_by=StoppedBy.EXHAUSTED,
    )
