"""What drivers want, and what they think: requests, feedback, answers to surveys."""

from datetime import date
from typing import Final

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.verdicts import APPLIED, NEEDS_REVIEW, REJECTED, SUPERSEDED, Verdict
from apps.core.wording import local_time
from apps.drivers.models import Driver
from apps.feedback import services as feedback
from apps.journal.services import Writer
from apps.overrides.services import asking as overrides
from apps.overrides.states import AskReason, OverrideSource
from apps.overrides.wishes import Wish, read_change
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState
from apps.routes.selectors import parse_id
from apps.routes.states import DONE
from apps.sync.handlers.report import NO_ID, Report, stop_of
from apps.sync.kinds import Opinion, Survey, Wanted

STALE: Final = frozenset({RecommendationState.SUPERSEDED, RecommendationState.EXPIRED})
"""Recommendations that nobody can follow any more."""


def request_override(report: Report, journal: Writer) -> Verdict:
    """Take a driver's request in: it is priced next, and decided by the table of rights.

    A stop that has left the driver, or is done, cannot be changed any more. Details that
    make no change are kept as words: a person reads them.
    """
    payload, event = report.payload, report.event
    if not isinstance(payload, Wanted):
        raise TypeError(payload)
    if event.stop_id:
        stop = stop_of(event)
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
