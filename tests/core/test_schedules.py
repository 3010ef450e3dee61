from datetime import timedelta
from typing import Any

import pytest
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage

from apps.core import schedules
from apps.core.models import TaskRun
from apps.core.schedules import Scheduled, keep_schedules

TABLE = (Scheduled(name="tidy", task="apps.core.tasks.tidy", every_minutes=60),)

pytestmark = pytest.mark.django_db


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Any:
    def keep(*table: Scheduled) -> list[str]:
        monkeypatch.setattr(schedules, "import_string", lambda _name: table)
        return keep_schedules()

    return keep


def test_keep_schedules_twice_changes_nothing(keep: Any) -> None:
    assert keep(*TABLE) == ["added tidy"]
    due_at = Schedule.objects.get().next_run

    assert keep(*TABLE) == []
    assert Schedule.objects.get().next_run == due_at


def test_keep_schedules_follows_table(keep: Any) -> None:
    keep(*TABLE)
    due_at = Schedule.objects.get().next_run

    oftener = Scheduled(name="tidy", task="apps.core.tasks.tidy", every_minutes=5)
    assert keep(oftener) == ["changed tidy"]
    assert Schedule.objects.get().minutes == 5
    assert Schedule.objects.get().next_run < due_at

    assert keep() == ["removed tidy"]
    assert not Schedule.objects.exists()


@pytest.mark.django_db(transaction=True)  # the scheduler closes its connection
def test_scheduler_queues_what_is_due_through_the_one_door(keep: Any) -> None:
    keep(*TABLE)
    row = Schedule.objects.get()
    row.next_run -= timedelta(hours=3)
    row.save()

    scheduler(get_broker())

    [package] = OrmQ.objects.all()
    task = SignedPackage.loads(package.payload)
    import_string(task["func"])(*task["args"])
    assert TaskRun.objects.get().task == "apps.core.tasks.tidy"
    row.refresh_from_db()
    assert row.next_run > package.lock  # once for three missed hours, then ahead
