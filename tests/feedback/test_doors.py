"""Feedback and surveys through their doors: device, API, admin, webhook."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.roles import COORDINATOR, DATA_STEWARD, SUPERVISOR
from apps.feedback.models import Feedback, Response, Survey, SurveyAsk
from apps.feedback.services.imports import signature_of
from tests.office import Office, make_office, make_user, signed_in
from tests.queueing import drain_only
from tests.sync.builders import enrol

pytestmark = pytest.mark.django_db

ASK = "apps.feedback.tasks.ask_after"


@pytest.fixture
def office() -> Office:
    return make_office()


@pytest.fixture
def supervisor(office: Office) -> Client:
    return signed_in(make_user(SUPERVISOR, office.depot))


def test_driver_says_it_offline_and_reads_the_answer(
    office: Office, supervisor: Client
) -> None:
    office.driver.language = "de"
    office.driver.save()
    device = enrol(office.driver)
    about = office.rows["recommendations.recommendation"]
    event = device.event(
        "feedback.given",
        recommendation_id=str(about.pk),
        rating=1,
        reason="detour",
        objects=True,
    )
    assert device.verdicts(event) == [("applied", "kept")]
    row = Feedback.objects.get(recommendation=about)
    url = reverse("admin:feedback_feedback_triage", args=[row.pk])
    page = supervisor.get(url).content.decode()
    assert "It is a detour" in page
    assert "We have changed the plan." in page
    answer = supervisor.post(
        url, {"act": "done", "code": "plan_changed", "words": "Brücke ist offen."}
    )
    assert answer.status_code == 302
    device.pull()
    told = device.tables["feedback_answers"][str(row.pk)]
    assert told["status_text"] == "Erledigt"
    assert told["answer"] == "Wir haben den Plan geändert. Brücke ist offen."
    assert drain_only(ASK) == 1
    inbox = supervisor.get(reverse("admin:feedback_feedback_changelist"))
    assert "wait for an answer" in inbox.content.decode()
    late = supervisor.post(url, {"act": "declined", "code": "promised"}, follow=True)
    assert "cannot become" in late.content.decode()


def test_survey_comes_to_the_device_and_goes(office: Office) -> None:
    device = enrol(office.driver)
    asked = SurveyAsk.objects.create(
        survey=Survey.objects.get(key="plan-change"),
        depot=office.depot,
        driver=office.driver,
        because="plan_change.acknowledged",
        asked_at=office.route.starts_at,
        expires_at=office.route.ends_at,
    )
    event = device.event(
        "survey.answered", survey_id=str(asked.pk), answers={"good": 9}
    )
    [(result, _)] = device.verdicts(event)
    assert result == "rejected"
    event = device.event(
        "survey.answered", survey_id=str(asked.pk), answers={"good": 4}
    )
    assert device.verdicts(event) == [("applied", "kept")]
    assert Response.objects.get(source="device").role == "driver"


def test_office_says_it_on_the_recommendations_page(
    office: Office, supervisor: Client
) -> None:
    about = office.rows["recommendations.recommendation"]
    page = supervisor.get(
        reverse("admin:recommendations_recommendation_change", args=[about.pk])
    ).content.decode()
    assert "You may object" in page
    url = reverse("admin:feedback_feedback_add")
    body = {"recommendation": str(about.pk), "key": "k1", "text": "Too far."}
    assert supervisor.post(url, {**body, "is_objection": "on"}).status_code == 302
    assert supervisor.post(url, {**body, "is_objection": "on"}).status_code == 302
    row = Feedback.objects.get(recommendation=about)
    assert (row.role, row.is_objection, row.edits.count()) == ("office", True, 1)
    empty = supervisor.post(url, {**body, "key": "k2", "text": ""})
    assert "Rate it, give a reason, or write." in empty.content.decode()
    mine = make_office(code="mine")
    stranger = signed_in(make_user(COORDINATOR, mine.depot))
    assert stranger.post(url, body).status_code == 404


def test_feedback_through_the_api(office: Office, supervisor: Client) -> None:
    about = office.rows["recommendations.recommendation"]

    def post(path: str, **body: Any) -> Any:
        return supervisor.post(
            f"/api/v1/feedback{path}", body, content_type="application/json"
        )

    made = post("", recommendation=str(about.pk), rating=2, text="No.")
    assert made.status_code == 201
    path = f"/{made.json()['id']}"
    assert post(f"{path}/see").json()["status"] == "seen"
    assert post(f"{path}/decline", code="nonsense").status_code == 400
    declined = post(f"{path}/decline", code="promised", words="Sorry.").json()
    assert (declined["status"], declined["answer"]) == ("declined", "Sorry.")
    assert post(f"{path}/act", code="thanks").status_code == 409
    assert supervisor.get("/api/v1/feedback?status=declined").json()["results"]


def test_survey_pages(office: Office) -> None:
    steward = signed_in(make_user(DATA_STEWARD, office.depot))
    survey = Survey.objects.get(key="delivery")
    page = steward.get(reverse("admin:feedback_survey_change", args=[survey.pk]))
    assert "answers that are needed" in page.content.decode()
    lines = ["participantId,createdAt,csat,nps"]
    lines += [f"p{n},2026-03-16T10:00:00Z,{n % 5 + 1},{n}" for n in range(9)]
    upload = reverse("admin:feedback_survey_import_answers", args=[survey.pk])
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415

    file = SimpleUploadedFile("a.csv", "\n".join(lines).encode())
    done = steward.post(
        upload,
        {"depot": str(office.depot.pk), "format": "zigpoll", "file": file},
        follow=True,
    )
    assert "Stored" in done.content.decode()
    page = steward.get(reverse("admin:feedback_survey_change", args=[survey.pk]))
    assert "Satisfied (4 or 5)" in page.content.decode()
    api = steward.get(f"/api/v1/surveys/{survey.pk}/results").json()
    assert (api["count"], api["is_shown"]) == (10, True)
    out = steward.get(f"/api/v1/surveys/{survey.pk}/export?form=surveymonkey")
    assert out.content.decode().startswith("Respondent ID,")
    write = reverse("admin:feedback_survey_add")
    assert "csat" in steward.get(f"{write}?from=delivery").content.decode()
    fields = {"key": "delivery", "audience": "customers", "title": '{"en": "D"}'}
    fields |= {"cap_days": "7", "open_days": "3", "least_answers": "5"}
    bad = steward.post(write, {**fields, "questions": "[]"})
    assert "This field is required." in bad.content.decode()
    questions = json.dumps(survey.questions)
    steward.post(write, {**fields, "questions": questions})
    fresh = Survey.objects.get(key="delivery", version=2)
    steward.post(reverse("admin:feedback_survey_live", args=[fresh.pk]))
    survey.refresh_from_db()
    assert survey.status == "retired"
    pulse = Survey.objects.get(key="pulse")
    page = steward.get(reverse("admin:feedback_survey_change", args=[pulse.pk]))
    trend = reverse("admin:metrics_dailyfigure_confidence")
    assert f"{trend}?survey=pulse" in page.content.decode()
    weeks = steward.get(trend, {"survey": "pulse"}).content.decode()
    assert "no week has 5 people of one role" in weeks
    steward.post(reverse("admin:feedback_survey_retire", args=[pulse.pk]))
    pulse.refresh_from_db()
    assert pulse.status == "retired"


def test_webhook_takes_what_is_signed(office: Office) -> None:
    hook = office.rows["feedback.surveyhook"]
    url, body = (
        f"/api/v1/survey-hooks/{hook.pk}",
        b'{"id": "w1", "answers": {"csat": 4}}',
    )
    at = str(int(time.time()))

    def call(content: bytes, secret: str) -> int:
        status: int = (
            Client()
            .post(
                url,
                content,
                content_type="application/json",
                headers={
                    "X-Timestamp": at,
                    "X-Signature": signature_of(secret, at, content),
                },
            )
            .status_code
        )
        return status

    assert call(body, hook.secret) == 200
    assert call(body, hook.secret) == 200
    assert call(body.replace(b"4", b"9"), hook.secret) == 202
    assert call(body, "guess") == 400
    assert Response.objects.filter(source_key="zigpoll:delivery:w1").count() == 1
