"""`create_demo`: the town's day goes in through the house's own verbs."""

import io
import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.core.models import TaskRun
from apps.depots.models import Depot
from apps.drivers.models import Driver, Shift, Vehicle
from apps.orders.models import Address, Order
from apps.routes.models import Plan
from apps.training.selectors import demo_logins, demo_mark
from apps.training.town.generate import make_town

pytestmark = pytest.mark.django_db
DAY, NEXT_DAY = "2026-03-17", "2026-03-18"


@pytest.fixture(autouse=True)
def own_place(settings: Settings, tmp_path: Path) -> Path:
    settings.DEMO_MARK = tmp_path / "demo"
    settings.DEMO_LOGINS_FILE = tmp_path / "demo_logins.json"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DEMO_ALLOWED = True
    return tmp_path


def create(**options: Any) -> str:
    said = io.StringIO()
    given = {"orders": 20, "drivers": 2, "date": date.fromisoformat(DAY), **options}
    call_command("create_demo", stdout=said, **given)
    return said.getvalue()


def test_create_demo_makes_a_day_that_waits_for_its_plan(own_place: Path) -> None:
    said = create()
    depot = Depot.objects.get()
    assert depot.is_demo
    assert "Composed" in said
    assert depot.zones.count() == len(make_town(7).zones)
    assert Address.objects.filter(depot=depot).count() > 2_900
    orders = Order.objects.filter(depot=depot, service_date=DAY)
    assert orders.count() == 20
    assert orders.exclude(zone=None).count() == 20
    assert orders.filter(windows=None).count() == 0
    assert Shift.objects.filter(service_date=DAY).count() == 2
    plan = Plan.objects.get()
    assert plan.publish_when_ready
    task = TaskRun.objects.get(task="apps.routes.tasks.plan_day")
    assert task.arguments == {"plan_id": str(plan.pk)}


def test_create_demo_gives_each_role_a_login_in_a_private_file(own_place: Path) -> None:
    create()
    path = own_place / "demo_logins.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held = json.loads(path.read_text())
    assert len(set(held.values())) == len(held) == 7
    for name, password in held.items():
        user = User.objects.get(username=name)
        assert user.check_password(password)
        assert user.is_superuser is (name == "admin")
    supervisor = User.objects.get(username="supervisor")
    assert supervisor.groups.get().name == "Supervisor"
    assert supervisor.has_perm("drivers.add_enrolmentcode")
    said = demo_logins()
    assert any(held["supervisor"] in line for line in said)
    assert any("/admin/notifications/message/" in line for line in said)


def test_create_demo_again_adds_a_day_for_the_same_crew(own_place: Path) -> None:
    create()
    held = (own_place / "demo_logins.json").read_text()
    create(date=date.fromisoformat(NEXT_DAY))
    assert (own_place / "demo_logins.json").read_text() == held
    assert Depot.objects.count() == 1
    assert Driver.objects.count() == Vehicle.objects.count() == 2
    assert Shift.objects.filter(service_date__in=[DAY, NEXT_DAY]).count() == 4
    mark = demo_mark()
    assert mark is not None
    assert [day.date for day in mark.days] == [DAY, NEXT_DAY]


def test_create_demo_of_the_same_day_changes_nothing() -> None:
    create()
    said = create()
    assert "Its plan was there before." in said
    assert Order.objects.count() == 20
    assert Shift.objects.filter(service_date=DAY).count() == 2
    assert Plan.objects.count() == 1


def test_create_demo_refuses_another_town() -> None:
    create()
    with pytest.raises(CommandError, match="seed 7"):
        create(seed=8)


def test_create_demo_is_refused_where_others_reach_it(settings: Settings) -> None:
    settings.DEMO_ALLOWED = False
    with pytest.raises(CommandError, match="localhost"):
        create()
    assert not User.objects.exists()
    assert demo_logins() == []


def test_create_demo_leaves_a_real_depot_alone() -> None:
    create()
    Depot.objects.update(is_demo=False)
    with pytest.raises(CommandError, match="demo never touches"):
        create(date=date.fromisoformat(NEXT_DAY))
