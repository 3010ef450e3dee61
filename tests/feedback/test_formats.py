"""Files of Qualtrics, SurveyMonkey and Zigpoll: read, written, read again, quarantined."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.actors import SYSTEM
from apps.core.problems import NotFound
from apps.depots.models import Depot
from apps.feedback.formats import FORMATS
from apps.feedback.formats.base import NotThisFormat, ResponseDraft
from apps.feedback.models import QuarantinedResponse, Response, Survey
from apps.feedback.questions import read_questions
from apps.feedback.selectors import exported, results_of
from apps.feedback.services import (
    FileRefused,
    SignatureRefused,
    import_responses,
    make_live,
    open_hook,
    take_webhook,
    write_survey,
)
from apps.feedback.services.imports import signature_of
from apps.feedback.services.surveys import SurveyDraft
from tests.factories import NOW, DepotFactory

RAW = [
    {
        "id": "q1",
        "kind": "csat",
        "text": {"en": "How satisfied are you?"},
        "required": True,
    },
    {"id": "q2", "kind": "nps", "text": {"en": "Would you recommend us?"}},
    {
        "id": "q3",
        "kind": "choice",
        "text": {"en": "What went wrong?"},
        "many": True,
        "options": [
            {"value": "late", "text": {"en": "Late, again"}},
            {"value": "rude", "text": {"en": "Rude"}},
            {"value": "none", "text": {"en": "Nothing"}},
        ],
    },
    {"id": "q4", "kind": "text", "text": {"en": "Anything else?"}},
]
QUESTIONS = read_questions(RAW)

QUALTRICS = '''StartDate,EndDate,Status,IPAddress,Progress,Duration (in seconds),Finished,RecordedDate,ResponseId,RecipientLastName,RecipientFirstName,RecipientEmail,ExternalReference,LocationLatitude,LocationLongitude,DistributionChannel,UserLanguage,Q1,Q2_NPS_GROUP,Q2,Q3,Q4
Start Date,End Date,Response Type,IP Address,Progress,Duration (in seconds),Finished,Recorded Date,Response ID,Recipient Last Name,Recipient First Name,Recipient Email,External Data Reference,Location Latitude,Location Longitude,Distribution Channel,User Language,How satisfied are you?,Would you recommend us? - Group,Would you recommend us?,What went wrong?,Anything else?
"{""ImportId"":""startDate"",""timeZone"":""Europe/Berlin""}","{""ImportId"":""endDate"",""timeZone"":""Europe/Berlin""}","{""ImportId"":""status""}","{""ImportId"":""ipAddress""}","{""ImportId"":""progress""}","{""ImportId"":""duration""}","{""ImportId"":""finished""}","{""ImportId"":""recordedDate"",""timeZone"":""Europe/Berlin""}","{""ImportId"":""_recordId""}","{""ImportId"":""recipientLastName""}","{""ImportId"":""recipientFirstName""}","{""ImportId"":""recipientEmail""}","{""ImportId"":""externalDataReference""}","{""ImportId"":""locationLatitude""}","{""ImportId"":""locationLongitude""}","{""ImportId"":""distributionChannel""}","{""ImportId"":""userLanguage""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2_NPS_GROUP""}","{""ImportId"":""QID2""}","{""ImportId"":""QID3""}","{""ImportId"":""QID4_TEXT""}"
2026-03-16 11:00:00,2026-03-16 11:02:00,IP Address,203.0.113.9,100,120,True,2026-03-16 11:02:01,R_1,Muster,Eva,eva@example.org,,49.5,11.2,anonymous,DE,4,Promoter,9,"Late, again,Rude","Danke, ""gut"""
2026-03-16 12:00:00,2026-03-16 12:02:00,Survey Preview,,100,3,True,2026-03-16 12:02:01,R_2,,,,,,,preview,EN,5,,,,
2026-03-16 12:00:00,2026-03-16 12:02:00,IP Address,,40,3,False,2026-03-16 12:02:01,R_3,,,,,,,anonymous,EN,5,,,,
2026-03-16 12:00:00,2026-03-16 12:02:00,IP Address,,100,3,True,2026-03-16 12:02:01,R_4,,,,,,,anonymous,EN,7,,11,Slow,
'''
SURVEYMONKEY = '''Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,Custom Data 1,How satisfied are you?,Would you recommend us?,What went wrong?,,,Anything else?
,,,,,,,,,Response,Response,"Late, again",Rude,Nothing,Open-Ended Response
118052219061,446111201,03/16/2026 10:00:00 AM,03/16/2026 10:02:01 AM,203.0.113.9,eva@example.org,Eva,Muster,,4,9,"Late, again",Rude,,"Danke, ""gut"""
118052219062,446111201,03/16/2026 10:00:00 AM,soon,,,,,,5,,,,,
'''
ZIGPOLL = '''_id,participantId,createdAt,pollId,Question,Response
a1,p1,2026-03-16T10:02:01.000Z,poll-9,How satisfied are you?,4
a2,p1,2026-03-16T10:02:05.000Z,poll-9,Would you recommend us?,9
a3,p1,2026-03-16T10:02:07.000Z,poll-9,What went wrong?,"Late, again"
a4,p1,2026-03-16T10:02:07.000Z,poll-9,What went wrong?,Rude
a5,p1,2026-03-16T10:02:09.000Z,poll-9,Anything else?,"Danke, ""gut"""
a6,p2,2026-03-16T10:02:09.000Z,poll-9,How satisfied are you?,great
'''
SAMPLES = {
    "qualtrics": (QUALTRICS, ["R_1"], {4: "preview", 5: "unfinished", 6: "misfit"}),
    "surveymonkey": (SURVEYMONKEY, ["118052219061"], {4: "date"}),
    "zigpoll": (ZIGPOLL, ["p1"], {7: "misfit"}),
}
ANSWERS = {"q1": 4, "q2": 9, "q3": ["late", "rude"], "q4": 'Danke, "gut"'}


@pytest.mark.parametrize("form", SAMPLES)
def test_file_is_read_as_the_tool_writes_it(form: str) -> None:
    text, keys, bad = SAMPLES[form]
    found = FORMATS[form].read("\ufeff" + text, QUESTIONS)
    assert [row.key for row in found.rows] == keys
    [row] = found.rows
    assert row.answers == ANSWERS
    assert row.answered_at == datetime(2026, 3, 16, 10, 2, 1, tzinfo=UTC)
    assert {
        each.line - (form == "qualtrics"): each.faults[0].code for each in found.bad
    } == bad
    told = str([row.foreign, [each.raw for each in found.bad]])
    assert "eva" not in told.casefold()
    assert "203.0.113.9" not in told


drafts = st.lists(
    st.builds(
        ResponseDraft,
        line=st.just(0),
        key=st.uuids().map(str),
        answered_at=st.datetimes(
            min_value=datetime(2020, 1, 1),  # noqa: DTZ001
            max_value=datetime(2030, 1, 1),  # noqa: DTZ001
        ).map(lambda at: at.replace(tzinfo=UTC, microsecond=0)),
        answers=st.fixed_dictionaries(
            {"q1": st.integers(1, 5)},
            optional={
                "q2": st.integers(0, 10),
                "q3": st.lists(
                    st.sampled_from(["late", "rude", "none"]),
                    min_size=1,
                    max_size=3,
                    unique=True,
                ).map(
                    lambda chosen: sorted(chosen, key=["late", "rude", "none"].index)
                ),
                "q4": st.text(
                    st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
                    min_size=1,
                    max_size=40,
                ),
            },
        ),
    ),
    max_size=8,
)


@pytest.mark.parametrize("form", FORMATS)
@given(rows=drafts)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_written_reads_back_equal(form: str, rows: list[ResponseDraft]) -> None:
    text = FORMATS[form].write(rows, QUESTIONS)
    found = FORMATS[form].read(text, QUESTIONS)
    assert not found.bad
    assert [(r.key, r.answered_at, r.answers) for r in found.rows] == [
        (r.key, r.answered_at, r.answers) for r in rows
    ]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "ResponseId\nx\n{}\n"])
def test_file_of_another_kind_is_refused(form: str, text: str) -> None:
    with pytest.raises(NotThisFormat):
        FORMATS[form].read(text, QUESTIONS)


@pytest.fixture
def depot(db: None) -> Depot:
    return DepotFactory()


@pytest.fixture
def survey(db: None) -> Survey:
    draft = SurveyDraft(
        key="shop", audience="customers", title={"en": "Shop"}, questions=RAW
    )
    row = write_survey(draft, by=SYSTEM, now=NOW)
    return make_live(survey_id=row.pk, by=SYSTEM, now=NOW)


@pytest.mark.parametrize("form", FORMATS)
def test_import_responses_and_its_export_make_the_round_trip(
    form: str, depot: Depot, survey: Survey
) -> None:
    text, _, bad = SAMPLES[form]
    where: dict[str, Any] = {
        "survey_id": survey.pk,
        "depot_id": depot.pk,
        "by": SYSTEM,
        "now": NOW,
    }

    def taken(content: str, name: str = "a.csv") -> tuple[int, int, int]:
        run = import_responses(
            form=form, file_name=name, content=content.encode(), **where
        )
        return run.stored, run.known, run.quarantined

    assert taken(text) == (1, 0, len(bad))
    assert taken(text) == (1, 0, len(bad))
    assert taken(text + "\r\n") == (0, 1, len(bad))
    assert QuarantinedResponse.objects.count() == len(bad)
    row = Response.objects.get()
    assert (row.answers, row.source, row.role) == (ANSWERS, form, "customer")
    out = exported(survey, form, [depot.pk])
    assert taken(out, "ours.csv") == (0, 1, 0)
    [again] = FORMATS[form].read(out, QUESTIONS).rows
    assert (again.key, again.answers) == (SAMPLES[form][1][0], ANSWERS)
    other = next(each for each in FORMATS if each != form)
    changed = exported(survey, other, None)
    run = import_responses(
        form=other, file_name="b.csv", content=changed.encode(), **where
    )
    assert (run.stored, run.known) == (0, 1)
    assert not results_of(survey).is_shown


def test_import_responses_of_changed_answers_is_quarantined(
    depot: Depot, survey: Survey
) -> None:
    where: dict[str, Any] = {
        "survey_id": survey.pk,
        "depot_id": depot.pk,
        "by": SYSTEM,
        "now": NOW,
    }
    head = "participantId,createdAt,q1\n"
    for answer in (4, 2):
        run = import_responses(
            form="zigpoll",
            file_name="a.csv",
            content=f"{head}p1,2026-03-16T10:00:00Z,{answer}\n".encode(),
            **where,
        )
    assert (run.stored, run.known, run.quarantined) == (0, 0, 1)
    assert run.quarantine.get().faults[0]["code"] == "changed"
    assert Response.objects.get().answers == {"q1": 4}
    for content in (b"\x00\x01", b"nothing"):
        with pytest.raises(FileRefused):
            import_responses(
                form="zigpoll", file_name="b.csv", content=content, **where
            )


def test_take_webhook_signed_once_and_lately(depot: Depot, survey: Survey) -> None:
    hook = open_hook(
        survey_id=survey.pk, depot_id=depot.pk, form="zigpoll", by=SYSTEM, now=NOW
    )
    sent = str(int(NOW.timestamp()))
    body = json.dumps(
        {"participantId": "p7", "answers": {"q1": 5, "What went wrong?": ["Rude"]}}
    ).encode()

    def call(
        content: bytes = body, at: str = sent, signature: str = ""
    ) -> Response | None:
        return take_webhook(
            hook_id=hook.pk,
            body=content,
            timestamp=at,
            signature=signature or signature_of(hook.secret, at, content),
            now=NOW,
        )

    row = call()
    assert row is not None
    assert row.answers == {"q1": 5, "q3": ["rude"]}
    assert call() == row
    assert call(body.replace(b"5", b"9")) is None
    assert QuarantinedResponse.objects.get().run is None
    old = str(int((NOW - timedelta(minutes=6)).timestamp()))
    for at, signature in ((sent, "0" * 64), (old, ""), ("soon", "")):
        with pytest.raises(SignatureRefused):
            call(at=at, signature=signature)
    with pytest.raises(NotFound):
        take_webhook(hook_id=depot.pk, body=body, timestamp=sent, signature="", now=NOW)
