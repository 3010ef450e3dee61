"""Order files come in: received, read, stored in one transaction, answered row by row."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from apps.core import queue
from apps.core.actors import Actor
from apps.core.problems import Conflict, NotFound
from apps.depots.models import Depot
from apps.journal.services import Writer, writing
from apps.orders.drafts import MAX_FILE_BYTES, ImportOptions
from apps.orders.imports.gazetteer import Gazetteer
from apps.orders.imports.reading import Reading, read_orders
from apps.orders.imports.rows import BadRow, Progress, Site
from apps.orders.imports.tables import UnreadableFile
from apps.orders.imports.times import Local
from apps.orders.models import ImportRun, Order, QuarantinedRow
from apps.orders.selectors import known_addresses
from apps.orders.services.storing import (
    CHUNK,
    Incoming,
    Sorted,
    Stored,
    closed_fault,
    sort_incoming,
    store,
)
from apps.orders.states import ImportState

log = structlog.get_logger(__name__)

TASK = "apps.orders.tasks.run_import"
ATTEMPTS = 3
_MONTH_FIRST = {"US", "PH", "PR", "GU", "VI", "AS"}


class FileTooLarge(UnreadableFile):
    """The file is larger than an import takes at once."""

    type = "/problems/file-too-large"
    title = "This file is too large: cut it in parts."
    status = 413


class RunNotFound(NotFound):
    """There is no such import, or not for this caller."""

    type = "/problems/import-not-found"
    title = "There is no such import here."


class ImportClash(Conflict):
    """Other imports took the same references again and again."""

    type = "/problems/import-clash"
    title = "Another import of the same orders is running: try again when it has ended."


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do."""

    reading: Reading
    created: int
    updated: int
    unchanged: int
    bad: Sequence[BadRow]


def receive_file(
    *,
    depot_id: uuid.UUID,
    content: bytes,
    file_name: str,
    service_date: date | None,
    options: ImportOptions,
    by: Actor,
    now: datetime,
    start: bool = True,
) -> ImportRun:
    """Keep a file and, unless the caller does it at once, queue its import.

    Raises:
        FileTooLarge: it has more bytes than one import takes.
    """
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge(
            f"The file has over {MAX_FILE_BYTES // 2**20} MiB: cut it in parts."
        )
    with writing(by=by, now=now):
        run = ImportRun(
            depot_id=depot_id,
            service_date=service_date,
            file_name=file_name[-255:],
            file_sha256=hashlib.sha256(content).hexdigest(),
            options=options.as_dict(),
            requested_by=str(by),
            requested_at=now,
        )
        run.file.save(f"{run.pk}.dat", ContentFile(content), save=False)
        run.save(force_insert=True)
        if start:
            queue.enqueue(TASK, run_id=str(run.pk))
    return run


def import_orders(
    *,
    run_id: uuid.UUID,
    by: Actor,
    now: datetime,
    progress: Progress = lambda phase, done, total: None,
) -> ImportRun:
    """Import a received file: good rows become orders, bad ones go to quarantine.

    Reading comes first and outside the transaction; then everything is stored at once,
    so that an import that is broken off leaves nothing and may be started again.

    Raises:
        RunNotFound: there is no such run.
        UnreadableFile: the file as a whole was refused; the run keeps why.
        ImportClash: other imports kept taking the same references.
    """
    run = ImportRun.objects.select_related("depot").filter(pk=run_id).first()
    if run is None:
        raise RunNotFound
    if run.state in (ImportState.DONE, ImportState.REFUSED):
        return run
    ImportRun.objects.filter(pk=run_id).update(state=ImportState.RUNNING)
    try:
        with run.file.open("rb") as file:
            content = file.read()
        reading = _read(run.depot, run.service_date, content, _options(run), progress)
    except UnreadableFile as problem:
        _refuse(run, problem, now)
        raise
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with writing(by=by, now=now) as writer:
                return _store(run, reading, writer, progress)
        except IntegrityError:
            # Another import stored the same references between our look and our write.
            log.warning("import_clash", run_id=str(run.pk), attempt=attempt)
    raise ImportClash


def preview_import(
    *,
    depot_id: uuid.UUID,
    content: bytes,
    service_date: date | None,
    options: ImportOptions,
    progress: Progress = lambda phase, done, total: None,
) -> Preview:
    """Tell what an import would do, and store nothing.

    Raises:
        UnreadableFile: the file as a whole would be refused.
    """
    depot = Depot.objects.get(pk=depot_id)
    reading = _read(depot, service_date, content, options, progress)
    with transaction.atomic():
        found = sort_incoming(depot_id, _incoming(reading), lock=False)
    bad = [*reading.bad, *_closed(reading, found)]
    return Preview(
        reading, len(found.new), len(found.changed), len(found.unchanged), bad
    )


def _read(
    depot: Depot,
    service_date: date | None,
    content: bytes,
    options: ImportOptions,
    progress: Progress,
) -> Reading:
    return read_orders(
        content,
        site_of(depot, service_date),
        options,
        gazetteer=lambda: Gazetteer(known_addresses(depot.pk)),
        progress=progress,
    )


def site_of(depot: Depot, service_date: date | None) -> Site:
    """Return what reading a depot's files has to know of it."""
    local = Local(ZoneInfo(depot.time_zone), depot.country not in _MONTH_FIRST)
    return Site(depot.code, depot.point, depot.country, local, service_date)


def _options(run: ImportRun) -> ImportOptions:
    return ImportOptions.from_dict(run.options)


def _incoming(reading: Reading) -> list[Incoming]:
    return [
        Incoming(placed.good.draft, placed.location, placed.good.row.line)
        for placed in reading.good
    ]


def _closed(reading: Reading, found: Sorted) -> list[BadRow]:
    column = reading.mapping.as_dict().get("reference", "reference")
    rows = {placed.good.row.line: placed.good.row for placed in reading.good}
    return [
        BadRow(
            rows[item.line or 0], item.draft.reference, (closed_fault(column, order),)
        )
        for item, order in found.closed
    ]


def _store(
    run: ImportRun, reading: Reading, writer: Writer, progress: Progress
) -> ImportRun:
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    if held.state == ImportState.DONE:
        return held  # Another worker was given the same task, and was faster.
    found = sort_incoming(run.depot_id, _incoming(reading), lock=True)
    stored = store(
        found,
        depot=run.depot,
        writer=writer,
        run=run,
        progress=lambda done: progress("storing", done, len(found.new)),
    )
    bad = [*reading.bad, *_closed(reading, found)]
    _resolve_earlier(run, reading, writer.now)
    _quarantine(run, reading, bad)
    _tell(run, stored, writer)
    table = reading.table
    run.kind, run.encoding, run.delimiter = table.kind, table.encoding, table.delimiter
    run.headers, run.mapping = table.headers, reading.mapping.as_dict()
    run.rows = run.rows_done = reading.rows
    run.created, run.updated = len(stored.created), len(stored.updated)
    run.unchanged, run.quarantined = len(found.unchanged), len(bad)
    run.state, run.finished_at = ImportState.DONE, writer.now
    run.save()
    return run


def _tell(run: ImportRun, stored: Stored, writer: Writer) -> None:
    """Record the run, and each order that was there before and is otherwise now."""
    for order in stored.updated:
        record_change(writer, "order.changed", order)
    writer.record(
        "orders.imported",
        run,
        depot_id=run.depot_id,
        run_id=str(run.pk),
        service_dates=sorted(day.isoformat() for day in stored.service_dates),
        created=len(stored.created),
        updated=len(stored.updated),
    )


def record_change(writer: Writer, kind: str, order: Order, **more: object) -> None:
    """Record what became of one order; the payload never holds what is personal."""
    writer.record(
        kind,
        order,
        depot_id=order.depot_id,
        order_id=str(order.pk),
        service_date=order.service_date.isoformat(),
        **more,
    )


def _quarantine(run: ImportRun, reading: Reading, bad: list[BadRow]) -> None:
    headers = reading.table.headers
    QuarantinedRow.objects.filter(run=run).delete()
    QuarantinedRow.objects.bulk_create(
        [
            QuarantinedRow(
                run=run,
                line=found.row.line,
                raw=raw_cells(headers, found.row.cells),
                faults=[fault.as_dict() for fault in found.faults],
                reference=found.reference[:80],
            )
            for found in bad
        ],
        batch_size=CHUNK,
    )


def raw_cells(headers: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Return a row as header → cell; what overhangs gets a numbered name."""
    names = [*headers, *(f"column {n + 1}" for n in range(len(headers), len(cells)))]
    return dict(zip(names, cells, strict=False))


def _resolve_earlier(run: ImportRun, reading: Reading, now: datetime) -> None:
    """Close quarantined rows of earlier runs whose orders have come in."""
    waiting = QuarantinedRow.objects.filter(
        run__depot_id=run.depot_id, resolved_at=None
    ).exclude(run=run)
    references = sorted({placed.good.draft.reference for placed in reading.good})
    for start in range(0, len(references), CHUNK):
        part = references[start : start + CHUNK]
        waiting.filter(reference__in=part).update(resolved_at=now)


def _refuse(run: ImportRun, problem: UnreadableFile, now: datetime) -> None:
    ImportRun.objects.filter(pk=run.pk).update(
        state=ImportState.REFUSED,
        problem=problem.detail,
        headers=problem.extra.get("headers", []),
        finished_at=now,
    )
