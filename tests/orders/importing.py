"""Importing in tests: one call, and what it made."""

from datetime import date

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.orders.drafts import ImportOptions
from apps.orders.models import ImportRun
from apps.orders.services import import_orders, receive_file
from tests.factories import NOW, SERVICE_DATE


def import_file(
    depot: Depot,
    content: bytes | str,
    *,
    service_date: date | None = SERVICE_DATE,
    name: str = "orders.csv",
    options: ImportOptions | None = None,
) -> ImportRun:
    """Receive a file and import it at once."""
    run = receive_file(
        depot_id=depot.pk,
        content=content.encode() if isinstance(content, str) else content,
        file_name=name,
        service_date=service_date,
        options=options or ImportOptions(),
        by=SYSTEM,
        now=NOW,
        start=False,
    )
    return import_orders(run_id=run.pk, by=SYSTEM, now=NOW)


def codes(run: ImportRun) -> dict[int, list[str]]:
    """Return the fault codes of a run's quarantine by line."""
    return {
        row.line: [fault["code"] for fault in row.faults]
        for row in run.quarantine.all()
    }
