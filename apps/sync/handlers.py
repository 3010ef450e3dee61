"""What each kind of event asks of the house: one table, kind to handler."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.units import Point
from apps.core.verdicts import (
    APPLIED,
    NEEDS_REVIEW,
    OK,
    REJECTED,
    SUPERSEDED,
    Verdict,
)
from apps.core.wording import local_time
from apps.drivers import services as drivers
from apps.drivers.models import Driver, Shift
from apps.drivers.selectors import shift_near
from apps.drivers.states import ShiftState
from apps.feedback import services as feedback
from apps.journal.services import Writer
from apps.overrides.services import asking as overrides
from apps.overrides.states import AskReason, OverrideSource
from apps.overrides.wishes import Wish, read_change
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState
from apps.routes.models import Route, Stop, StopEvent
from apps.routes.places import Circle
from apps.routes.progress import CORRECTIONS
from apps.routes.roaddrafts import USUAL_RADIUS_M
from apps.routes.selectors import parse_id
from apps.routes.services.acknowledging import acknowledge_plan_change
from apps.routes.services.conditions import report_from_road
from apps.routes.services.stops import CORRECTION_WAITS, record_stop_events
from apps.routes.services.telling import StopReport
from apps.routes.states import DONE
from apps.sync import troubles
from apps.sync.inbox import check_payload
from apps.sync.kinds import (
    Acknowledged,
    Corrected,
    OfShift,
    Opinion,
    RoadException,
    Survey,
    Wanted,
)
from apps.sync.models import DeviceEvent
from apps.sync.rules import value_of

RETRY: Final = "retry"
HELD: Final = "held"
CORRECTED_MISSING: Final = Verdict(
    HELD, "dependency_missing", "The report that it corrects has not come yet."
)
NO_ID: Final = uuid.UUID(int=0)
STALE: Final = frozenset({RecommendationState.SUPERSEDED, RecommendationState.EXPIRED})
"""Recommendations that nobody can follow any more."""

ROAD_REASONS: Final = frozenset({"closure", "roadworks", "traffic", "weather"})
"""Exceptions that are conditions of the road."""
SAME_TROUBLE: Final = timedelta(hours=1)
"""The same trouble of the same driver within this is known already."""

SHIFT_AFTER: Final = {
    "shift.started": ShiftState.STARTED,
    "shift.paused": ShiftState.PAUSED,
    "shift.ended": ShiftState.ENDED,
}


@dataclass(frozen=True, slots=True)
class Report:
    """An event in the inbox, with its payload checked, and who reports when."""

    event: DeviceEvent
    payload: object
    by: Actor
    now: datetime


Handler = Callable[[Report, Writer], Verdict]


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
    )


def go_together(kind: str) -> bool:
    """Tell whether events of a kind may be judged in one go: see `report_stops`."""
    return HANDLERS.get(kind) is report_stop


def report_exception(report: Report, journal: Writer) -> Verdict:
    """Take in what the driver meets: on the road, or trouble that the office deals with."""
    payload = report.payload
    if not isinstance(payload, RoadException):
        raise TypeError(payload)
    if payload.reason in ROAD_REASONS:
        return report_road(report, payload)
    return report_trouble(report, payload, journal)


def report_trouble(report: Report, payload: RoadException, journal: Writer) -> Verdict:
    """Let the journal say that a driver is in trouble: the office's incident follows."""
    event = report.event
    stop = _stop_of(event) if event.stop_id else None
    verdict = troubles.judge(
        payload.reason,
        names_stop=bool(event.stop_id),
        was_theirs=stop is not None,
        stop_state=str(stop.status) if stop and stop.status in DONE else "",
        is_known=_is_known(event, payload.reason),
    )
    if verdict.code == f"{payload.reason}_reported":
        journal.record(
            event.kind,
            event,
            depot_id=event.device.depot_id,
            driver_id=str(event.driver_id),
            stop_id=event.stop_id,
            reason=payload.reason,
            can_drive=payload.can_drive,
            minutes_left=payload.minutes_left,
            needs_help=payload.needs_help,
            **_pin_of(payload),
        )
    return verdict


def _pin_of(payload: RoadException) -> dict[str, float]:
    """Return where the driver says that an address is; of other troubles nothing is told."""
    if payload.reason != "wrong_address" or payload.lat is None or payload.lon is None:
        return {}
    return {"lat": payload.lat, "lon": payload.lon}


def _is_known(event: DeviceEvent, reason: str) -> bool:
    """Tell whether the driver has reported the same a short while before."""
    before = DeviceEvent.objects.filter(
        driver_id=event.driver_id,
        kind=event.kind,
        stop_id=event.stop_id,
        payload__reason=reason,
        code=f"{reason}_reported",
        occurred_at__gt=event.occurred_at - SAME_TROUBLE,
        occurred_at__lte=event.occurred_at,
    )
    return before.exclude(pk=event.pk).exists()


def report_road(report: Report, payload: RoadException) -> Verdict:
    """Take in what the driver meets on the road: at the place told, or at the stop."""
    event = report.event
    point = _where(payload, event)
    if point is None:
        detail = "Say where: switch the position on, or choose a stop."
        return Verdict(REJECTED, "invalid", detail)
    _, counts = report_from_road(
        depot_id=event.device.depot_id,
        kind=payload.reason,
        place=Circle(point, payload.radius_m or USUAL_RADIUS_M),
        occurred_at=event.occurred_at,
        note=payload.note,
        by=report.by,
        now=report.now,
    )
    if not counts:
        return Verdict(SUPERSEDED, "came_late", "Its time is over.")
    return Verdict(APPLIED, "road_reported")


def _where(payload: RoadException, event: DeviceEvent) -> Point | None:
    if payload.lat is not None and payload.lon is not None:
        return Point(payload.lat, payload.lon)
    stop = _stop_of(event)
    return stop.order.point if stop else None


def acknowledge_plan(report: Report, journal: Writer) -> Verdict:
    """Note that the driver has seen a change of the plan."""
    payload = report.payload
    if not isinstance(payload, Acknowledged):
        raise TypeError(payload)
    return acknowledge_plan_change(
        driver_id=report.event.driver_id,
        change_id=payload.change_id,
        occurred_at=report.event.occurred_at,
        by=report.by,
        now=report.now,
    )


def start_shift(report: Report, journal: Writer) -> Verdict:
    """Start the shift, or go on with it after a pause."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    if shift.status == ShiftState.PAUSED:
        return _take(report, journal, shift, drivers.resume_shift)
    return _take(report, journal, shift, drivers.start_shift)


def pause_shift(report: Report, journal: Writer) -> Verdict:
    """Pause the shift."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    return _take(report, journal, shift, drivers.pause_shift)


def end_shift(report: Report, journal: Writer) -> Verdict:
    """End the shift."""
    shift = _shift_of(report)
    if shift is None:
        return _no_shift()
    return _take(report, journal, shift, drivers.end_shift)


ShiftVerb = Callable[..., Shift]


def _take(report: Report, journal: Writer, shift: Shift, verb: ShiftVerb) -> Verdict:
    """Take a step of the shift; tell the driver of the routes that show it."""
    at = report.event.occurred_at
    if shift.status == SHIFT_AFTER[report.event.kind]:
        since = shift.ended_at or shift.started_at
        detail = f"The shift is {shift.status} already."
        known = str(shift.status)
        return Verdict(SUPERSEDED, "shift_already", detail, ours=known, ours_at=since)
    if shift.ended_at is not None and at <= shift.ended_at:
        return Verdict(
            SUPERSEDED,
            "newer_event",
            "The shift is over.",
            ours=str(ShiftState.ENDED),
            ours_at=shift.ended_at,
        )
    verb(shift_id=shift.pk, occurred_at=at, by=report.by, now=report.now)
    routes = Route.objects.filter(shift=shift).values_list("pk", flat=True)
    journal.changed(shift.driver_id, "routes", *routes)
    return OK


def _shift_of(report: Report) -> Shift | None:
    payload, event = report.payload, report.event
    if not isinstance(payload, OfShift):
        raise TypeError(payload)
    if not payload.shift_id:
        return shift_near(event.driver_id, event.occurred_at)
    shift_id = parse_id(payload.shift_id) or NO_ID
    return Shift.objects.filter(pk=shift_id, driver_id=event.driver_id).first()


def _no_shift() -> Verdict:
    return Verdict(REJECTED, "invalid", "You have no such shift.")


def note_status(report: Report, journal: Writer) -> Verdict:
    """Keep how the device is: the event itself says it."""
    return OK


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


def request_override(report: Report, journal: Writer) -> Verdict:
    """Take a driver's request in: it is priced next, and decided by the table of rights.

    A stop that has left the driver, or is done, cannot be changed any more. Details that
    make no change are kept as words: a person reads them.
    """
    payload, event = report.payload, report.event
    if not isinstance(payload, Wanted):
        raise TypeError(payload)
    if event.stop_id:
        stop = _stop_of(event)
        if stop is None:
            return Verdict(REJECTED, "never_assigned", "This stop was never yours.")
        holder = stop.route.driver_id if stop.route else None
        gone = holder is not None and holder != event.driver_id
        if gone or holder is None or stop.status in DONE:
            known = "given_away" if gone else str(stop.status)
            return Verdict(
                SUPERSEDED, "stop_gone", ours=known, ours_at=stop.completed_at
            )
    try:
        _request(payload, report)
    except Problem as problem:
        return Verdict(REJECTED, "invalid", problem.detail)
    _keep_words(report, journal, recommendation_id=payload.recommendation_id)
    return Verdict(
        NEEDS_REVIEW,
        "asked",
        "Your request is here. What it costs is worked out, and you hear at once who decides.",
    )


def _request(payload: Wanted, report: Report) -> None:
    event = report.event
    driver = Driver.objects.select_related("user", "depot").get(pk=event.driver_id)
    is_code = payload.reason in AskReason.values
    told = payload.reason if payload.reason and not is_code else ""
    change = read_change(
        payload.action,
        payload.details,
        stop_id=event.stop_id,
        reason=payload.reason or payload.note,
    )
    wish = Wish(
        client_id=event.pk,
        change=change,
        words={"action": payload.action, "details": payload.details},
        reason=payload.reason if is_code else AskReason.OTHER,
        note=" ".join(part for part in (told, payload.note) if part),
        recommendation_id=payload.recommendation_id,
        stop_id=event.stop_id,
    )
    day = local_time(event.occurred_at, driver.depot.time_zone, "%Y-%m-%d")
    overrides.request_override(
        wish,
        asker=overrides.driver_asker(driver, OverrideSource.DEVICE),
        place=(driver.depot_id, date.fromisoformat(day)),
        asked_at=event.occurred_at,
        by=report.by,
        now=report.now,
    )


def give_feedback(report: Report, journal: Writer) -> Verdict:
    """Keep what the driver says of a recommendation, of a superseded one as well.

    What names a recommendation that we do not know is about the work as a whole.
    """
    payload, event = report.payload, report.event
    if not isinstance(payload, Opinion):
        raise TypeError(payload)
    depot_id = event.device.depot_id
    row = (
        Recommendation.objects.filter(
            pk=parse_id(payload.recommendation_id) or NO_ID, depot_id=depot_id
        )
        .only("state", "settled_at")
        .first()
    )
    feedback.record_feedback(
        recommendation_id=row.pk if row else None,
        speaker=feedback.Speaker(
            person=Actor("driver", str(event.driver_id)),
            role="driver",
            depot_id=depot_id,
            driver_id=event.driver_id,
            stop_id=event.stop_id,
        ),
        opinion=feedback.Opinion(
            rating=payload.rating,
            reason=payload.reason,
            text=payload.note,
            attachment_id=next(
                (each.attachment_id for each in payload.attachments), ""
            ),
            is_objection=payload.objects,
        ),
        given_at=event.occurred_at,
        source_key=f"event:{event.pk}",
        by=report.by,
        now=report.now,
    )
    _keep_words(report, journal, recommendation_id=payload.recommendation_id)
    if row is not None and row.state in STALE:
        return Verdict(APPLIED, "older_plan", ours=row.state, ours_at=row.settled_at)
    return Verdict(APPLIED, "kept")


def answer_survey(report: Report, journal: Writer) -> Verdict:
    """Keep the answers to a survey: the id is that of the row on the device."""
    payload, event = report.payload, report.event
    if not isinstance(payload, Survey):
        raise TypeError(payload)
    feedback.answer_on_device(
        survey_id=parse_id(payload.survey_id) or NO_ID,
        answers=payload.answers,
        driver_id=event.driver_id,
        depot_id=event.device.depot_id,
        event_id=event.pk,
        answered_at=event.occurred_at,
        by=report.by,
        now=report.now,
    )
    _keep_words(report, journal, survey_id=payload.survey_id)
    return Verdict(APPLIED, "kept")


def _stop_of(event: DeviceEvent) -> Stop | None:
    """Return the stop of an event, if it was ever its driver's."""
    stops = Stop.objects.filter(pk=parse_id(event.stop_id) or NO_ID)
    mine = stops.filter(assignments__driver_id=event.driver_id)
    return mine.select_related("route", "order").first()


def _keep_words(report: Report, journal: Writer, **about: str) -> None:
    """Let the journal say that a driver's words have come; the event holds them."""
    event = report.event
    journal.record(
        event.kind,
        event,
        depot_id=event.device.depot_id,
        driver_id=str(event.driver_id),
        stop_id=event.stop_id,
        **about,
    )


HANDLERS: Final[Mapping[str, Handler]] = {
    "stop.enroute": report_stop,
    "stop.arrived": report_stop,
    "stop.succeeded": report_stop,
    "stop.failed": report_stop,
    "stop.partial": report_stop,
    "stop.reopened": report_stop,
    "stop.note": report_stop,
    "exception.reported": report_exception,
    "override.requested": request_override,
    "feedback.given": give_feedback,
    "survey.answered": answer_survey,
    "plan.acknowledged": acknowledge_plan,
    "shift.started": start_shift,
    "shift.paused": pause_shift,
    "shift.ended": end_shift,
    "device.status": note_status,
    "event.corrected": correct_event,
}
