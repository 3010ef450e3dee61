"""The watches: who waves plans through, and who changes what was planned."""

from datetime import date, datetime, timedelta

import pytest
import time_machine

from apps.core.actors import SYSTEM, Actor
from apps.depots.models import Depot
from apps.incidents import tasks
from apps.incidents.models import Incident
from apps.incidents.reliance import Decision, habits
from apps.incidents.reschedulefacts import reschedules_of
from apps.incidents.reschedules import Reschedule, tally, who_acts, who_caused
from apps.incidents.services.incidents import IncidentDraft, raise_incident
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.orders.services import cancel_order
from apps.overrides.models import Override
from apps.routes.models import Plan
from apps.routes.states import PlanState
from tests.factories import NOW, SERVICE_DATE, DepotFactory, OrderFactory
from tests.office import make_office, make_user, signed_in

OFFICE = Actor("user", "1")


def decided(
    *took_s: float, accepted: bool = True, apart_s: int = 600
) -> list[Decision]:
    return [
        Decision(
            "user:7",
            NOW + timedelta(seconds=n * apart_s - took),
            NOW + timedelta(seconds=n * apart_s),
            accepted,
        )
        for n, took in enumerate(took_s)
    ]


def findings(decisions: list[Decision]) -> tuple[str, ...]:
    [habit] = habits(decisions)
    return habit.findings


def test_who_accepts_everything_within_seconds_waves_it_through() -> None:
    assert findings(decided(*[4.0] * 10)) == ("waved_through",)
    assert findings(decided(*[4.0] * 9)) == (), "too few to say"
    assert findings(decided(*[90.0] * 10)) == (), "it was looked at"
    mixed = decided(*[4.0] * 8) + decided(4.0, 4.0, accepted=False)
    assert findings(mixed) == (), "two of ten were refused"


def test_many_approvals_at_once_are_found_whatever_they_waited() -> None:
    assert findings(decided(*[900.0] * 5, apart_s=5)) == ("all_at_once",)
    assert findings(decided(*[900.0] * 5, apart_s=20)) == ()


@pytest.mark.django_db
def test_planted_rubber_stamps_raise_one_incident_a_week() -> None:
    depot = DepotFactory()
    for n in range(10):
        published(depot, n, took_s=5)
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tasks.watch_reliance()
        tasks.watch_reliance()
    incident = Incident.objects.get()
    assert (incident.kind, incident.role) == ("over_reliance", "Model monitor")
    assert incident.details["findings"] == ["waved_through"]
    assert incident.details["text"].startswith("10 of 10 accepted, half of them")


@pytest.mark.django_db
def test_requests_that_are_approved_all_at_once_raise_an_incident() -> None:
    depot = DepotFactory()
    for n in range(5):
        answered_at = NOW + timedelta(seconds=n * 4)
        Override.objects.create(
            depot=depot,
            service_date=SERVICE_DATE,
            kind="skip_stop",
            change={},
            asked_change={},
            source="admin",
            asked_by="user:1",
            asked_role="Coordinator",
            client_id=str(n),
            asked_at=NOW - timedelta(hours=1),
            received_at=NOW - timedelta(hours=1),
            priced_at=NOW - timedelta(hours=1),
            state="applied",
            answered_at=answered_at,
            answered_by="user:7",
        )
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tasks.watch_reliance()
    assert Incident.objects.get().details["findings"] == ["all_at_once"]


def published(depot: Depot, number: int, *, took_s: int) -> Plan:
    at = NOW - timedelta(hours=number)
    return Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE - timedelta(days=number),
        kind=Plan.Kind.DAY,
        number=1,
        status=PlanState.PUBLISHED,
        requested_by="user:7",
        requested_at=at,
        solved_at=at,
        published_at=at + timedelta(seconds=took_s),
        published_by="user:7",
    )


@pytest.mark.parametrize(
    ("cause", "step", "actor", "who"),
    [
        ("order.changed", "mend", "user:1", "office"),
        ("order.changed", "mend", "customer:1", "customer"),
        ("order.changed", "mend", "link:1", "customer"),
        ("stop.failed", "mend", "driver:1", "driver"),
        ("stop.failed", "search", "driver:1", "ai"),
        ("running_late", "mend", "", "driver"),
        ("condition.touched", "mend", "system", "ai"),
    ],
)
def test_who_gave_cause_to_a_change_is_told_apart(
    cause: str, step: str, actor: str, who: str
) -> None:
    assert who_caused(cause, step, actor) == who


def test_tally_adds_up_in_every_direction() -> None:
    day = date(2026, 3, 17)
    rows = [
        Reschedule(day, "ai", "Better way found", count=3),
        Reschedule(day, "customer", "Order moved", campaign="spring"),
        Reschedule(day + timedelta(days=1), "customer", "Order moved"),
    ]
    found = tally(rows)
    assert found.total == 5
    assert found.by_who == {"ai": 3, "customer": 2}
    assert sum(n for who in found.by_day.values() for n in who.values()) == 5
    assert sum(n for who in found.by_cause.values() for n in who.values()) == 5
    assert found.by_campaign == {"": 4, "spring": 1}
    assert who_acts("device:1") == "driver"


@pytest.mark.django_db
def test_reschedules_are_read_off_the_journal_and_the_plans() -> None:
    office = make_office()
    depot = office.depot
    Plan.objects.filter(pk=office.plan.pk).update(
        kind="replan", cause={"kind": "order.created", "step": "search"}
    )
    for by in (OFFICE, Actor("customer", "9")):
        order = OrderFactory(depot=depot)
        cancel_order(order_id=order.pk, reason="", by=by, now=NOW)
    moved = OrderFactory(depot=depot)
    with writing(by=Actor("customer", "9"), now=NOW) as journal:
        journal.record(
            "order.changed",
            moved,
            depot_id=depot.pk,
            fields=["windows"],
            service_date="2026-03-17",
        )
        journal.record(
            "order.changed",
            moved,
            depot_id=depot.pk,
            fields=["notes"],
            service_date="2026-03-17",
        )
    found = reschedules_of(depot, SERVICE_DATE, SERVICE_DATE)
    assert found.by_who == {"office": 1, "customer": 2, "ai": 1}
    assert found.by_cause["Better way found"] == {"ai": 1}
    client = signed_in(make_user("Supervisor", depot))
    span = f"first={SERVICE_DATE}&last={SERVICE_DATE}"
    shown = client.get(f"/api/v1/depots/{depot.pk}/reschedules?{span}").json()
    assert shown["by_who"] == found.by_who
    page = client.get(f"/admin/incidents/incident/reschedules/?{span}")
    assert page.content.decode().count('<rect class="rm-who-') == 3 + 4
    bad = client.get(f"/api/v1/depots/{depot.pk}/reschedules?first=soon")
    assert bad.status_code == 400


def follow(entry: Entry) -> None:
    with time_machine.travel(NOW, tick=False):
        tasks.follow_entry(entry_id=str(entry.pk))


@pytest.mark.django_db
def test_facts_of_the_journal_raise_and_end_incidents() -> None:
    depot = DepotFactory()
    facts: list[tuple[str, datetime, dict[str, object]]] = [
        ("plan.failed", NOW, {"why": "No shift"}),
        ("mode.fell_back", NOW, {"why": "killed"}),
        ("mode.came_back", NOW, {"fell_back_at": NOW.isoformat()}),
        ("machine.refused", NOW, {"act": "repair", "leave": "ask", "point_id": "p"}),
        ("machine.refused", NOW, {"act": "eta", "leave": "no", "point_id": "p"}),
        ("stop.needs_review", NOW, {"code": "x", "driver_id": "d", "event_id": "e"}),
        (
            "stop.counted_after_reassign",
            NOW,
            {"said": "failed", "driver_id": "d", "event_id": "f"},
        ),
        ("condition.reported", NOW, {"source": "driver", "condition_kind": "closure"}),
        ("condition.reported", NOW, {"source": "admin", "condition_kind": "closure"}),
        ("exception.reported", NOW, {"reason": "vehicle", "can_drive": False}),
        ("exception.reported", NOW, {"reason": "weather"}),
    ]
    for kind, now, payload in facts:
        with writing(by=SYSTEM, now=now) as journal:
            journal.record(kind, depot, depot_id=depot.pk, **payload)
        follow(Entry.objects.latest("id"))
    rows = {row.kind: row for row in Incident.objects.all()}
    assert set(rows) == {
        *("failed_solve", "ai_down", "machine_asks", "machine_refused"),
        *("needs_review", "after_reassign", "road", "vehicle"),
    }
    assert rows["ai_down"].outcome == "by_itself"
    assert rows["vehicle"].severity == "critical", "it cannot drive on"
    with time_machine.travel(NOW, tick=False):
        tasks.follow_yes(act="repair", depot_id=str(depot.pk))
    assert Incident.objects.get(kind="machine_asks").status == "resolved"


@pytest.mark.django_db
def test_supervisors_hear_of_learned_changes_and_their_way_back() -> None:
    depot = DepotFactory()
    facts: list[tuple[str, dict[str, object]]] = [
        ("proposal.tested", {"verdict": "wins", "days": 6}),
        ("proposal.approved", {}),
        ("proposal.in_force", {"topic": "travel"}),
        ("proposal.reverted", {"topic": "travel", "why": "It has fallen."}),
    ]
    for kind, payload in facts:
        with writing(by=SYSTEM, now=NOW) as journal:
            journal.record(kind, depot, depot_id=depot.pk, **payload)
        follow(Entry.objects.latest("id"))
    rows = {row.kind: row for row in Incident.objects.all()}
    assert {kind: row.status for kind, row in rows.items()} == {
        "learned_waits": "resolved",
        "learned_on": "resolved",
        "learned_off": "open",
    }
    assert rows["learned_off"].role == "Supervisor"
    assert rows["learned_off"].details["why"] == "It has fallen."


@pytest.mark.django_db
def test_watches_leave_alone_what_a_person_raised() -> None:
    depot = DepotFactory()
    draft = IncidentDraft(depot_id=depot.pk, kind="late_shift", cause="told/1")
    raise_incident(draft, by=OFFICE, now=NOW)
    with time_machine.travel(NOW, tick=False):
        tasks.watch()
    assert Incident.objects.get().status == "open"
