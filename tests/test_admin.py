"""The office's pages, through their real addresses: what they show, what they do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.models import TaskRun
from apps.core.roles import DATA_ANALYST, MODEL_MONITOR, ROUTE_PLANNER, SUPERVISOR
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.routes.models import Plan, PlanChange, Route
from apps.routes.pinned import Pin, RouteLock
from apps.routes.states import PlanState, RouteState
from tests.factories import NOW, SERVICE_DATE
from tests.office import Office, make_office, make_user, publish, signed_in

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def office() -> Office:
    return make_office(name="Lauf")


@pytest.fixture
def supervisor(office: Office) -> Client:
    return signed_in(make_user(SUPERVISOR, office.depot))


def page(name: str, *rows: object) -> str:
    return reverse(f"admin:{name}", args=[getattr(row, "pk", row) for row in rows])


def test_today_shows_the_newest_day_of_ones_depots(
    office: Office, supervisor: Client
) -> None:
    make_office(name="Elsewhere")
    publish(office)
    text = supervisor.get("/admin/").content.decode()
    assert "Lauf" in text
    assert "Elsewhere" not in text
    assert "Tuesday, 17 March 2026" in text
    assert office.driver.name in text
    assert "0/1" in text
    assert "1 added" in text  # the change that its driver has not confirmed
    assert "All routes are full." in text
    assert "Background tasks that gave up: 1" in text
    assert "Frau Muster" not in text


def test_today_marks_a_stop_whose_time_has_passed(
    office: Office, supervisor: Client
) -> None:
    publish(office)
    with time_machine.travel(datetime(2026, 3, 17, 9, 0, tzinfo=UTC), tick=False):
        text = supervisor.get("/admin/").content.decode()
    assert "overdue" in text
    assert "next 08:00, overdue" in " ".join(text.replace("\n", " ").split())


def test_today_takes_a_day(office: Office, supervisor: Client) -> None:
    text = supervisor.get("/admin/?date=2026-03-18").content.decode()
    assert "Wednesday, 18 March 2026" in text
    assert "No order and no route on this day." in text


def test_today_without_the_right_to_plans_shows_no_day(office: Office) -> None:
    client = signed_in(make_user("Data steward", office.depot))
    text = client.get("/admin/").content.decode()
    assert "Your role has no page of the day" in text
    assert office.driver.name not in text
    assert "Background tasks that gave up" in text


def test_today_hides_tasks_of_other_depots(office: Office) -> None:
    other = make_office()
    client = signed_in(make_user(SUPERVISOR, other.depot))
    TaskRun.objects.filter(pk=other.task.pk).delete()
    assert "Background tasks that gave up" not in client.get("/admin/").content.decode()
    assert client.get(page("core_taskrun_change", office.task)).status_code == 404


def test_task_belongs_to_the_depot_of_the_entry_that_caused_it(office: Office) -> None:
    with writing(by=SYSTEM, now=NOW) as journal:
        journal.record("plan.requested", office.plan, depot_id=office.depot.pk)
    run = TaskRun.objects.get(task="apps.routes.tasks.plan_day")
    url = page("core_taskrun_change", run)
    mine = signed_in(make_user(SUPERVISOR, office.depot))
    theirs = signed_in(make_user(SUPERVISOR, make_office().depot))
    assert mine.get(url).status_code == 200
    assert theirs.get(url).status_code == 404


def test_plan_day_queues_a_plan_and_shows_it(
    office: Office, supervisor: Client
) -> None:
    answer = supervisor.post(
        page("routes_plan_add"),
        {"depot": office.depot.pk, "service_date": "2026-03-18"},
    )
    plan = Plan.objects.get(service_date=date(2026, 3, 18))
    assert answer["Location"] == page("routes_plan_change", plan)
    assert plan.status == PlanState.QUEUED
    assert not plan.publish_when_ready
    assert TaskRun.objects.filter(task="apps.routes.tasks.plan_day").exists()
    text = supervisor.get(answer["Location"]).content.decode()
    assert 'data-state="queued"' in text


def test_plan_day_refuses_another_depot(office: Office, supervisor: Client) -> None:
    other = make_office()
    answer = supervisor.post(
        page("routes_plan_add"),
        {"depot": other.depot.pk, "service_date": "2026-03-18"},
    )
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
    assert not Plan.objects.filter(service_date=date(2026, 3, 18)).exists()


def test_plan_day_says_that_a_published_day_is_running(
    office: Office, supervisor: Client
) -> None:
    publish(office)
    answer = supervisor.post(
        page("routes_plan_add"),
        {"depot": office.depot.pk, "service_date": SERVICE_DATE.isoformat()},
    )
    assert "This day is published" in answer.content.decode()


def test_plan_page_shows_routes_reasons_costs_and_map(
    office: Office, supervisor: Client
) -> None:
    text = supervisor.get(page("routes_plan_change", office.plan)).content.decode()
    for wanted in (
        office.driver.name,
        "07:00–09:00",  # six in the morning is five in UTC
        "4.2 km",
        "All routes are full.",
        "1 stops on 1 routes.",
        "12.00 EUR less than: Insertion by rules",
        "52.00 EUR",
        "<polyline",
        "Publish",
    ):
        assert wanted in text


def test_plan_page_without_the_ledger_shows_no_reasons(office: Office) -> None:
    user = make_user(DATA_ANALYST, office.depot)
    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="view_plan"))
    text = signed_in(user).get(page("routes_plan_change", office.plan)).content.decode()
    assert "Why this plan" not in text
    assert "Publish" not in text


def test_progress_panel_rests_when_the_plan_is_made(
    office: Office, supervisor: Client
) -> None:
    url = page("routes_plan_progress_panel", office.plan)
    Plan.objects.filter(pk=office.plan.pk).update(
        status=PlanState.SOLVING, progress_percent=37, progress_text="148 solutions"
    )
    moving = supervisor.get(url)
    assert "37 % 148 solutions" in moving.content.decode()
    assert "data-rest" not in moving.content.decode()
    assert "no-store" in moving["Cache-Control"]
    Plan.objects.filter(pk=office.plan.pk).update(status=PlanState.READY)
    assert "data-rest" in supervisor.get(url).content.decode()


def test_publish_gives_the_routes_to_their_drivers(
    office: Office, supervisor: Client
) -> None:
    url = page("routes_plan_publish", office.plan)
    assert "Publish" in supervisor.get(url).content.decode()
    office.plan.refresh_from_db()
    assert office.plan.status == PlanState.READY  # asking alone does nothing
    answer = supervisor.post(url, follow=True)
    assert "The routes are with their drivers." in answer.content.decode()
    office.plan.refresh_from_db()
    office.route.refresh_from_db()
    assert office.plan.status == PlanState.PUBLISHED
    assert office.plan.published_by.startswith("user:")
    assert office.route.status == RouteState.PUBLISHED
    again = supervisor.post(url, follow=True)
    assert "This plan is Published." in again.content.decode()


@pytest.mark.parametrize("role", [DATA_ANALYST, MODEL_MONITOR])
def test_publish_is_refused_to_who_only_reads(role: str, office: Office) -> None:
    client = signed_in(make_user(role, office.depot))
    assert client.post(page("routes_plan_publish", office.plan)).status_code == 403
    office.plan.refresh_from_db()
    assert office.plan.status == PlanState.READY


def test_publish_of_another_depots_plan_is_absent(office: Office) -> None:
    client = signed_in(make_user(ROUTE_PLANNER, make_office().depot))
    assert client.post(page("routes_plan_publish", office.plan)).status_code == 404


def test_route_page_shows_stops_reports_and_changes(
    office: Office, supervisor: Client
) -> None:
    text = supervisor.get(page("routes_route_change", office.route)).content.decode()
    for wanted in (
        office.rows["orders.order"].reference,
        "09:00–11:00",
        "stop note",
        "An order came in.",
        "not yet confirmed",
    ):
        assert wanted in text
    PlanChange.objects.update(acknowledged_at=NOW)
    text = supervisor.get(page("routes_route_change", office.route)).content.decode()
    assert "confirmed 06:00" in text


def test_facts_are_not_to_be_posted(office: Office) -> None:
    admin = signed_in(User.objects.create_superuser("chief"))
    for label in (
        "routes.route",
        "routes.planchange",
        "recommendations.recommendation",
        "journal.entry",
        "sync.deviceevent",
        "sync.quarantinedevent",
        "core.taskrun",
    ):
        stem, row = label.replace(".", "_"), office.rows[label]
        assert (
            admin.post(page(f"{stem}_delete", row), {"post": "yes"}).status_code == 403
        )
        assert admin.get(page(f"{stem}_add")).status_code == 403
        admin.post(page(f"{stem}_change", row), {"kind": "forged", "driver": ""})
        assert type(row).objects.get(pk=row.pk) == row
    entry = office.rows["journal.entry"]
    assert Entry.objects.get(pk=entry.pk).kind == entry.kind
    assert Route.objects.get().driver == office.driver


def test_dead_task_is_run_again_and_a_live_one_is_not(
    office: Office, supervisor: Client
) -> None:
    url = page("core_taskrun_run_again", office.task)
    supervisor.post(url)
    office.task.refresh_from_db()
    assert (office.task.state, office.task.attempts) == (TaskRun.State.QUEUED, 0)
    assert Entry.objects.filter(kind="task.run_again").exists()
    again = supervisor.post(url, follow=True)
    assert "It is queued." in again.content.decode()


def test_sidebar_leads_to_what_the_role_may_see(office: Office) -> None:
    text = signed_in(make_user(MODEL_MONITOR, office.depot)).get("/admin/")
    shown = text.content.decode()
    assert page("recommendations_recommendation_changelist") in shown
    assert page("drivers_driver_changelist") not in shown
    assert "Administration" not in shown


def test_route_page_shows_what_people_hold_fast(office: Office) -> None:
    route = office.rows["routes.route"]
    stop = route.stops.get()
    held = {"made_at": NOW, "made_by": "user:1"}
    Pin.objects.create(
        stop=stop,
        kind=Pin.Kind.TIME,
        service_date=route.service_date,
        closes_at=NOW,
        why="The gate shuts",
        **held,
    )
    RouteLock.objects.create(route=route, until_at=NOW, **held)
    url = page("routes_route_change", route)
    client = signed_in(make_user(SUPERVISOR, office.depot))
    with time_machine.travel(NOW - timedelta(hours=1), tick=False):
        before = client.get(url).content.decode()
    with time_machine.travel(NOW, tick=False):
        after = client.get(url).content.decode()

    assert "The gate shuts" in before
    assert "kind=unlock_route" in before
    assert "The gate shuts" in after
    assert "kind=unlock_route" not in after, "the lock is over"
