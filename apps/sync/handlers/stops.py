"""Reports from stops, and corrections of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from apps.core.verdicts import REJECTED, Verdict
from apps.journal.services import Writer
from apps.routes.models import StopEvent
from apps.routes.progress import CORRECTIONS
from apps.routes.services.stops import CORRECTION_WAITS, record_stop_events
from apps.routes.services.telling import StopReport
from apps.sync.handlers.report import HELD, Report
from apps.sync.inbox import check_payload
from apps.sync.kinds import Corrected
from apps.sync.models import DeviceEvent
from apps.sync.moments import SURE
from apps.sync.vocabulary import value_of

CORRECTED_MISSING: Final = Verdict(
    HELD, "dependency_missing", "The report that it corrects has not come yet."
)


def report_stop(report: Report, journal: Writer) -> Verdict:
    """Let the stop's state be folded anew with this fact."""
    [verdict] = report_stops([report])
    return verdict


def report_stops(reports: Sequence[Report]) -> list[Verdict]:
    """Let the states of stops be folded anew with one driver's facts, in their order."""
    facts = [_fact(report.event) for report in reports]
    return record_stop_events(facts, by=reports[0].by, now=reports[0].now)


def _fact(event: DeviceEvent) -> StopReport:
    return StopReport(
        event_id=event.pk,
        stop_id=event.stop_id,
        kind=event.kind,
        driver_id=event.driver_id,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        device_seq=event.seq,
        payload=event.payload,
        device_id=event.device_id,
        is_sure=event.time_quality == SURE,
    )


def correct_event(report: Report, journal: Writer) -> Verdict:
    """Let an earlier report of a stop say what its driver says that it should have.

    Both are kept as they came. One that corrects what has not come yet waits for it.
    """
    payload, event = report.payload, report.event
    if not isinstance(payload, Corrected):
        raise TypeError(payload)
    wrong = DeviceEvent.objects.filter(pk=payload.corrects).first()
    if wrong is None:
        return CORRECTED_MISSING
    if (refusal := _not_correctable(payload, event, wrong)) is not None:
        return refusal
    event.stop_id, event.corrects = wrong.stop_id, event.corrects or wrong.pk
    DeviceEvent.objects.filter(pk=event.pk).update(
        stop_id=event.stop_id, corrects=event.corrects
    )
    journal.record(
        "event.corrected",
        wrong,
        depot_id=event.device.depot_id,
        driver_id=str(event.driver_id),
        event_id=event.pk,
        kind=payload.kind,
    )
    if wrong.result == REJECTED:
        return CORRECTION_WAITS
    fact = replace(
        _fact(event), kind=payload.kind, payload=payload.payload, corrects=wrong.pk
    )
    [verdict] = record_stop_events([fact], by=report.by, now=report.now)
    return verdict


def _not_correctable(
    payload: Corrected, event: DeviceEvent, wrong: DeviceEvent
) -> Verdict | None:
    """Return why a correction is refused, or has to wait; None when it can be judged."""
    if wrong.driver_id != event.driver_id:
        return Verdict(REJECTED, "not_yours", "This report is another driver's.")
    step, meant = (kind.removeprefix("stop.") for kind in (wrong.kind, payload.kind))
    if meant not in CORRECTIONS.get(step, ()) or not payload.kind.startswith("stop."):
        detail = f"{wrong.kind} cannot be corrected to {payload.kind}."
        return Verdict(
            REJECTED, "not_correctable", detail, ours=value_of(wrong.kind), yours=meant
        )
    if event.stop_id not in ("", wrong.stop_id):
        detail = "The correction names another stop than its report."
        return Verdict(REJECTED, "invalid", detail)
    _, checked, fault = check_payload(payload.kind, payload.payload)
    if checked is None:
        return Verdict(REJECTED, "invalid", fault)
    is_judged = StopEvent.objects.filter(pk=wrong.pk).exists()
    return None if is_judged or wrong.result == REJECTED else CORRECTED_MISSING
