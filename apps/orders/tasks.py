"""The room's background work."""

import uuid

import structlog

from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Problem
from apps.orders.models import ImportRun
from apps.orders.services import import_orders

log = structlog.get_logger(__name__)


def run_import(*, run_id: str) -> None:
    """Import a received file, and show on its run how far it is."""

    def progress(phase: str, done: int, total: int) -> None:
        if phase == "reading":
            ImportRun.objects.filter(pk=run_id).update(rows=total, rows_done=done)

    run = ImportRun.objects.filter(pk=run_id).first()
    by = _actor(run.requested_by) if run else SYSTEM
    try:
        done = import_orders(
            run_id=uuid.UUID(run_id), by=by, now=clock.now(), progress=progress
        )
    except Problem as problem:
        # The run keeps the reason for the office; trying again would not mend the file.
        log.info("import_refused", run_id=run_id, problem=problem.type)
        return
    log.info(
        "import_done",
        run_id=run_id,
        created=done.created,
        updated=done.updated,
        quarantined=done.quarantined,
    )


def _actor(said: str) -> Actor:
    kind, _, number = said.partition(":")
    return Actor(kind, number)
