"""The office is asked by itself: who is due, what was put off, and what was answered."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Max, Q

from apps.core.actors import Actor, user_actor
from apps.core.problems import NotFound
from apps.depots.models import Absence, DepotMembership
from apps.feedback.models import Response, Survey, SurveyAsk
from apps.feedback.services.surveys import GAP
from apps.feedback.states import SurveyState
from apps.journal.services import writing

DUE: Final = "office.due"
"""Why the office is asked: no event, but that it is time."""

MAY_ANSWER: Final = "add_response"


def ask_office(*, by: Actor, now: datetime) -> list[SurveyAsk]:
    """Put what is due before each person of the office; return what was asked anew.

    Those are asked who may answer, work for a depot, and are not away. One survey at a
    time: nobody is asked twice within `GAP`, nor the same survey (of any version) within
    its cap, be it asked or answered unasked. Of several, the one that waits longest.
    """
    surveys = list(
        Survey.objects.filter(
            status=SurveyState.LIVE,
            audience__in=[Survey.Audience.OFFICE, Survey.Audience.FRONTLINE],
        ).order_by("key")
    )
    depots = _depots_of_people(now) if surveys else {}
    with writing(by=by, now=now) as journal:
        # One at a time goes through, so that nobody is asked by two of them.
        list(Survey.objects.select_for_update().filter(pk__in=[s.pk for s in surveys]))
        last = _last_turns(surveys, depots)
        pressed = set(
            SurveyAsk.objects.filter(
                Q(asked_at__gt=now - GAP) | Q(closed_at=None), user__in=list(depots)
            ).values_list("user_id", flat=True)
        )
        asks = [
            SurveyAsk(
                survey=survey,
                depot_id=depot_id,
                user_id=user_id,
                because=DUE,
                asked_at=now,
                expires_at=now + timedelta(days=survey.open_days),
            )
            for user_id, depot_id in depots.items()
            if user_id not in pressed
            and (survey := _due(surveys, user_id, last, now)) is not None
        ]
        SurveyAsk.objects.bulk_create(asks)
        for ask in asks:
            journal.record("survey.asked", ask, depot_id=ask.depot_id)
    return asks


def _depots_of_people(now: datetime) -> dict[int, uuid.UUID]:
    """Return who may be asked, each with one of the depots that the person works for."""
    right = {"codename": MAY_ANSWER, "content_type__app_label": "feedback"}
    of_role = {f"groups__permissions__{name}": value for name, value in right.items()}
    of_own = {f"user_permissions__{name}": value for name, value in right.items()}
    people = User.objects.filter(
        Q(**of_role) | Q(**of_own), is_active=True, is_staff=True
    )
    away = Absence.objects.covering(now).values("user")
    rows = DepotMembership.objects.filter(user__in=people).exclude(user__in=away)
    found: dict[int, uuid.UUID] = {}
    for user_id, depot_id in rows.order_by("user_id", "depot_id").values_list(
        "user_id", "depot_id"
    ):
        found.setdefault(user_id, depot_id)
    return found


def _last_turns(
    surveys: Iterable[Survey], people: Iterable[int]
) -> dict[tuple[str, int], datetime]:
    """Return when each person was last asked each survey, or answered it unasked."""
    keys = [survey.key for survey in surveys]
    asked = (
        SurveyAsk.objects.filter(survey__key__in=keys, user__in=list(people))
        .order_by()
        .values_list("survey__key", "user_id")
        .annotate(last=Max("asked_at"))
    )
    last = {(key, user_id): at for key, user_id, at in asked if user_id is not None}
    names = {str(Actor("user", str(user_id))): user_id for user_id in people}
    answered = (
        Response.objects.filter(survey__key__in=keys, respondent__in=list(names))
        .order_by()
        .values_list("survey__key", "respondent")
        .annotate(last=Max("answered_at"))
    )
    for key, respondent, at in answered:
        turn = key, names[respondent]
        last[turn] = max(at, last.get(turn, at))
    return last


def _due(
    surveys: Iterable[Survey],
    user_id: int,
    last: Mapping[tuple[str, int], datetime],
    now: datetime,
) -> Survey | None:
    due = [
        (at is not None, at, number, survey)
        for number, survey in enumerate(surveys)
        if (at := last.get((survey.key, user_id))) is None
        or at + timedelta(days=survey.cap_days) <= now
    ]
    if not due:
        return None
    first = min(due, key=lambda each: (each[0], each[1] or now, each[2]))
    return first[-1]


def dismiss_ask(*, ask_id: uuid.UUID, user: User, now: datetime) -> SurveyAsk:
    """Put a survey away unanswered; it is asked again after its cap. Twice is once.

    Raises:
        NotFound: nothing of that name was put before this person.
    """
    with writing(by=user_actor(user), now=now) as journal:
        rows = SurveyAsk.objects.select_for_update().filter(pk=ask_id, user=user)
        ask = rows.select_related("survey").first()
        if ask is None:
            raise NotFound
        if ask.closed_at is None:
            ask.closed_at = now
            ask.save(update_fields=["closed_at"])
            journal.record(
                "survey.dismissed", ask, depot_id=ask.depot_id, survey=ask.survey.key
            )
    return ask
