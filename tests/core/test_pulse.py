from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from apps.core import pulse
from apps.core.queue import enqueue


@pytest.fixture
def pulse_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pulse"
    monkeypatch.setenv(pulse.PULSE_FILE, str(path))
    return path


@pytest.mark.django_db
def test_queue_uses_broker_with_a_pulse() -> None:
    assert isinstance(get_broker(), pulse.PulsingBroker)


@pytest.mark.django_db(transaction=True)  # the broker closes stale connections
def test_dequeue_gives_beat_then_tasks_in_a_watched_cluster(pulse_file: Path) -> None:
    enqueue("apps.core.tasks.tidy")
    broker = get_broker()

    [(claim, package)] = broker.dequeue()
    task = SignedPackage.loads(package)
    import_string(task["func"])(*task["args"], **task["kwargs"])

    assert claim is None, "nothing to acknowledge in the database"
    assert not task["save"]
    assert pulse_file.exists()
    [(claim, package)] = broker.dequeue()
    assert claim == OrmQ.objects.get().pk


@pytest.mark.django_db(transaction=True)
def test_dequeue_gives_no_beat_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(pulse.PULSE_FILE, raising=False)
    enqueue("apps.core.tasks.tidy")

    [(claim, _package)] = get_broker().dequeue()

    assert claim == OrmQ.objects.get().pk


@pytest.mark.django_db(transaction=True)
def test_release_claims_gives_back_what_a_dead_cluster_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(pulse.PULSE_FILE, raising=False)
    enqueue("apps.core.tasks.tidy")
    get_broker().dequeue()
    assert pulse.waiting() == 0

    assert pulse.release_claims() == 1

    assert pulse.waiting() == 1


@pytest.mark.django_db
def test_release_claims_leaves_what_is_put_off_for_long() -> None:
    enqueue("apps.core.tasks.tidy")
    [package] = OrmQ.objects.all()
    later = package.lock + timedelta(seconds=settings.Q_CLUSTER["retry"] + 60)
    OrmQ.objects.update(lock=later)

    assert pulse.release_claims() == 0
    assert OrmQ.objects.get().lock == later
