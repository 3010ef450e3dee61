"""Questions to feedback and surveys; they never write."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, QuerySet

from apps.feedback.firsts import DELIVERY
from apps.feedback.formats import FORMATS
from apps.feedback.formats.base import ResponseDraft
from apps.feedback.models import Feedback, Response, Survey
from apps.feedback.questions import read_questions
from apps.feedback.scores import Tally, tally
from apps.feedback.states import ANSWERED, SurveyState
from apps.recommendations.models import Recommendation

PLANS = ("plan", "replan")


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


@dataclass(frozen=True, slots=True)
class PulsePoint:
    """One week of one role: the mean confidence of `count` people (None: too few)."""

    week: date
    role: str
    count: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class WeekOfWork:
    """What the same week was like: shares in per cent, None where nothing was settled."""

    week: date
    overridden: float | None
    in_time: float | None


def pulse_of(
    survey: Survey, depots: Collection[uuid.UUID], zone: str
) -> tuple[list[PulsePoint], list[WeekOfWork]]:
    """Return the pulse's trend by role, beside the overridden share and the ETAs kept.

    All versions of the survey count: its first question is what is compared.
    """
    question = read_questions(survey.questions)[0]
    rows = Response.objects.filter(survey__key=survey.key, depot__in=depots)
    said: dict[tuple[date, str], list[int]] = defaultdict(list)
    for answered_at, role, answers in rows.values_list(
        "answered_at", "role", "answers"
    ):
        if isinstance(value := answers.get(question.id), int):
            said[_week(answered_at, zone), role].append(value)
    points = [
        PulsePoint(
            week,
            role,
            len(values),
            round(sum(values) / len(values), 2)
            if len(values) >= survey.least_answers
            else None,
        )
        for (week, role), values in sorted(said.items())
    ]
    weeks = sorted({point.week for point in points})
    return points, _work(weeks, depots, zone)


def _work(
    weeks: Sequence[date], depots: Collection[uuid.UUID], zone: str
) -> list[WeekOfWork]:
    if not weeks:
        return []
    settled = Recommendation.objects.filter(
        depot__in=depots, settled_at__date__gte=weeks[0]
    )
    plans: dict[date, list[bool]] = defaultdict(list)
    for at, state in settled.filter(
        kind__in=PLANS, state__in=["followed", "deviated", "overridden"]
    ).values_list("settled_at", "state"):
        if at is not None:
            plans[_week(at, zone)].append(state == "overridden")
    times: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for at, outcome in settled.filter(
        kind="eta", state__in=["followed", "deviated"]
    ).values_list("settled_at", "outcome"):
        if at is not None:
            times[_week(at, zone)][0] += outcome.get("within", 0)
            times[_week(at, zone)][1] += outcome.get("count", 0)
    return [
        WeekOfWork(
            week,
            _percent(sum(plans[week]), len(plans[week])),
            _percent(*times[week]),
        )
        for week in weeks
    ]


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _week(at: datetime, zone: str) -> date:
    day = at.astimezone(ZoneInfo(zone)).date()
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
