"""After a history: the office mends every body that was set aside, once, and is heard.

It comes when everything has drained and takes no chance, so that histories go as they
did. What it makes of a body is not a device's: it is looked at here.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection
from django.test import override_settings

from apps.core.actors import Actor
from apps.journal import pokes
from apps.journal.models import Change, FeedHead
from apps.routes.models import StopAssignment, StopEvent
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.services import mending
from apps.sync.states import QuarantineState
from tests.simulation.ground import Ground
from tests.simulation.watch.invariants import must

OFFICE = Actor("user", "1")
ONCE = "a mended report takes effect once"
TOLD = "every outcome is visible on the device"
RUNG = "a change of the office rings"


def settle_quarantine(ground: Ground) -> None:
    """Mend what waits for the office, each body twice; the second time is refused."""
    waiting = QuarantinedEvent.objects.filter(state=QuarantineState.OPEN)
    for body in waiting.order_by("pk"):
        given = StopAssignment.objects.filter(driver=body.driver_id).order_by("pk")
        first = given.first()
        if first is not None:
            _settle(body, first.stop_id, ground)


def _settle(body: QuarantinedEvent, stop_id: uuid.UUID, ground: Ground) -> None:
    mended = mending.Mended(
        "stop.note", str(stop_id), {"note": "As told by telephone."}
    )
    given: dict[str, Any] = {"quarantined_id": body.pk, "mended": mended}
    before = _head(body)
    with _bell() as bell:
        event = mending.mend_event(**given, by=OFFICE, now=ground.now())
    facts = StopEvent.objects.filter(pk=event.pk, stop=stop_id)
    must(facts.exists(), ONCE, ("without effect", body.pk))
    told = Change.objects.filter(
        scope=body.driver_id, table="event_results", row_id=event.pk
    )
    must(told.exists() and _head(body) > before, TOLD, ("mended", body.pk))
    must(bell.publish.called, RUNG, body.pk)
    try:
        mending.mend_event(**given, by=OFFICE, now=ground.now())
    except mending.SettledAlready:
        pass
    else:
        must(False, ONCE, ("mended again", body.pk))
    body.refresh_from_db()
    must(body.mended_event_id == event.pk, ONCE, ("names another", body.pk))
    must(DeviceEvent.objects.filter(pk=event.pk).exists(), ONCE, ("lost", body.pk))


def _head(body: QuarantinedEvent) -> int:
    heads = FeedHead.objects.filter(scope=body.driver_id)
    return heads.values_list("head", flat=True).first() or 0


@contextmanager
def _bell() -> Iterator[Any]:
    """Let what waits for the commit happen, and hear whether it rings."""
    bell = mock.Mock()
    since = len(connection.run_on_commit)
    with (
        override_settings(REDIS_URL="redis://bell:6379/0"),
        mock.patch.object(pokes, "_line", return_value=bell),
    ):
        yield bell
        # The stubs of Django leave out that each has a third part: whether it may fail.
        waiting: Any = connection.run_on_commit[since:]
        for _, act, _ in waiting:
            act()
