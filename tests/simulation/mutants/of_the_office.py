"""Mutants of what the office does with reports that were set aside, and of its bell."""

from collections.abc import Iterator
from typing import Any

from apps.core.verdicts import OK
from apps.journal import pokes
from apps.sync.models import QuarantinedEvent
from apps.sync.services import mending
from tests.simulation.mutants.registry import mutant, patch


@mutant
def mended_report_has_no_effect() -> Iterator[None]:
    """The office hears that a mended report counts, and no handler has seen it."""
    with patch(mending, "judge_event", lambda *_, **__: OK):
        yield


@mutant
def mended_report_counts_again() -> Iterator[None]:
    """A body that was mended may be mended once more."""

    def settle(body: Any, state: Any, journal: Any, **more: Any) -> None:
        rows = QuarantinedEvent.objects.filter(pk=body.pk)
        rows.update(state=state, settled_at=journal.now, **more)

    with patch(mending, "_settle", settle):
        yield


@mutant
def change_of_the_office_rings_no_bell() -> Iterator[None]:
    """Sockets hear of what the office does when they ask by themselves."""
    with patch(pokes, "ring", lambda *_: None):
        yield
