"""Questions to feedback and surveys; they never write."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Max, QuerySet

from apps.feedback.firsts import DELIVERY
from apps.feedback.formats import FORMATS
from apps.feedback.formats.base import ResponseDraft
from apps.feedback.models import Feedback, Response, Survey, SurveyAsk
from apps.feedback.questions import read_questions
from apps.feedback.scores import Tally, tally
from apps.feedback.states import ANSWERED, SurveyState


def live_survey(key: str) -> Survey | None:
    """Return the version of a survey that is asked now; None when there is none."""
    return Survey.objects.filter(key=key, status=SurveyState.LIVE).first()


def delivery_survey() -> Survey | None:
    """Return what customers are asked after a delivery; None: it is switched off."""
    return live_survey(DELIVERY)


def asks_office(survey: Survey) -> bool:
    """Tell whether people of the office may answer a survey now."""
    audiences = (Survey.Audience.OFFICE, Survey.Audience.FRONTLINE)
    return survey.status == SurveyState.LIVE and survey.audience in audiences


def asked_again_at(survey: Survey, respondent: str) -> datetime | None:
    """Return from when on somebody may answer a survey again; None: never answered.

    `respondent` is as the journal names people; all versions of the survey count.
    """
    mine = Response.objects.filter(survey__key=survey.key, respondent=respondent)
    last = mine.aggregate(last=Max("answered_at"))["last"]
    return last + timedelta(days=survey.cap_days) if last else None


def waiting_ask(
    user: User, now: datetime, *, survey: Survey | None = None
) -> SurveyAsk | None:
    """Return what waits for a person of the office, the newest; None: nothing does."""
    rows = SurveyAsk.objects.filter(user=user, closed_at=None, expires_at__gt=now)
    if survey is not None:
        rows = rows.filter(survey__key=survey.key)
    return rows.select_related("survey", "depot").first()


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """How fast people are answered: figures of those answered, and what still waits."""

    answered: int
    waiting: int
    median_s: int | None
    slowest_tenth_s: int | None
    longest_waiting_s: int | None


def answer_times(
    rows: QuerySet[Feedback], *, since: datetime, now: datetime
) -> AnswerTimes:
    """Return the time to answer of feedback that was raised since an instant."""
    done = rows.filter(status__in=ANSWERED, raised_at__gte=since)
    took = [
        (answered_at - raised_at).total_seconds()
        for raised_at, answered_at in done.values_list("raised_at", "answered_at")
        if answered_at is not None
    ]
    waiting = rows.exclude(status__in=ANSWERED)
    first = waiting.order_by("raised_at").values_list("raised_at", flat=True).first()
    tenth = quantiles(took, n=10)[-1] if len(took) > 1 else (took[0] if took else None)
    return AnswerTimes(
        answered=len(took),
        waiting=waiting.count(),
        median_s=round(median(took)) if took else None,
        slowest_tenth_s=round(tenth) if tenth is not None else None,
        longest_waiting_s=round((now - first).total_seconds()) if first else None,
    )


@dataclass(frozen=True, slots=True)
class Results:
    """What a version of a survey was answered; `is_shown` only with enough answers."""

    survey: Survey
    count: int
    is_shown: bool
    tallies: tuple[Tally, ...] = ()


def results_of(survey: Survey, depots: Collection[uuid.UUID] | None = None) -> Results:
    """Return the tallies of a survey's questions, of some depots or of all.

    Fewer answers than the survey's least are told to nobody, not even their sum's parts.
    """
    rows = Response.objects.filter(survey=survey)
    if depots is not None:
        rows = rows.filter(depot__in=depots)
    answers = list(rows.values_list("answers", flat=True))
    if len(answers) < survey.least_answers:
        return Results(survey, len(answers), is_shown=False)
    found = tuple(
        tally(question, [each.get(question.id) for each in answers])
        for question in read_questions(survey.questions)
    )
    return Results(
        survey,
        len(answers),
        is_shown=True,
        tallies=tuple(
            each.hidden() if each.count < survey.least_answers else each
            for each in found
        ),
    )


def pulse_survey(key: str = "") -> Survey | None:
    """Return the pulse of a key, else the first one: the live version, else the newest."""
    rows = Survey.objects.filter(is_pulse=True).exclude(status=SurveyState.DRAFT)
    mine = rows.filter(key=key) if key else rows
    live = mine.filter(status=SurveyState.LIVE).order_by("key").first()
    return live or mine.order_by("-version", "key").first()


def voices_of(
    survey: Survey, depots: Mapping[uuid.UUID, str], first: date, last: date
) -> dict[tuple[date, str, uuid.UUID], list[float]]:
    """Return what each person said to a pulse, by week, role and depot.

    `depots` is depot → time zone. All versions of the survey count: the first question is
    what is compared. Who answered twice in a week is one person, with the mean; answers
    that name nobody are a person each.
    """
    question = read_questions(survey.questions)[0]
    rows = Response.objects.filter(
        survey__key=survey.key,
        depot__in=list(depots),
        answered_at__date__gte=first - timedelta(days=1),
        answered_at__date__lte=last + timedelta(days=8),
    )
    said: dict[tuple[date, str, uuid.UUID], dict[str, list[int]]] = {}
    for row in rows.only("pk", "answered_at", "role", "depot", "respondent", "answers"):
        value = row.answers.get(question.id)
        week = week_of(row.answered_at, depots[row.depot_id])
        if isinstance(value, int) and week_begin(first) <= week <= last:
            people = said.setdefault((week, row.role, row.depot_id), defaultdict(list))
            people[row.respondent or str(row.pk)].append(value)
    return {
        place: [sum(values) / len(values) for values in people.values()]
        for place, people in said.items()
    }


def week_of(at: datetime, zone: str) -> date:
    """Return the Monday of an instant's week, by the clock of a zone."""
    return week_begin(at.astimezone(ZoneInfo(zone)).date())


def week_begin(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def exported(survey: Survey, form: str, depots: Collection[uuid.UUID] | None) -> str:
    """Return a survey's answers as a tool's CSV; who answered does not stand in it."""
    rows = Response.objects.filter(survey=survey).order_by("answered_at", "pk")
    if depots is not None:
        rows = rows.filter(depot__in=depots)
    drafts = [_draft(row, form) for row in rows]
    return FORMATS[form].write(drafts, read_questions(survey.questions))


def _draft(row: Response, form: str) -> ResponseDraft:
    is_theirs = row.source == form
    foreign: dict[str, Any] = row.foreign if is_theirs else {}
    key = row.source_key.split(":", 2)[-1] if is_theirs else str(row.pk)
    return ResponseDraft(0, key, row.answered_at, row.answers, row.language, foreign)
