"""The office's own answers to surveys, and the doors of other tools' webhooks."""

import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.core.actors import SYSTEM
from apps.core.problems import NotFound
from apps.core.roles import COORDINATOR, DATA_STEWARD, SUPERVISOR
from apps.feedback.models import Response, Survey, SurveyHook
from apps.feedback.services import close_hook, retire_survey
from apps.feedback.services.imports import signature_of
from apps.journal.models import Entry
from tests.factories import NOW
from tests.office import Office, make_office, make_user, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return make_office()


def answer_page(key: str = "pulse") -> str:
    survey = Survey.objects.get(key=key)
    return reverse("admin:feedback_survey_answer", args=[survey.pk])


# ── Answers of the office ────────────────────────────────────────────────────
def test_coordinator_answers_the_pulse_once_in_its_cap(office: Office) -> None:
    user = make_user(COORDINATOR, office.depot)
    client, page = signed_in(user), answer_page()
    given = {"depot": str(office.depot.pk), "q_confidence": "6", "q_heard": "3"}
    with time_machine.travel(NOW, tick=False):
        survey = Survey.objects.get(key="pulse")
        shown = client.get(reverse("admin:feedback_survey_change", args=[survey.pk]))
        assert page in shown.content.decode()
        assert "I trust the plans that I am given." in client.get(page).content.decode()
        done = client.post(page, given, follow=True).content.decode()
        assert "Thank you: your answer counts." in done
        client.post(page, given)
    row = Response.objects.get(survey=survey)
    assert (row.role, row.source, row.depot) == (COORDINATOR, "office", office.depot)
    assert row.answers == {"confidence": 6, "heard": 3}
    assert row.respondent == f"user:{user.pk}"
    with time_machine.travel(NOW + timedelta(days=13), tick=False):
        assert "You are asked again from" in client.get(page).content.decode()
        late = client.post(page, {**given, "q_heard": "1"}).content.decode()
        assert "you are asked again later" in late
    with time_machine.travel(NOW + timedelta(days=14), tick=False):
        assert client.post(page, given).status_code == 302
    assert Response.objects.filter(survey=survey).count() == 2


def test_answer_that_does_not_fit_is_said_beside_its_question(office: Office) -> None:
    client = signed_in(make_user(COORDINATOR, office.depot))
    other = make_office(code="mine").depot
    given = {"depot": str(office.depot.pk), "q_confidence": "8", "q_heard": "3"}
    wrong = client.post(answer_page(), given).context["form"]
    assert list(wrong.errors) == ["q_confidence"]
    empty = client.post(answer_page(), {"depot": str(office.depot.pk)})
    assert set(empty.context["form"].errors) == {"q_confidence", "q_heard"}
    elsewhere = {**given, "q_confidence": "7", "depot": str(other.pk)}
    assert list(client.post(answer_page(), elsewhere).context["form"].errors) == [
        "depot"
    ]
    assert not Response.objects.filter(source="office").exists()


@pytest.mark.parametrize("key", ["delivery", "pulse"])
def test_survey_of_others_or_that_is_over_is_not_answered(
    office: Office, key: str
) -> None:
    """The first is the customers'; the second is retired."""
    client = signed_in(make_user(COORDINATOR, office.depot))
    pulse = Survey.objects.get(key="pulse")
    retire_survey(survey_id=pulse.pk, by=SYSTEM, now=NOW)
    assert "not asked this survey" in client.get(answer_page(key)).content.decode()
    given = {"q_confidence": "6", "q_heard": "3", "q_csat": "4"}
    said = client.post(answer_page(key), {**given, "depot": str(office.depot.pk)})
    assert "not asked this survey" in said.content.decode()
    assert not Response.objects.filter(source="office").exists()


# ── Webhook doors ────────────────────────────────────────────────────────────
def called(hook: SurveyHook, secret: str, number: str) -> int:
    body, at = (
        b'{"ResponseID": "%s", "answers": {"csat": 4}}' % number.encode(),
        time.time(),
    )
    signature = signature_of(secret, str(int(at)), body)
    headers = {"X-Timestamp": str(int(at)), "X-Signature": signature}
    url = f"/api/v1/survey-hooks/{hook.pk}"
    content_type = "application/json"
    answer = Client().post(url, body, content_type=content_type, headers=headers)
    code: int = answer.status_code
    return code


def test_door_is_opened_its_secret_shown_once_and_shut(office: Office) -> None:
    steward = signed_in(make_user(DATA_STEWARD, office.depot))
    survey = Survey.objects.get(key="delivery")
    page = steward.get(reverse("admin:feedback_survey_change", args=[survey.pk]))
    add = f"{reverse('admin:feedback_surveyhook_add')}?survey={survey.pk}"
    assert add in page.content.decode()
    fields = {"survey": str(survey.pk), "depot": str(office.depot.pk)}
    told = steward.post(add, {**fields, "format": "qualtrics"}).content.decode()
    hook = SurveyHook.objects.get(format="qualtrics")
    assert f"/api/v1/survey-hooks/{hook.pk}" in told
    [secret] = re.findall(r"<code>([0-9a-f]{64})</code>", told)
    assert called(hook, secret, "R_1") == 200
    shown = reverse("admin:feedback_surveyhook_change", args=[hook.pk])
    pages = [shown, reverse("admin:feedback_surveyhook_changelist")]
    assert all(secret not in steward.get(url).content.decode() for url in pages)

    close = reverse("admin:feedback_surveyhook_close", args=[hook.pk])
    steward.get(close)
    assert called(hook, secret, "R_2") == 200, "to be asked shuts nothing"
    assert "Shut" in steward.post(close, follow=True).content.decode()
    assert called(hook, secret, "R_3") == 404
    steward.post(close)
    assert Entry.objects.filter(kind="survey.hook_closed").count() == 1
    with pytest.raises(NotFound):
        close_hook(hook_id=office.depot.pk, by=SYSTEM, now=NOW)


def test_door_of_another_depot_is_not_opened_nor_shut(office: Office) -> None:
    mine = make_office(code="mine")
    client = signed_in(make_user(SUPERVISOR, mine.depot))
    hook = office.rows["feedback.surveyhook"]
    close = reverse("admin:feedback_surveyhook_close", args=[hook.pk])
    assert client.post(close).status_code == 404
    fields = {"survey": str(hook.survey_id), "depot": str(office.depot.pk)}
    add = reverse("admin:feedback_surveyhook_add")
    refused = client.post(add, {**fields, "format": "zigpoll"})
    assert list(refused.context["form"].errors) == ["depot"]
    assert SurveyHook.objects.filter(depot=office.depot, is_open=True).count() == 1
