"""The queue's pulse: a cluster proves every few seconds that its workers work.

A worker killed while it holds the queue's lock stops its whole cluster without a word.
So the cluster's own pusher slips a beat among the tasks, a worker carries it out by
touching a file, and whoever watches the file knows. The beat does not pass through the
database: each cluster feels its own pulse, however many share the queue.
"""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.status import Stat

PULSE_FILE = "ROUNDSMAN_PULSE_FILE"
"""The environment variable that says where a watched cluster leaves its beats."""

BEAT_EVERY_S = 2.0

Claimed = list[tuple[int | None, str]]


class PulsingBroker(ORM):  # type: ignore[misc]
    """The ORM broker, with a beat among the tasks of a cluster that is watched."""

    def __init__(self, list_key: str | None = None) -> None:
        """Start with a beat, so that the watcher sees the cluster come up."""
        super().__init__(list_key=list_key)
        self._next_beat_s = 0.0

    def dequeue(self) -> Claimed | None:
        """Return a beat when one is due, otherwise what the queue holds."""
        if PULSE_FILE in os.environ and time.monotonic() >= self._next_beat_s:
            self._next_beat_s = time.monotonic() + BEAT_EVERY_S
            return [(None, SignedPackage.dumps(_beat_package()))]
        claimed: Claimed | None = super().dequeue()
        return claimed


def beat() -> None:
    """Leave a sign of life, if this process belongs to a cluster that is watched."""
    path = os.environ.get(PULSE_FILE)
    if path:
        Path(path).touch()


def _beat_package() -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "name": "beat",
        "func": "apps.core.pulse.beat",
        "args": (),
        "kwargs": {},
        "started": datetime.now(UTC),  # noqa: TID251  the queue's own clock
        "save": False,
    }


def clusters_alive() -> int:
    """Return how many clusters have reported in the last seconds, on any machine."""
    return len(Stat.get_all())


def waiting() -> int:
    """Return how many tasks are due and not yet taken."""
    return int(get_broker().queue_size())


def release_claims() -> int:
    """Give back what clusters had claimed that are no more; return how many tasks.

    Only for a start that is known to be alone on its queue. A claim and the wait before
    another attempt look the same to the queue, so that one may come early.
    """
    now = datetime.now(UTC)  # noqa: TID251  the queue's own clock
    claimed = OrmQ.objects.filter(
        lock__gt=now, lock__lte=now + timedelta(seconds=Conf.RETRY)
    )
    return int(claimed.update(lock=now))
