"""An office to test pages with: a depot with one row of everything, and its people."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.test import Client

from apps.core.actors import SYSTEM, Actor
from apps.core.ids import uuid7
from apps.core.models import TaskRun
from apps.core.roles import DRIVER
from apps.customers.models import (
    AddressProposal,
    CustomerPage,
    Link,
    PickupPoint,
)
from apps.depots.models import Depot
from apps.drivers.models import Device, Driver, Shift, Vehicle
from apps.feedback.models import Survey
from apps.feedback.services import (
    Opinion,
    Speaker,
    import_responses,
    open_hook,
    record_feedback,
)
from apps.incidents.models import ActionItem, Playbook, WorkCap
from apps.incidents.services.incidents import IncidentDraft, raise_incident
from apps.journal.models import Entry
from apps.metrics.models import DailyFigure
from apps.notifications.models import (
    Consent,
    MessagePolicy,
    MessageTemplate,
    Reply,
)
from apps.orders.models import Order, QuarantinedRow
from apps.promises.models import Hold, SlotRules
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft, issue
from apps.routes import models
from apps.routes.models import Plan, PlanChange, Route, StopEvent, UnservedOrder
from apps.routes.moderows import DecisionPoint, DepotMode
from apps.routes.solver.codec import SolveRequest, encode_request, encode_solution
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.states import PlanState, RouteState
from apps.sync.models import (
    Attachment,
    DeviceEvent,
    QuarantinedEvent,
    Upload,
)
from apps.sync.services.uploads import proofs
from apps.sync.states import AttachmentState
from apps.tuning.models import Proposal
from apps.verdicts.models import RightsProposal, Verdict
from tests.factories import (
    NOW,
    SERVICE_DATE,
    AbsenceFactory,
    AddressFactory,
    ConditionFactory,
    CustomerFactory,
    DecisionRightFactory,
    DepotFactory,
    DepotMembershipFactory,
    DeviceFactory,
    DriverFactory,
    EstimateFactory,
    ImportRunFactory,
    MessageFactory,
    OrderFactory,
    OverrideFactory,
    ShiftFactory,
    TimeWindowFactory,
    UserFactory,
    VehicleFactory,
    ZoneFactory,
)
from tests.routes.solver.instances import job, line_problem, van

NO_WAY: dict[str, Any] = dict.fromkeys(
    [
        "duration_s",
        "distance_m",
        "overtime_s",
        "window_late_s",
        "promise_late_s",
        "time_minor",
        "distance_minor",
        "overtime_minor",
        "late_minor",
        "total_minor",
    ],
    0,
) | {"steps": []}
NOTHING_DRIVEN = {
    "z": 1.645,
    "least_s": 60,
    "left_out": [],
    "recommended": NO_WAY,
    "chosen": NO_WAY,
    "parts": [],
    "factors": {},
}
PASSWORD = "secret-password"  # noqa: S105  of the factories


@dataclass(frozen=True)
class Office:
    """A depot with one row of everything; `rows` finds one by its model's label."""

    depot: Depot
    rows: dict[str, Any]

    @property
    def driver(self) -> Driver:
        row: Driver = self.rows["drivers.driver"]
        return row

    @property
    def vehicle(self) -> Vehicle:
        row: Vehicle = self.rows["drivers.vehicle"]
        return row

    @property
    def shift(self) -> Shift:
        row: Shift = self.rows["drivers.shift"]
        return row

    @property
    def device(self) -> Device:
        row: Device = self.rows["drivers.device"]
        return row

    @property
    def plan(self) -> Plan:
        row: Plan = self.rows["routes.plan"]
        return row

    @property
    def route(self) -> Route:
        row: Route = self.rows["routes.route"]
        return row

    @property
    def task(self) -> TaskRun:
        row: TaskRun = self.rows["core.taskrun"]
        return row


def make_office(**depot: Any) -> Office:
    """Make a depot whose plan is ready, with one route of one stop."""
    place = DepotFactory(**depot)
    driver = DriverFactory(depot=place)
    shift = ShiftFactory(
        depot=place, driver=driver, vehicle=VehicleFactory(depot=place)
    )
    device = DeviceFactory(driver=driver, depot=place)
    order = OrderFactory(
        depot=place, customer=CustomerFactory(depot=place, name="Frau Muster")
    )
    TimeWindowFactory(order=order)
    run = ImportRunFactory(depot=place)
    quarantined = QuarantinedRow.objects.create(
        run=run, line=2, raw={"weight": "-1"}, faults=[], reference="Q-1"
    )
    rows: list[Any] = [
        place,
        ZoneFactory(depot=place),
        AbsenceFactory(user=DepotMembershipFactory(depot=place).user),
        driver,
        shift,
        shift.vehicle,
        shift.vehicle.type,
        device,
        order,
        order.customer,
        AddressFactory(depot=place),
        run,
        quarantined,
        ConditionFactory(
            depot=place,
            source="driver",
            status="unconfirmed",
            confirmed_at=None,
            confirmed_by="",
        ),
        *_trouble(place),
        *_planned(place, shift, order),
        *_told(driver, device),
        *_for_customers(order),
        DecisionRightFactory(depot=place),
        *_said(driver, place),
        *_written_to(place),
        *_behind(place),
        _proposed(place),
        EstimateFactory(depot=place),
    ]
    route = next(row for row in rows if isinstance(row, Route))
    asked = OverrideFactory(
        depot=place, route=route, driver=driver, stop=route.stops.first()
    )
    rows += [asked, *_judged(route)]
    return Office(place, {row._meta.label_lower: row for row in rows})


def _planned(depot: Depot, shift: Shift, order: Order) -> list[Any]:
    plan = Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=1,
        status=PlanState.READY,
        mode="optimizer",
        requested_by="user:1",
        requested_at=NOW,
        totals={"routes": 1, "served": 1, "unserved": 1, "distance_m": 4200}
        | {"duration_s": 3600, "cost_minor": 5000, "unserved_cost_minor": 1000},
    )
    left_out = OrderFactory(depot=depot, reference=f"OUT-{depot.code}")
    recommendation = make_recommendation(plan, shift, order, left_out)
    plan.recommendation = recommendation
    plan.save()
    UnservedOrder.objects.create(
        plan=plan, order=left_out, code="no_room", detail="All routes are full."
    )
    route = Route.objects.create(
        depot=depot,
        shift=shift,
        driver=shift.driver,
        service_date=SERVICE_DATE,
        plan=plan,
        starts_at=shift.starts_at,
        ends_at=shift.starts_at + timedelta(hours=2),
        distance_m=4200,
        duration_s=3600,
        version=1,
    )
    stop = models.Stop.objects.create(
        order=order,
        route=route,
        sequence=1,
        service_s=120,
        eta_at=shift.starts_at + timedelta(hours=1),
    )
    StopEvent.objects.create(
        id=f"note-{stop.pk.hex[-12:]}",
        stop=stop,
        driver=shift.driver,
        kind="stop.note",
        occurred_at=NOW,
        received_at=NOW,
        verdict="applied/ok",
    )
    change = PlanChange.objects.create(
        route=route,
        driver=shift.driver,
        plan=plan,
        route_version=1,
        added=[{"stop_id": str(stop.pk)}],
        why="An order came in.",
        made_at=NOW,
    )
    return [plan, recommendation, route, change]


def make_recommendation(
    plan: Plan, shift: Shift, served: Order, left_out: Order
) -> Recommendation:
    """Put a recommendation for a plan into the ledger, one order served and one not."""
    problem = line_problem(
        jobs=(
            job(str(served.pk), 1),
            job(str(left_out.pk), 2, required_capabilities=("crane",)),
        ),
        vehicles=(van(str(shift.pk)),),
    )
    stop = Stop(solutions=1)
    answer = GreedySolver().solve(problem, stop=stop, seed=7)
    request = SolveRequest(problem=problem, engine="greedy", stop=stop, seed=7)
    costs = {"distance_minor": 1500, "duration_minor": 2500}
    draft = Draft(
        kind="plan",
        depot_id=plan.depot_id,
        subject_type="plan",
        subject_id=str(plan.pk),
        inputs=encode_request(request),
        answer=encode_solution(answer),
        engine="ortools",
        engine_version="9.15",
        seed=7,
        mode="optimizer",
        costs={**costs, "total_minor": 4000},
        alternatives=[{"engine": "greedy", **costs, "total_minor": 5200}],
        expected_gain={"minor": 1200, "against": "greedy"},
        reasons=[{"code": "served", "text": "1 stops on 1 routes."}],
    )
    return issue(draft, by=SYSTEM, now=NOW)


def _judged(route: Route) -> list[Any]:
    """Make a verdict on how the route was driven, and a proposal for a rule of the depot."""
    verdict = Verdict.objects.create(
        depot=route.depot,
        shift=route.shift,
        route=route,
        service_date=route.service_date,
        subject="deviation",
        kind="sequence",
        role="Driver",
        recommendation=route.plan.recommendation,
        ruling="undecidable",
        gained_minor=10,
        gained_s=15,
        sd_minor=80,
        sd_s=90,
        least_minor=132,
        arithmetic=NOTHING_DRIVEN,
        inputs_hash="0" * 64,
        judged_at=NOW,
    )
    proposal = RightsProposal.objects.create(
        depot=route.depot,
        right=DecisionRightFactory(depot=route.depot, role="Coordinator"),
        kind="move_stop",
        role="Coordinator",
        direction="widen",
        limits={"max_minutes": [30, 45]},
        evidence={"right": 30, "wrong": 1, "undecidable": 4, "share": 0.97}
        | {"low": 0.86, "high": 0.99, "least_decided": 20, "widen_from": 0.65}
        | {"narrow_up_to": 0.4, "verdicts": [str(verdict.pk)]},
        made_at=NOW,
    )
    return [verdict, proposal]


def publish(office: Office) -> None:
    """Let the plan of the office be the one that the day is driven by."""
    Plan.objects.filter(pk=office.plan.pk).update(
        status=PlanState.PUBLISHED, published_at=NOW, published_by="user:1"
    )
    Route.objects.filter(pk=office.route.pk).update(status=RouteState.PUBLISHED)


def _trouble(depot: Depot) -> list[Any]:
    """Make an incident with a to-do of a playbook of the depot's own."""
    draft = IncidentDraft(depot_id=depot.pk, kind="vehicle", cause=f"made/{depot.pk}")
    incident = raise_incident(draft, by=SYSTEM, now=NOW)
    playbook = Playbook.objects.create(code="own", name="Our own", depot=depot)
    item = ActionItem.objects.create(
        depot=depot,
        incident=incident,
        playbook=playbook,
        text="Call the driver",
        role="Supervisor",
        due_at=NOW,
        given_at=NOW,
        given_by="user:1",
    )
    person = DepotMembershipFactory(depot=depot).user
    cap = WorkCap.objects.create(user=person, most=5, set_at=NOW, set_by="user:1")
    mode = DepotMode.objects.create(depot=depot)
    point = DecisionPoint.objects.create(
        depot=depot, act="eta", leave="ask", changed_at=NOW, changed_by="user:1"
    )
    figure = DailyFigure.objects.create(
        depot=depot,
        day=SERVICE_DATE,
        name="coverage",
        value=0.9,
        n=20,
        rolled_up_at=NOW,
    )
    return [incident, playbook, item, cap, mode, point, figure]


def _told(driver: Driver, device: Device) -> list[Any]:
    event = DeviceEvent.objects.create(
        id=uuid7().hex[:16],
        driver=driver,
        device=device,
        seq=1,
        kind="stop.note",
        body_hash="0" * 64,
        occurred_at=NOW,
        received_at=NOW,
        result="applied",
        code="ok",
    )
    rejected = QuarantinedEvent.objects.create(
        driver=driver,
        device=device,
        event_id="bad",
        body={"kind": "?"},
        body_hash="1" * 64,
        code="invalid",
        received_at=NOW,
    )
    photo = Attachment.objects.create(
        id=uuid7().hex[:16],
        driver=driver,
        device=device,
        event_id=event.pk,
        sha256="0" * 64,
        size_bytes=9,
        media_type="image/png",
        status=AttachmentState.STORED,
        stored_name=proofs().save("proof.png", ContentFile(b"a picture")),
        stored_type="image/png",
        received_at=NOW,
        stored_at=NOW,
    )
    upload = Upload.objects.create(
        attachment=photo, length=9, offset=9, created_at=NOW, expires_at=NOW
    )
    return [event, rejected, photo, upload]


def _said(driver: Driver, depot: Depot) -> list[Any]:
    said = record_feedback(
        recommendation_id=None,
        speaker=Speaker(Actor("driver", str(driver.pk)), "driver", depot.pk, driver.pk),
        opinion=Opinion(rating=2, reason="detour", text="Over the bridge is shorter."),
        given_at=NOW,
        source_key=f"event:{driver.pk}",
        by=SYSTEM,
        now=NOW,
    )
    survey = Survey.objects.get(key="delivery")
    head = "participantId,createdAt,csat"
    run = import_responses(
        survey_id=survey.pk,
        depot_id=depot.pk,
        form="zigpoll",
        file_name="answers.csv",
        content=f"{head}\n{depot.code}-1,2026-03-16T10:00:00Z,5\n{depot.code}-2,?,9\n".encode(),
        by=SYSTEM,
        now=NOW,
    )
    hook = open_hook(
        survey_id=survey.pk, depot_id=depot.pk, form="zigpoll", by=SYSTEM, now=NOW
    )
    return [said, survey, run, hook]


def _proposed(depot: Depot) -> Proposal:
    """Make a proposal that was tried on past days and waits for somebody."""
    values = {"service_factors": {"zone:Old town": {"factor": 3.0, "n": 64}}}
    about = issue(
        Draft(
            kind="parameter",
            depot_id=depot.pk,
            subject_type="depot",
            subject_id=str(depot.pk),
            inputs=b"{}",
            answer=b"{}",
            engine="tuning",
            engine_version="1",
            seed=0,
            mode="rules",
        ),
        by=SYSTEM,
        now=NOW,
    )
    return Proposal.objects.create(
        depot=depot,
        topic="service_factors",
        values=values,
        before={"service_factors": {}},
        why=["Services at zone Old town took 3.00 times their standard."],
        recommendation=about,
        status="shadow_tested",
        shadow={"verdict": "wins", "days": 6, "text": "It would have been better."},
        proposed_at=NOW,
        proposed_by="system",
        tested_at=NOW,
    )


def _for_customers(order: Order) -> list[Any]:
    """Make what the anonymous door shows, and what came in by it."""
    depot = order.depot
    times = {"opens_at": NOW, "closes_at": NOW + timedelta(hours=2)}
    return [
        SlotRules.objects.create(depot=depot),
        Hold.objects.create(
            depot=depot,
            order=order,
            service_date=SERVICE_DATE,
            **times,
            **dict.fromkeys(("added_s", "added_m", "cost_minor", "co2_g"), 1),
            held_at=NOW,
            held_by="link:1",
            expires_at=NOW + timedelta(minutes=10),
        ),
        CustomerPage.objects.create(depot=depot),
        PickupPoint.objects.create(
            depot=depot, name="Kiosk", street="Markt", latitude=49.51, longitude=11.28
        ),
        AddressProposal.objects.create(
            depot=depot,
            order=order,
            street="Hinterhof",
            proposed_at=NOW,
            proposed_by="link:1",
        ),
        Link.objects.create(
            order=order,
            purpose="tracking",
            code_hash=uuid7().hex,
            made_at=NOW,
            made_by="system",
            expires_at=NOW + timedelta(days=1),
        ),
    ]


def _written_to(depot: Depot) -> list[Any]:
    changed = {"depot": depot, "changed_at": NOW, "changed_by": "user:1"}
    message = MessageFactory(depot=depot, state="dead", code="no_way_left")
    reply = Reply.objects.create(
        depot=depot,
        message=message,
        provider="twilio",
        provider_id=f"SM-{depot.pk.hex}",
        channel="sms",
        address=message.address,
        text="Where is it?",
        intent="where",
        received_at=NOW,
    )
    consent = Consent.objects.create(
        depot=depot,
        address=message.address,
        purpose="survey",
        is_given=True,
        source="office",
        given_at=NOW,
        given_by="user:1",
    )
    policy = MessagePolicy.objects.create(**changed)
    words = MessageTemplate.objects.create(
        **changed, kind="planned", language="de", text="{window} {link}"
    )
    return [message, reply, consent, policy, words]


def _behind(depot: Depot) -> list[Any]:
    dead = TaskRun.objects.create(
        task="apps.routes.tasks.reoptimize",
        arguments={"depot_id": str(depot.pk)},
        depot_id=depot.pk,
        state=TaskRun.State.DEAD,
        attempts=5,
        enqueued_at=NOW,
        finished_at=NOW,
        error="SolverFailed: gone",
    )
    entry = Entry.objects.filter(depot_id=depot.pk).latest("id")
    return [dead, entry]


def make_user(role: str, *depots: Depot) -> User:
    """Make somebody with a role who works for these depots."""
    user: User = UserFactory(is_staff=role != DRIVER)
    user.groups.add(Group.objects.get(name=role))
    for depot in depots:
        DepotMembershipFactory(depot=depot, user=user)
    return user


def signed_in(user: User) -> Client:
    """Return a browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client
