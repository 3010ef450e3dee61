"""The office is asked by itself: at its turn, once in a cap; answered or put off."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.urls import reverse

from apps.core.actors import SYSTEM, user_actor
from apps.core.problems import NotFound
from apps.core.roles import COORDINATOR, DRIVER, ROUTE_PLANNER, SUPERVISOR
from apps.depots.models import Depot
from apps.feedback.models import Response, Survey, SurveyAsk
from apps.feedback.services import (
    SurveyDraft,
    answer_in_office,
    ask_office,
    dismiss_ask,
    expire_asks,
    make_live,
    write_survey,
)
from config.schedules import SCHEDULES
from tests.factories import NOW, AbsenceFactory, DepotFactory, UserFactory
from tests.office import make_user, signed_in

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
INDEX = "/admin/"


@pytest.fixture
def depot() -> Depot:
    made: Depot = DepotFactory()
    return made


def asked(at: Any = NOW) -> list[User | None]:
    return [ask.user for ask in ask_office(by=SYSTEM, now=at)]


def test_every_role_of_the_office_is_asked_once_in_the_cap(depot: Depot) -> None:
    people = [make_user(role, depot) for role in (COORDINATOR, ROUTE_PLANNER)]
    make_user(DRIVER, depot)
    gone = make_user(SUPERVISOR, depot)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    nowhere = UserFactory(is_staff=True)
    nowhere.groups.add(Group.objects.get(name=COORDINATOR))
    away = make_user(SUPERVISOR, depot)
    AbsenceFactory(user=away, from_at=NOW - DAY, until_at=NOW + DAY)
    assert asked() == people
    assert asked(NOW + DAY / 24) == []
    assert asked(NOW + DAY) == [away], "who is back is asked"
    expire_asks(by=SYSTEM, now=NOW + 6 * DAY)
    assert asked(NOW + 13 * DAY) == []
    assert asked(NOW + 14 * DAY) == people
    assert {row.because for row in SurveyAsk.objects.all()} == {"office.due"}
    assert "apps.feedback.tasks.ask_due" in {row.task for row in SCHEDULES}


def test_who_answered_unasked_is_left_alone(depot: Depot) -> None:
    user = make_user(COORDINATOR, depot)
    pulse = Survey.objects.get(key="pulse")
    answer_in_office(
        survey_id=pulse.pk,
        answers={"confidence": 3, "heard": 3},
        depot_id=depot.pk,
        role=COORDINATOR,
        by=user_actor(user),
        now=NOW,
    )
    assert asked(NOW + 13 * DAY) == []
    assert asked(NOW + 14 * DAY) == [user]


def test_one_survey_at_a_time_and_the_longest_waiting_first(depot: Depot) -> None:
    user = make_user(COORDINATOR, depot)
    draft = SurveyDraft(
        key="tools",
        audience="office",
        title={"en": "Tools"},
        questions=[{"id": "q", "kind": "csat", "text": {"en": "How are they?"}}],
        cap_days=3,
        open_days=1,
    )
    asked()
    expire_asks(by=SYSTEM, now=NOW + 6 * DAY)
    tools = write_survey(draft, by=SYSTEM, now=NOW)
    make_live(survey_id=tools.pk, by=SYSTEM, now=NOW)
    [second] = ask_office(by=SYSTEM, now=NOW + 14 * DAY)
    assert (second.user, second.survey.key) == (user, "tools"), "never asked before"
    assert asked(NOW + 14 * DAY + timedelta(hours=19)) == [], "not twice in a gap"
    assert asked(NOW + 16 * DAY) == [], "one waits still"
    expire_asks(by=SYSTEM, now=NOW + 16 * DAY)
    [third] = ask_office(by=SYSTEM, now=NOW + 16 * DAY)
    assert third.survey.key == "pulse"


def test_prompt_is_shown_says_why_and_goes_with_the_answer(depot: Depot) -> None:
    user = make_user(ROUTE_PLANNER, depot)
    client = signed_in(user)
    with time_machine.travel(NOW, tick=False):
        assert "rm-prompt" not in client.get(INDEX).content.decode()
        asked()
        page = client.get(INDEX).content.decode()
        pulse = Survey.objects.get(key="pulse")
        answer = reverse("admin:feedback_survey_answer", args=[pulse.pk])
        assert "“I trust the plans that I am given.”" in page
        assert "Why am I asked?" in page
        assert f"the plans of {depot.name}" in page
        assert answer in page
        other = signed_in(make_user(ROUTE_PLANNER, depot))
        assert "rm-prompt" not in other.get(INDEX).content.decode()
        given = {"depot": str(depot.pk), "q_confidence": "6", "q_heard": "3"}
        assert client.post(answer, given).status_code == 302
        assert "rm-prompt" not in client.get(INDEX).content.decode()
    row = Response.objects.get()
    assert (row.role, row.ask.user) == (ROUTE_PLANNER, user)
    assert row.ask.closed_at == NOW


def test_prompt_put_off_comes_again_after_the_cap(depot: Depot) -> None:
    user = make_user(SUPERVISOR, depot)
    client = signed_in(user)
    pulse = Survey.objects.get(key="pulse")
    url = reverse("admin:feedback_survey_dismiss", args=[pulse.pk])
    with time_machine.travel(NOW, tick=False):
        [ask] = ask_office(by=SYSTEM, now=NOW)
        assert client.get(url).status_code == 200
        assert "rm-prompt" in client.get(INDEX).content.decode(), (
            "to be asked does nothing"
        )
        done = client.post(url, follow=True).content.decode()
        assert "not asked again within 14 days" in done
        assert "rm-prompt" not in done
        assert client.post(url).status_code == 302
    ask.refresh_from_db()
    assert (ask.closed_at, ask.response) == (NOW, None)
    with pytest.raises(NotFound):
        dismiss_ask(ask_id=ask.pk, user=make_user(SUPERVISOR, depot), now=NOW)
    assert asked(NOW + 13 * DAY) != [user]
    assert user in asked(NOW + 14 * DAY)


def test_prompt_that_nobody_answers_goes_by_itself(depot: Depot) -> None:
    client = signed_in(make_user(COORDINATOR, depot))
    asked()
    with time_machine.travel(NOW + 5 * DAY, tick=False):
        assert "rm-prompt" not in client.get(INDEX).content.decode()
