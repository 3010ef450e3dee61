"""The life of a survey: written, live, retired; and whom it is put before, and when."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import Max

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid, NotFound
from apps.drivers.models import Driver
from apps.feedback.models import Survey, SurveyAsk
from apps.feedback.questions import as_json, read_questions
from apps.feedback.states import SURVEY_STEPS, SurveyState
from apps.journal.services import writing

TRIGGERS: Final[Mapping[str, str]] = {
    "shift.ended": "A shift has ended",
    "plan_change.acknowledged": "A driver has taken note of a change of the route",
    "feedback.actioned": "Something was done about a feedback",
    "feedback.declined": "A feedback was declined",
}
"""The events after which a driver may be asked; `config/reactions.py` has the same."""

GAP: Final = timedelta(hours=20)
"""Nobody is asked anything twice within so long, whichever surveys there are."""

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyDraft:
    """What a version of a survey is made of; texts are language → words."""

    key: str
    audience: str
    title: Mapping[str, str]
    questions: Any
    is_pulse: bool = False
    trigger: str = ""
    cap_days: int = 7
    open_days: int = 3
    least_answers: int = 5


def write_survey(draft: SurveyDraft, *, by: Actor, now: datetime) -> Survey:
    """Write the next version of a survey; nobody is asked it until it is live.

    Raises:
        Invalid: with a fault for each part that does not fit.
    """
    _check(draft)
    questions = as_json(read_questions(draft.questions))
    with writing(by=by, now=now) as journal:
        mine = Survey.objects.filter(key=draft.key)
        newest = mine.aggregate(newest=Max("version"))["newest"] or 0
        row = Survey.objects.create(
            key=draft.key,
            version=newest + 1,
            audience=draft.audience,
            title=dict(draft.title),
            questions=questions,
            is_pulse=draft.is_pulse,
            trigger=draft.trigger,
            cap_days=draft.cap_days,
            open_days=draft.open_days,
            least_answers=draft.least_answers,
            created_at=now,
            created_by=str(by),
        )
        journal.record("survey.written", row, key=row.key, version=row.version)
    return row


def _check(draft: SurveyDraft) -> None:
    faults = []
    if not _KEY.fullmatch(draft.key):
        text = "Small letters, digits and -, 40 at the most."
        faults.append(FieldError("/key", "shape", text))
    if draft.audience not in Survey.Audience.values:
        text = f"One of {', '.join(Survey.Audience.values)}."
        faults.append(FieldError("/audience", "unknown", text))
    if not draft.title or not all(text.strip() for text in draft.title.values()):
        faults.append(
            FieldError("/title", "required", "Words in one language or more.")
        )
    if draft.trigger and draft.trigger not in TRIGGERS:
        text = f"One of {', '.join(TRIGGERS)}."
        faults.append(FieldError("/trigger", "unknown", text))
    if draft.trigger and draft.audience in ("customers", "office"):
        text = (
            "Only drivers are asked after an event: customers by link, the office here."
        )
        faults.append(FieldError("/trigger", "audience", text))
    for name, least in (("cap_days", 1), ("open_days", 1), ("least_answers", 3)):
        if not least <= getattr(draft, name) <= 365:
            text = f"From {least} to 365."
            faults.append(FieldError(f"/{name}", "range", text))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


def make_live(*, survey_id: uuid.UUID, by: Actor, now: datetime) -> Survey:
    """Let a version be asked from now on; the one before it is retired.

    Raises:
        NotFound: there is no such survey.
        IllegalStep: it is no draft.
    """
    with writing(by=by, now=now) as journal:
        row = _locked(survey_id)
        SURVEY_STEPS.check(row.status, SurveyState.LIVE)
        for old in Survey.objects.filter(key=row.key, status=SurveyState.LIVE):
            retire_survey(survey_id=old.pk, by=by, now=now)
        row.status, row.live_at = SurveyState.LIVE, now
        row.save(update_fields=["status", "live_at"])
        journal.record("survey.live", row, key=row.key, version=row.version)
    return row


def retire_survey(*, survey_id: uuid.UUID, by: Actor, now: datetime) -> Survey:
    """Ask it of nobody any more; what was answered stays, what waits is taken back.

    Raises:
        NotFound: there is no such survey.
        IllegalStep: it is retired already.
    """
    with writing(by=by, now=now) as journal:
        row = _locked(survey_id)
        SURVEY_STEPS.check(row.status, SurveyState.RETIRED)
        row.status, row.retired_at = SurveyState.RETIRED, now
        row.save(update_fields=["status", "retired_at"])
        _close(list(row.asks.filter(closed_at=None)), by=by, now=now)
        journal.record("survey.retired", row, key=row.key, version=row.version)
    return row


def _locked(survey_id: uuid.UUID) -> Survey:
    row = Survey.objects.select_for_update().filter(pk=survey_id).first()
    if row is None:
        raise NotFound
    return row


def ask_driver(
    *, driver_id: uuid.UUID, because: str, about: str, by: Actor, now: datetime
) -> SurveyAsk | None:
    """Put the survey that an event calls for before a driver; None: not now.

    One at a time: nobody is asked twice within `GAP`, nor the same survey (of any
    version) within its cap. Of several, the one that was asked longest ago comes first.
    """
    driver = Driver.objects.filter(pk=driver_id, is_active=True).first()
    surveys = Survey.objects.filter(
        status=SurveyState.LIVE,
        trigger=because,
        audience__in=[Survey.Audience.DRIVERS, Survey.Audience.FRONTLINE],
    )
    if driver is None or not surveys:
        return None
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        mine = SurveyAsk.objects.filter(driver_id=driver_id)
        if mine.filter(asked_at__gt=now - GAP).exists():
            return None
        last = {
            survey.pk: mine.filter(survey__key=survey.key).aggregate(
                last=Max("asked_at")
            )["last"]
            for survey in surveys
        }
        due = [
            survey
            for survey in surveys
            if last[survey.pk] is None
            or last[survey.pk] + timedelta(days=survey.cap_days) <= now
        ]
        if not due:
            return None
        survey = min(due, key=lambda each: (last[each.pk] is not None, last[each.pk]))
        try:
            with writing(by=by, now=now):
                ask = SurveyAsk.objects.create(
                    survey=survey,
                    depot_id=driver.depot_id,
                    driver=driver,
                    because=because,
                    about=about[:100],
                    asked_at=now,
                    expires_at=now + timedelta(days=survey.open_days),
                )
        except IntegrityError:
            return None  # it waits already
        journal.changed(driver_id, "surveys", ask.pk)
    return ask


def expire_asks(*, by: Actor, now: datetime) -> int:
    """Take back what nobody answered in time; return how many."""
    due = list(SurveyAsk.objects.filter(closed_at=None, expires_at__lte=now)[:500])
    _close(due, by=by, now=now)
    return len(due)


def _close(asks: list[SurveyAsk], *, by: Actor, now: datetime) -> None:
    scopes = {ask.driver_id for ask in asks if ask.driver_id}
    with writing(by=by, now=now, scopes=scopes) as journal:
        open_asks = SurveyAsk.objects.filter(
            pk__in=[ask.pk for ask in asks], closed_at=None
        )
        open_asks.update(closed_at=now)
        for ask in asks:
            if ask.driver_id is not None:
                journal.removed(ask.driver_id, "surveys", ask.pk)
