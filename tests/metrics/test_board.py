"""The board: what it says of a day, to whom, and when it has nothing new to say."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.roles import DATA_STEWARD, ROUTE_PLANNER, SUPERVISOR
from apps.core.units import epoch_ms
from apps.drivers.models import Position, Shift
from apps.incidents.models import Incident
from apps.journal.services import writing
from apps.metrics.bars import bars_of
from apps.metrics.selectors import live_board
from apps.metrics.standing import LATE_START_S, Standing
from apps.orders.models import TimeWindow
from apps.overrides.models import Override
from apps.routes.board import today_of
from apps.routes.models import Route, Stop
from apps.routes.moderows import DepotMode
from apps.routes.stopfacts import stops_of
from tests.factories import NOW, SERVICE_DATE
from tests.office import Office, make_office, make_user, publish, signed_in

pytestmark = pytest.mark.django_db

AT_WORK = NOW + timedelta(hours=1, minutes=30)
"""The shift has begun half an hour ago; its one stop is expected in half an hour."""


@pytest.fixture
def office() -> Office:
    made = make_office(name="Lauf", code="lauf")
    publish(made)
    Shift.objects.filter(pk=made.shift.pk).update(
        status="started", started_at=made.shift.starts_at
    )
    Route.objects.filter(pk=made.route.pk).update(status="started")
    return made


@pytest.fixture
def supervisor(office: Office) -> Client:
    return signed_in(make_user(SUPERVISOR, office.depot))


def standing(office: Office, now: datetime = AT_WORK) -> Standing:
    [one] = live_board(office.depot, SERVICE_DATE, now=now).standings
    return one


def promise(office: Office, until: datetime) -> None:
    TimeWindow.objects.filter(order__stops__route=office.route).update(
        opens_at=until - timedelta(hours=1), closes_at=until
    )


def words(one: Standing) -> list[str]:
    return [text for _, text in one.words]


def fix(office: Office, at: datetime) -> Position:
    return Position.objects.create(
        driver=office.driver,
        device=office.device,
        boot_key=1,
        mono_ms=epoch_ms(at) % 2**40,
        occurred_ms=epoch_ms(at),
        lat_e6=49_512_000,
        lon_e6=11_283_000,
    )


def panel(client: Client, **headers: str) -> tuple[int, str, str]:
    url = reverse("board")
    answer = client.get(
        url, {"depot": "lauf", "date": str(SERVICE_DATE)}, headers=headers
    )
    return answer.status_code, answer.content.decode(), answer.get("ETag", "")


def test_facts_of_stops_are_what_the_rows_say(office: Office) -> None:
    stop = Stop.objects.select_related("order").get(route=office.route)
    [fact] = stops_of([office.route.pk])[office.route.pk]
    window = stop.order.windows.get()
    assert (fact.pk, fact.order_id) == (stop.pk, stop.order_id)
    assert (fact.eta_at, fact.closes_at) == (stop.eta_at, window.closes_at)
    assert (fact.completed_s, fact.point) == (None, stop.order.point)
    assert (fact.reference, fact.status) == (stop.order.reference, "pending")
    assert stops_of([]) == {}


def test_stop_expected_after_its_promise_is_late(office: Office) -> None:
    promise(office, AT_WORK + timedelta(minutes=18))
    one = standing(office)
    assert "1 late, up to 12 min" in words(one)
    assert not one.is_calm
    bars = bars_of([one], AT_WORK, "Europe/Berlin", is_dense=True)
    [mark] = bars.routes[0].marks
    assert mark.kind == "late"
    assert mark.promised_x is not None
    assert mark.promised_x < mark.x
    assert bars.now_x is not None
    assert bars.now_x < mark.x


def test_stop_whose_interval_passes_its_promise_may_be_late(office: Office) -> None:
    promise(office, AT_WORK + timedelta(minutes=40))
    Stop.objects.filter(route=office.route).update(
        eta_high_at=AT_WORK + timedelta(minutes=45)
    )
    one = standing(office)
    assert "1 may be late" in words(one)
    assert not one.late


def test_time_that_passes_makes_a_stop_late(office: Office) -> None:
    promise(office, AT_WORK + timedelta(minutes=40))
    later = AT_WORK + timedelta(minutes=50)
    one = standing(office, later)
    assert one.overdue_s == 20 * 60
    assert "1 late, up to 10 min" in words(one)


def test_route_of_which_nothing_is_heard_is_silent(office: Office) -> None:
    assert standing(office).silent_s == 30 * 60
    fix(office, AT_WORK - timedelta(minutes=2))
    assert standing(office).silent_s == 0


def test_shift_that_has_not_begun_is_told_after_a_while(office: Office) -> None:
    Shift.objects.filter(pk=office.shift.pk).update(status="planned", started_at=None)
    on_time = office.shift.starts_at + timedelta(seconds=LATE_START_S - 60)
    assert words(standing(office, on_time)) == ["not begun"]
    assert "not begun, 30 min late" in words(standing(office))


def test_driver_on_a_break_and_a_route_that_is_done_say_so(office: Office) -> None:
    Route.objects.filter(pk=office.route.pk).update(
        break_starts_at=AT_WORK - timedelta(minutes=1),
        break_ends_at=AT_WORK + timedelta(minutes=29),
    )
    fix(office, AT_WORK)
    assert words(standing(office)) == ["on a break"]
    Stop.objects.filter(route=office.route).update(
        status="succeeded", arrived_at=AT_WORK, completed_at=AT_WORK
    )
    assert words(standing(office)) == ["all stops done"]


def test_board_shows_vehicles_to_those_who_may_see_devices(
    office: Office, supervisor: Client
) -> None:
    fix(office, AT_WORK - timedelta(minutes=4))
    with time_machine.travel(AT_WORK, tick=False):
        _, text, _ = panel(supervisor)
        planner = signed_in(make_user(ROUTE_PLANNER, office.depot))
        _, hidden, _ = panel(planner)
    assert "seen 07:26, 4 min ago" in text
    assert "rm-map-vehicle" in text
    assert "rm-map-zone" in text
    assert "rm-map-vehicle" not in hidden


def test_board_that_has_not_changed_is_not_sent_again(
    office: Office, supervisor: Client
) -> None:
    with time_machine.travel(AT_WORK, tick=False) as clock:
        status, text, etag = panel(supervisor)
        assert (status, "Lauf" in text) == (200, True)
        assert panel(supervisor, if_none_match=etag) == (304, "", etag)
        fix(office, AT_WORK)
        status, text, moved = panel(supervisor, if_none_match=etag)
        assert status == 200
        with writing(by=SYSTEM, now=AT_WORK) as journal:
            journal.record("a.thing", office.route, depot_id=office.depot.pk)
        status, _, told = panel(supervisor, if_none_match=moved)
        assert status == 200
        clock.shift(timedelta(minutes=1))
        assert panel(supervisor, if_none_match=told)[0] == 200


def test_board_is_refused_or_absent(office: Office, supervisor: Client) -> None:
    steward = signed_in(make_user(DATA_STEWARD, office.depot))
    assert panel(steward)[0] == 403
    elsewhere = signed_in(make_user(SUPERVISOR, make_office(code="other").depot))
    assert panel(elsewhere)[0] == 404
    assert panel(Client())[0] == 302


def test_board_with_several_depots_leads_to_each(office: Office) -> None:
    other = make_office(name="Hersbruck", code="hersbruck")
    client = signed_in(make_user(SUPERVISOR, office.depot, other.depot))
    query = {"depot": "hersbruck", "date": str(SERVICE_DATE)}
    text = client.get(reverse("admin:index"), query).content.decode()
    assert other.driver.name in text
    assert office.driver.name not in text
    assert f"?depot=lauf&amp;date={SERVICE_DATE}" in text
    assert text.count("0/1 done") == 2


def test_board_can_show_only_what_needs_a_look(
    office: Office, supervisor: Client
) -> None:
    fix(office, AT_WORK)
    with time_machine.travel(AT_WORK, tick=False):
        query = {"depot": "lauf", "only": "trouble"}
        text = supervisor.get(reverse("admin:index"), query).content.decode()
    assert "No route needs a look." in text


def test_today_is_the_depots_own() -> None:
    depot = make_office(time_zone="Pacific/Auckland").depot
    assert today_of(depot, datetime(2026, 3, 17, 12, tzinfo=UTC)).day == 18


def _sees_routes_alone(office: Office) -> User:
    user = make_user(SUPERVISOR, office.depot)
    user.groups.clear()
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_route", "view_plan"])
    )
    return user


def test_board_tells_of_incidents_and_that_rules_plan(
    office: Office, supervisor: Client
) -> None:
    Incident.objects.create(
        depot=office.depot,
        kind="vehicle",
        cause="test",
        title="The van has a flat tyre",
        severity="high",
        role=SUPERVISOR,
        deadline_at=AT_WORK - timedelta(minutes=10),
        raised_at=NOW,
        raised_by="system",
    )
    DepotMode.objects.update_or_create(
        depot=office.depot,
        defaults={
            "chosen": "rules",
            "chosen_at": NOW,
            "chosen_by": "user:1",
            "why": "The engines are being updated.",
        },
    )
    with time_machine.travel(AT_WORK, tick=False):
        _, text, _ = panel(supervisor)
        _, hidden, _ = panel(signed_in(_sees_routes_alone(office)))
    assert "The van has a flat tyre" in text
    assert "was due 07:20" in text
    assert "Planned by the rules alone" in text
    assert "The engines are being updated." in text
    assert "The van has a flat tyre" not in hidden


def test_board_names_changes_that_wait_for_an_answer(
    office: Office, supervisor: Client
) -> None:
    Override.objects.create(
        depot=office.depot,
        service_date=SERVICE_DATE,
        kind="lock_route",
        change={},
        asked_change={},
        route=office.route,
        driver=office.driver,
        source="device",
        asked_by=f"driver:{office.driver.pk}",
        asked_role="Driver",
        client_id="a-1",
        asked_at=NOW,
        received_at=NOW,
        state="waiting",
        approver=SUPERVISOR,
        deadline_at=AT_WORK + timedelta(minutes=5),
    )
    with time_machine.travel(AT_WORK, tick=False):
        _, text, _ = panel(supervisor)
        _, hidden, _ = panel(signed_in(_sees_routes_alone(office)))
    assert "Lock a route against re-optimization" in text
    assert "until 07:35" in text
    assert "Lock a route" not in hidden
