"""`manage.py import_orders`: an order file from the command line."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.depots.models import Depot
from apps.depots.selectors import depot_by_code
from apps.orders.drafts import Fault, ImportOptions
from apps.orders.imports.mending import RowToMend, mending_file
from apps.orders.models import ImportRun
from apps.orders.selectors import quarantine_of
from apps.orders.services import import_orders, preview_import, receive_file
from apps.orders.services.files import raw_cells

BY = Actor("command", "import_orders")
SHOWN_FAULTS = 10


@dataclass(slots=True)
class Outcome:
    """What is printed at the end."""

    rows: int
    created: int
    updated: int
    unchanged: int
    quarantined: int
    mapping: dict[str, str]
    run_id: str = ""
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    mending: bytes = b""


class Bars:
    """A progress bar a phase, on a terminal alone."""

    def __init__(self, *, shown: bool) -> None:
        """Begin without a bar."""
        self._shown, self._bar, self._phase = shown, None, ""

    _bar: "tqdm[Any] | None"

    def tell(self, phase: str, done: int, total: int) -> None:
        """Move the phase's bar to `done` of `total`."""
        if not self._shown or not total:
            return
        if self._bar is None or phase != self._phase:
            self.close()
            self._bar, self._phase = tqdm(total=total, desc=phase, unit="row"), phase
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Command(BaseCommand):
    """Import orders from a CSV or XLSX file.

    Exit code 0: every row is in; 2: some rows are in quarantine; 1: the file, the depot
    or an option was refused, and nothing was stored.
    """

    help = "Import orders from a CSV or XLSX file; bad rows go to quarantine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--depot", required=True, help="The depot's code.")
        parser.add_argument(
            "--date",
            type=_date,
            help="Date of service (YYYY-MM-DD) of rows that name none themselves.",
        )
        parser.add_argument(
            "--map",
            action="append",
            type=_pair,
            default=[],
            metavar="FIELD=HEADER",
            help="Take a field from this column; HEADER+HEADER joins two.",
        )
        parser.add_argument(
            "--where",
            action="append",
            type=_pair,
            default=[],
            metavar="HEADER=VALUE",
            help="Import only the rows with this value; may be repeated.",
        )
        parser.add_argument(
            "--make-references",
            action="store_true",
            help="Make each order's reference of its row's content: for files without.",
        )
        parser.add_argument("--encoding", default="", help="When it is guessed wrong.")
        parser.add_argument(
            "--quarantine", type=Path, help="Where to write the rows to mend."
        )
        parser.add_argument("--dry-run", action="store_true", help="Store nothing.")
        parser.add_argument(
            "--json", action="store_true", help="Print one JSON object."
        )

    def handle(self, *_args: Any, **given: Any) -> None:
        """Import the file and say what became of it."""
        options = ImportOptions(
            columns=tuple(given["map"]),
            where=tuple(given["where"]),
            make_references=given["make_references"],
            encoding=given["encoding"],
        )
        try:
            content = given["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{given['file']}: {error.strerror}.") from None
        bars = Bars(shown=sys.stderr.isatty() and not given["json"])
        act = _preview if given["dry_run"] else _import
        try:
            depot = depot_by_code(given["depot"])
            outcome = act(
                depot, content, given["file"].name, given["date"], options, bars
            )
        except Problem as problem:
            raise CommandError(problem.detail) from None
        finally:
            bars.close()
        if outcome.mending:
            given["quarantine"] = given["quarantine"] or _beside(given["file"])
            given["quarantine"].write_bytes(outcome.mending)
        self._print(outcome, given)
        if outcome.quarantined:
            sys.exit(2)

    def _print(self, outcome: Outcome, given: dict[str, Any]) -> None:
        path = str(given["quarantine"]) if outcome.mending else ""
        if given["json"]:
            self.stdout.write(json.dumps(_summary(outcome, path)))
            return
        say = self.stdout.write
        say("Columns: " + ", ".join(f"{f} ← {h}" for f, h in outcome.mapping.items()))
        would = "would be " if given["dry_run"] else ""
        say(
            f"{outcome.rows} rows: {outcome.created} {would}created, "
            f"{outcome.updated} {would}updated, {outcome.unchanged} unchanged, "
            f"{outcome.quarantined} {would}in quarantine."
        )
        for line, fault in outcome.faults[:SHOWN_FAULTS]:
            say(f"  line {line}, {fault.column}: {fault.detail} [{fault.code}]")
        if path:
            say(f"All rows to mend: {path}. Mend them there and import that file.")


def _import(  # noqa: PLR0917  the facts of one import
    depot: Depot,
    content: bytes,
    name: str,
    service_date: date | None,
    options: ImportOptions,
    bars: Bars,
) -> Outcome:
    now = clock.now()
    run = receive_file(
        depot_id=depot.pk,
        content=content,
        file_name=name,
        service_date=service_date,
        options=options,
        by=BY,
        now=now,
        start=False,
    )
    done = import_orders(run_id=run.pk, by=BY, now=now, progress=bars.tell)
    return _outcome_of(done)


def _outcome_of(run: ImportRun) -> Outcome:
    rows = quarantine_of(run)
    to_mend = [RowToMend(row.raw, row.faults) for row in rows]
    return Outcome(
        run.rows,
        run.created,
        run.updated,
        run.unchanged,
        run.quarantined,
        run.mapping,
        run_id=str(run.pk),
        faults=[(row.line, Fault(**fault)) for row in rows for fault in row.faults],
        mending=mending_file(
            to_mend, run.headers, kind=run.kind, delimiter=run.delimiter
        )
        if rows
        else b"",
    )


def _preview(
    depot: Depot,
    content: bytes,
    _name: str,
    service_date: date | None,
    options: ImportOptions,
    bars: Bars,
) -> Outcome:
    found = preview_import(
        depot_id=depot.pk,
        content=content,
        service_date=service_date,
        options=options,
        progress=bars.tell,
    )
    table = found.reading.table
    to_mend = [
        RowToMend(
            raw_cells(table.headers, bad.row.cells),
            [fault.as_dict() for fault in bad.faults],
        )
        for bad in found.bad
    ]
    return Outcome(
        found.reading.rows,
        found.created,
        found.updated,
        found.unchanged,
        len(found.bad),
        found.reading.mapping.as_dict(),
        faults=[(bad.row.line, fault) for bad in found.bad for fault in bad.faults],
        mending=mending_file(
            to_mend, table.headers, kind=table.kind, delimiter=table.delimiter
        )
        if to_mend
        else b"",
    )


def _summary(outcome: Outcome, path: str) -> dict[str, object]:
    faults: dict[str, int] = {}
    for _, fault in outcome.faults:
        faults[fault.code] = faults.get(fault.code, 0) + 1
    return {
        "run_id": outcome.run_id,
        "rows": outcome.rows,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "quarantined": outcome.quarantined,
        "faults": faults,
        "mapping": outcome.mapping,
        "quarantine": path,
    }


def _beside(file: Path) -> Path:
    suffix = ".xlsx" if file.suffix.lower() == ".xlsx" else ".csv"
    return Path.cwd() / f"{file.stem}.quarantine{suffix}"


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write the date as YYYY-MM-DD") from None


def _pair(text: str) -> Sequence[str]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return key.strip(), value.strip()
