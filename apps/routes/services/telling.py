"""A device's report of a stop, and what the journal says of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.journal.services import Writer
from apps.routes import progress
from apps.routes.models import Stop


@dataclass(frozen=True, slots=True)
class StopReport:
    """A device's fact about a stop; `occurred_at` is the device's, corrected."""

    event_id: str
    stop_id: str
    kind: str
    driver_id: uuid.UUID
    occurred_at: datetime
    received_at: datetime
    device_seq: int
    payload: Mapping[str, Any]
    corrects: str = ""
    """The event that should have said this, which its driver made by mistake."""
    device_id: uuid.UUID | None = None
    """The device whose number `device_seq` is; none where an office reports."""
    is_sure: bool = True
    """`occurred_at` comes of no clock that somebody may have set."""


def tell(
    journal: Writer, stop: Stop, kind: str, report: StopReport, **more: Any
) -> None:
    """Record what a report has made of a stop, and by how much it is late."""
    route = stop.route
    journal.record(
        kind,
        stop,
        depot_id=stop.order.depot_id,
        route_id=str(route.pk) if route else None,
        service_date=stop.order.service_date.isoformat(),
        driver_id=str(report.driver_id),
        event_id=report.event_id,
        occurred_at=report.occurred_at.isoformat(),
        late_s=_late_s(stop, report),
        expected=_expected(stop),
        status=stop.status,
        **more,
    )


def _expected(stop: Stop) -> list[str] | None:
    """Return ETA, earliest and latest as they stood: past errors are learned from it."""
    if stop.eta_at is None or stop.eta_low_at is None or stop.eta_high_at is None:
        return None
    instants = (stop.eta_at, stop.eta_low_at, stop.eta_high_at)
    return [instant.isoformat() for instant in instants]


def _late_s(stop: Stop, report: StopReport) -> int:
    """Return by how many seconds the report is behind the plan (negative: ahead).

    The plan's own ETA counts: the one shown has learned of the delay already. An
    arrival before a window opens is no lead, and what an arrival told already is not
    told again by the outcome: that one counts from the later of plan and arrival. A
    correction tells nothing of the time.
    """
    step = report.kind.removeprefix("stop.")
    planned_at = stop.plan_eta_at or stop.eta_at
    if planned_at is None or report.corrects:
        return 0
    behind_eta_s = round((report.occurred_at - planned_at).total_seconds())
    if step == progress.ARRIVED:
        return max(0, behind_eta_s)
    if step not in progress.OUTCOMES:
        return 0
    began_at = max(planned_at, stop.arrived_at or planned_at)
    return round((report.occurred_at - began_at).total_seconds()) - stop.service_s
