"""Incidents: raised once a cause, given to people who are there, escalated, resolved."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from apps.core.actors import SYSTEM, Actor
from apps.core.etags import PreconditionFailed
from apps.core.models import TaskRun
from apps.core.problems import Invalid
from apps.core.roles import COORDINATOR, ROUTE_PLANNER, SUPERVISOR
from apps.core.states import IllegalStep
from apps.depots.models import Absence, Depot
from apps.drivers.models import Device, Shift
from apps.drivers.states import ShiftState
from apps.incidents import tasks
from apps.incidents.kinds import ADMINISTRATOR, KINDS
from apps.incidents.models import ActionItem, Incident, Playbook
from apps.incidents.selectors import loads_of, work_of
from apps.incidents.services.incidents import (
    IncidentDraft,
    NobodyThere,
    add_note,
    assign,
    cause_is_gone,
    escalate,
    raise_incident,
    resolve,
)
from apps.incidents.services.work import (
    NotItsPlaybook,
    delegate,
    set_cap,
    settle_item,
    start_playbook,
)
from apps.journal.models import Entry
from apps.routes.models import PlanChange, Route
from apps.routes.states import RouteState
from tests.factories import NOW, AbsenceFactory, DepotFactory, UserFactory
from tests.office import make_office, make_user, publish, signed_in

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

OFFICE = Actor("user", "1")


@pytest.fixture
def depot() -> Depot:
    row: Depot = DepotFactory()
    return row


def broken_van(depot: Depot, cause: str = "event/1") -> Incident:
    draft = IncidentDraft(depot_id=depot.pk, kind="vehicle", cause=cause)
    return raise_incident(draft, by=SYSTEM, now=NOW)


def absent(user: User, stand_in: User | None = None) -> Absence:
    row: Absence = AbsenceFactory(user=user, stand_in=stand_in)
    return row


def test_same_cause_raises_one_incident(depot: Depot) -> None:
    first, again = broken_van(depot), broken_van(depot)
    assert first == again
    assert broken_van(depot, "event/2") != first
    assert broken_van(DepotFactory()) != first, "a cause is the depot's own"
    assert Entry.objects.filter(kind="incident.raised").count() == 3
    assert (first.severity, first.role) == ("high", SUPERVISOR)
    assert first.deadline_at == NOW + timedelta(minutes=10)


def test_raise_incident_refuses_what_it_does_not_know(depot: Depot) -> None:
    for kind, severity in [("ufo", ""), ("vehicle", "awful")]:
        with pytest.raises(Invalid):
            raise_incident(
                IncidentDraft(
                    depot_id=depot.pk, kind=kind, cause="x", severity=severity
                ),
                by=SYSTEM,
                now=NOW,
            )


def test_every_kind_has_people_and_its_playbook_exists() -> None:
    codes = set(Playbook.objects.filter(depot=None).values_list("code", flat=True))
    assert codes == {"breakdown", "closure", "ai_down", "surge", "recovery"}
    for kind in KINDS.values():
        assert kind.ladder[-1] == ADMINISTRATOR
        assert not kind.playbook or kind.playbook in codes


def test_assign_gives_it_to_somebody_of_the_depot(depot: Depot) -> None:
    incident, anna = broken_van(depot), make_user(SUPERVISOR, depot)
    given = assign(incident_id=incident.pk, owner_id=anna.pk, by=OFFICE, now=NOW)
    incident.refresh_from_db()
    assert (given.owner_id, given.warning) == (anna.pk, "")
    assert (incident.status, incident.owner) == ("assigned", anna)
    with pytest.raises(Invalid):
        assign(incident_id=incident.pk, owner_id=UserFactory().pk, by=OFFICE, now=NOW)
    with pytest.raises(PreconditionFailed):
        assign(
            incident_id=incident.pk,
            owner_id=anna.pk,
            expected_version=1,
            by=OFFICE,
            now=NOW,
        )


def test_assign_to_the_absent_goes_to_the_stand_in_or_nobody(depot: Depot) -> None:
    incident = broken_van(depot)
    anna, ben = make_user(SUPERVISOR, depot), make_user(SUPERVISOR, depot)
    absent(anna, ben)
    given = assign(incident_id=incident.pk, owner_id=anna.pk, by=OFFICE, now=NOW)
    assert given.owner_id == ben.pk
    assert "stands in" in given.warning
    absent(ben)
    with pytest.raises(NobodyThere):
        assign(incident_id=incident.pk, owner_id=ben.pk, by=OFFICE, now=NOW)


def test_assign_over_the_cap_warns_and_does_it(depot: Depot) -> None:
    anna = make_user(SUPERVISOR, depot)
    set_cap(user_id=anna.pk, most=1, by=OFFICE, now=NOW)
    one, two = broken_van(depot, "a"), broken_van(depot, "b")
    assert not assign(incident_id=one.pk, owner_id=anna.pk, by=OFFICE, now=NOW).warning
    given = assign(incident_id=two.pk, owner_id=anna.pk, by=OFFICE, now=NOW)
    assert given.warning == "That makes 2 open; the cap is 1."
    assert loads_of([anna.pk])[anna.pk].is_over


def test_left_past_its_deadline_it_escalates_to_the_next_role(depot: Depot) -> None:
    incident, anna = broken_van(depot), make_user(SUPERVISOR, depot)
    assign(incident_id=incident.pk, owner_id=anna.pk, by=OFFICE, now=NOW)
    for minutes, role in ((11, COORDINATOR), (22, ADMINISTRATOR), (33, ADMINISTRATOR)):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            tasks.watch()
            tasks.watch()
        incident.refresh_from_db()
        assert incident.role == role
        assert incident.owner is None
    assert incident.level == 3
    assert incident.deadline_at == NOW + timedelta(minutes=43)
    told = Entry.objects.filter(kind="incident.escalated").order_by("id")
    assert [entry.payload["to_role"] for entry in told] == [
        COORDINATOR,
        ADMINISTRATOR,
        ADMINISTRATOR,
    ]


def test_resolve_says_how_and_is_the_end(depot: Depot) -> None:
    incident = broken_van(depot)
    with pytest.raises(Invalid):
        resolve(incident_id=incident.pk, resolution=" ", by=OFFICE, now=NOW)
    resolve(incident_id=incident.pk, resolution="Towed", by=OFFICE, now=NOW)
    with pytest.raises(IllegalStep):
        escalate(incident_id=incident.pk, why="?", by=OFFICE, now=NOW)
    assert broken_van(depot).status == "resolved", "the same cause is not another fact"
    assert cause_is_gone(depot.pk, "event/1", why="?", now=NOW) is None


def test_playbook_makes_its_steps_once_and_shares_them_out(depot: Depot) -> None:
    incident = broken_van(depot)
    busy, free = make_user(SUPERVISOR, depot), make_user(SUPERVISOR, depot)
    away, planner = make_user(SUPERVISOR, depot), make_user(ROUTE_PLANNER, depot)
    absent(away)
    for n in range(3):
        other = broken_van(depot, f"busy/{n}")
        assign(incident_id=other.pk, owner_id=busy.pk, by=OFFICE, now=NOW)
    playbook = Playbook.objects.get(code="breakdown")

    items = start_playbook(
        incident_id=incident.pk, playbook_id=playbook.pk, by=OFFICE, now=NOW
    )
    again = start_playbook(
        incident_id=incident.pk, playbook_id=playbook.pk, by=OFFICE, now=NOW
    )

    assert items == again
    assert len(items) == playbook.steps.count() == 6
    owners = [item.owner for item in items if item.role == SUPERVISOR]
    assert (owners.count(free), owners.count(busy)) == (3, 1), "until both are even"
    assert away not in owners
    assert [i.owner for i in items if i.role == ROUTE_PLANNER] == [planner]
    assert [i.owner for i in items if i.role == COORDINATOR] == [None]
    assert items[0].due_at == NOW + timedelta(minutes=5)
    elsewhere = broken_van(DepotFactory())
    own = Playbook.objects.create(code="own", name="Own", depot=depot)
    with pytest.raises(NotItsPlaybook):
        start_playbook(incident_id=elsewhere.pk, playbook_id=own.pk, by=OFFICE, now=NOW)


def test_work_of_the_absent_is_covered_by_the_stand_in(depot: Depot) -> None:
    incident = broken_van(depot)
    anna, ben = make_user(SUPERVISOR, depot), make_user(COORDINATOR, depot)
    playbook = Playbook.objects.get(code="breakdown")
    start_playbook(incident_id=incident.pk, playbook_id=playbook.pk, by=OFFICE, now=NOW)
    mine = work_of(anna.pk, NOW).count()
    assert mine == 4
    absent(anna, ben)
    assert work_of(ben.pk, NOW).count() == mine + 1
    item = work_of(ben.pk, NOW).filter(owner=anna).first()
    assert item is not None
    settle_item(item_id=item.pk, as_="done", by=Actor("user", str(ben.pk)), now=NOW)
    with pytest.raises(IllegalStep):
        delegate(item_id=item.pk, owner_id=ben.pk, by=OFFICE, now=NOW)


def test_watch_raises_what_the_tables_show_and_closes_what_is_over() -> None:
    office = make_office()
    publish(office)
    Incident.objects.all().delete()
    shift, route = office.shift, office.route
    late = NOW + timedelta(minutes=80)
    with time_machine.travel(late, tick=False):
        tasks.watch()
    assert set(Incident.objects.values_list("kind", flat=True)) == {
        "late_shift",
        "task_dead",
    }

    Shift.objects.filter(pk=shift.pk).update(status=ShiftState.STARTED, started_at=late)
    Route.objects.filter(pk=route.pk).update(
        status=RouteState.STARTED, ends_at=NOW + timedelta(hours=9)
    )
    TaskRun.objects.update(state=TaskRun.State.SUCCEEDED)
    Device.objects.update(last_seen_at=late)
    hour_later = late + timedelta(minutes=60)
    with time_machine.travel(hour_later, tick=False):
        tasks.watch()
        tasks.watch()
    rows = Incident.objects.exclude(status="resolved")
    assert {row.kind for row in rows} == {"unacknowledged", "silent_device"}
    ended = Incident.objects.filter(status="resolved")
    assert {row.outcome for row in ended} == {"by_itself"}
    assert {row.kind for row in ended} == {"late_shift", "task_dead"}

    PlanChange.objects.update(acknowledged_at=hour_later)
    Device.objects.update(last_seen_at=hour_later)
    with time_machine.travel(hour_later + timedelta(minutes=1), tick=False):
        tasks.watch()
    assert not Incident.objects.exclude(status="resolved").exists()


def test_supervisor_deals_with_an_incident_in_the_office() -> None:
    office = make_office()
    user = make_user(SUPERVISOR, office.depot)
    client: Client = signed_in(user)
    incident: Incident = office.rows["incidents.incident"]

    def url(page: str) -> str:
        return reverse(f"admin:incidents_incident_{page}", args=[incident.pk])

    queue = client.get(reverse("admin:incidents_incident_changelist"))
    assert "data-refresh" in queue.content.decode()
    assert client.post(url("assign"), {"take": "1"}).status_code == 302
    playbook = Playbook.objects.get(code="breakdown")
    client.post(url("playbook"), {"playbook": str(playbook.pk)})
    client.post(url("note"), {"words": "The tow truck is on its way."})
    item = ActionItem.objects.filter(playbook=playbook).first()
    assert item is not None
    client.post(
        reverse("admin:incidents_actionitem_settle", args=[item.pk]), {"done": "1"}
    )
    page = client.get(url("change")).content.decode()
    assert "1 of 7 done" in page
    assert "The tow truck is on its way." in page
    assert "Given to" in page
    client.post(url("resolve"), {"outcome": "solved", "resolution": "Towed."})
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_by) == ("resolved", f"user:{user.pk}")
    assert "Towed." in client.get(url("change")).content.decode()


def test_supervisor_deals_with_incidents_by_the_api(depot: Depot) -> None:
    user = make_user(SUPERVISOR, depot)
    client = signed_in(user)
    body = {"depot": depot.code, "kind": "other", "cause": "gate", "title": "Gate"}
    new = client.post("/api/v1/incidents", body, content_type="application/json")
    assert new.status_code == 201, new.content
    again = client.post("/api/v1/incidents", body, content_type="application/json")
    assert (again.status_code, again.json()["id"]) == (200, new.json()["id"])
    address = f"/api/v1/incidents/{new.json()['id']}"

    def call(verb: str, **fields: str) -> tuple[int, object]:
        answer = client.post(
            f"{address}/{verb}", fields, content_type="application/json"
        )
        return answer.status_code, answer.json()

    assert call("assign", owner=user.username) == (
        200,
        {"owner": user.username, "warning": ""},
    )
    assert call("assign", owner="nobody")[0] == 400
    playbook = Playbook.objects.get(code="surge")
    status, items = call("playbook", playbook=str(playbook.pk))
    assert (status, len(list(items))) == (200, 4)  # type: ignore[call-overload]
    mine = client.get("/api/v1/action-items/mine").json()
    assert [row["text"] for row in mine["results"]] == [
        "Ask drivers for overtime, or for another shift."
    ]
    assert call("escalate", why="Too much for me")[0] == 200
    assert call("resolve", resolution="Gate mended")[0] == 200
    assert call("resolve", resolution="Again")[0] == 409


def test_notes_are_of_words(depot: Depot) -> None:
    with pytest.raises(Invalid):
        add_note(incident_id=broken_van(depot).pk, words=" ", by=OFFICE, now=NOW)
