"""Answers from elsewhere: whole files, and one by one through a webhook."""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid, NotFound, Problem
from apps.depots.models import Depot
from apps.feedback.formats import FORMATS
from apps.feedback.formats.base import (
    BadRow,
    Fault,
    NotThisFormat,
    Read,
    ResponseDraft,
    answer_of,
    moment_of,
    question_named,
)
from apps.feedback.models import (
    QuarantinedResponse,
    Response,
    Survey,
    SurveyHook,
    SurveyImport,
)
from apps.feedback.questions import Question, read_questions
from apps.feedback.services.responses import (
    AlreadyAnswered,
    Answerer,
    Origin,
    SurveyNotOpen,
    record_response,
)
from apps.feedback.states import SurveyState
from apps.journal.services import Writer, writing

LARGEST_BYTES: Final = 20 * 1024 * 1024
ENCODINGS: Final = ("utf-8-sig", "utf-16", "cp1252")
SIGNED_FOR: Final = timedelta(minutes=5)
ROLES: Final = {"customers": "customer", "drivers": "driver", "office": "office"}


class FileRefused(Problem):
    """The file is not one of this format, or too large."""

    type = "/problems/survey-file-refused"
    title = "This file cannot be read."


class SignatureRefused(Problem):
    """Nobody who knows the secret has sent this, or long ago."""

    type = "/problems/signature-refused"
    title = (
        "The signature does not fit: sign the timestamp and the body with the secret."
    )


def import_responses(
    *,
    survey_id: uuid.UUID,
    depot_id: uuid.UUID,
    form: str,
    file_name: str,
    content: bytes,
    by: Actor,
    now: datetime,
) -> SurveyImport:
    """Take in a file of answers: what fits is stored, what does not is quarantined.

    Rows that came before are counted and left alone; the same file again is the same
    run. Texts that name a person are not kept.

    Raises:
        NotFound: there is no such survey or depot.
        SurveyNotOpen: it is a draft.
        FileRefused: it is none of this format.
    """
    survey = Survey.objects.filter(pk=survey_id).first()
    if survey is None or not Depot.objects.filter(pk=depot_id).exists():
        raise NotFound
    if survey.status == SurveyState.DRAFT:
        raise SurveyNotOpen
    digest = hashlib.sha256(content).hexdigest()
    known = SurveyImport.objects.filter(survey=survey, format=form, sha256=digest)
    if (run := known.first()) is not None:
        return run
    try:
        found = FORMATS[form].read(_text(content), read_questions(survey.questions))
    except NotThisFormat as error:
        raise FileRefused(str(error)) from error
    run = SurveyImport(
        survey=survey,
        depot_id=depot_id,
        format=form,
        file_name=file_name[:200],
        sha256=digest,
        columns=[list(line) for line in found.header],
        imported_at=now,
        imported_by=str(by),
    )
    with writing(by=by, now=now) as journal:
        _store(run, found, journal)
    return run


def _store(run: SurveyImport, found: Read, journal: Writer) -> None:
    run.save()
    bad = list(found.bad)
    for draft in found.rows:
        bad += _take(draft, run, journal)
    for row in bad:
        _quarantine(row, run.survey, run.depot_id, run, run.imported_at)
    run.quarantined = len(bad)
    run.save()
    journal.record(
        "responses.imported",
        run,
        depot_id=run.depot_id,
        format=run.format,
        stored=run.stored,
        known=run.known,
        quarantined=run.quarantined,
    )


def _text(content: bytes) -> str:
    if len(content) > LARGEST_BYTES:
        raise FileRefused("It is larger than 20 MB: export it in parts.")
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise FileRefused("It is no text.")


def _take(draft: ResponseDraft, run: SurveyImport, journal: Writer) -> list[BadRow]:
    """Store a row, count one that is known; return it where it differs from that."""
    mine = Response.objects.filter(survey__key=run.survey.key)
    own_id = _parsed(draft.key)
    if own_id is not None and mine.filter(pk=own_id).exists():
        run.known += 1
        return []
    try:
        row = record_response(
            survey_id=run.survey_id,
            answers=draft.answers,
            answerer=_answerer(run.survey, run.depot_id, draft.language),
            origin=Origin(run.format, _key(run, draft.key), run.pk, draft.foreign),
            answered_at=draft.answered_at,
            by=journal.by,
            now=journal.now,
        )
    except AlreadyAnswered:
        text = "It came before with other answers: the first ones count."
        return [_bad(draft, Fault("", "changed", text))]
    except Invalid as problem:
        faults = [Fault(f.pointer, f.code, f.detail) for f in problem.errors]
        return [_bad(draft, *faults)]
    if row.run_id == run.pk:
        run.stored += 1
    else:
        run.known += 1
    return []


def _answerer(survey: Survey, depot_id: uuid.UUID, language: str) -> Answerer:
    role = ROLES.get(survey.audience, "driver")
    return Answerer(depot_id=depot_id, role=role, language=language)


def _key(source: SurveyImport | SurveyHook, key: str) -> str:
    return f"{source.format}:{source.survey.key}:{key}"[:200]


def _parsed(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _bad(draft: ResponseDraft, *faults: Fault) -> BadRow:
    raw = {name: str(value) for name, value in draft.answers.items()}
    return BadRow(draft.line, {"id": draft.key, **raw}, faults)


def _quarantine(
    bad: BadRow,
    survey: Survey,
    depot_id: uuid.UUID,
    run: SurveyImport | None,
    now: datetime,
) -> None:
    raw = json.dumps(dict(bad.raw), sort_keys=True)
    QuarantinedResponse.objects.get_or_create(
        survey=survey,
        raw_hash=hashlib.sha256(raw.encode()).hexdigest(),
        defaults={
            "depot_id": depot_id,
            "run": run,
            "line": bad.line,
            "raw": dict(bad.raw),
            "faults": [asdict(fault) for fault in bad.faults],
            "received_at": now,
        },
    )


def open_hook(
    *,
    survey_id: uuid.UUID,
    depot_id: uuid.UUID,
    form: str,
    by: Actor,
    now: datetime,
) -> SurveyHook:
    """Open a door for a tool's webhook; its secret is shown to whoever opens it.

    Raises:
        NotFound: there is no such survey or depot.
    """
    survey = Survey.objects.filter(pk=survey_id).first()
    if survey is None or not Depot.objects.filter(pk=depot_id).exists():
        raise NotFound
    if form not in FORMATS:
        text = f"One of {', '.join(FORMATS)}."
        raise Invalid(text, errors=[FieldError("/format", "unknown", text)])
    with writing(by=by, now=now) as journal:
        row = SurveyHook.objects.create(
            survey=survey,
            depot_id=depot_id,
            format=form,
            secret=secrets.token_hex(32),
            created_at=now,
            created_by=str(by),
        )
        journal.record("survey.hook_opened", row, depot_id=depot_id, format=form)
    return row


def close_hook(*, hook_id: uuid.UUID, by: Actor, now: datetime) -> SurveyHook:
    """Shut a door for good: who posts there is told that there is none.

    Shutting it again changes nothing; who shut it stands in the journal.

    Raises:
        NotFound: there is no such door.
    """
    with writing(by=by, now=now) as journal:
        row = SurveyHook.objects.select_for_update().filter(pk=hook_id).first()
        if row is None:
            raise NotFound
        if row.is_open:
            row.is_open = False
            row.save(update_fields=["is_open"])
            journal.record(
                "survey.hook_closed", row, depot_id=row.depot_id, format=row.format
            )
    return row


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Return what signs a call: HMAC-SHA256 over `timestamp.body`, in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def take_webhook(
    *,
    hook_id: uuid.UUID,
    body: bytes,
    timestamp: str,
    signature: str,
    now: datetime,
) -> Response | None:
    """Take in one response that a tool posts; None: it went into quarantine.

    Raises:
        NotFound: there is no such door, or it is shut.
        SignatureRefused: the secret did not sign it, or more than five minutes ago.
        Invalid: it is no JSON object.
    """
    hook = SurveyHook.objects.filter(pk=hook_id, is_open=True).first()
    if hook is None:
        raise NotFound
    _check_signature(hook, body, timestamp, signature, now)
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Invalid("The body is no JSON.") from error
    if not isinstance(content, dict):
        raise Invalid("The body is no JSON object.")
    by = Actor("hook", str(hook.pk))
    with writing(by=by, now=now):
        draft = _draft(hook, content, now)
        if isinstance(draft, BadRow):
            _quarantine(draft, hook.survey, hook.depot_id, None, now)
            return None
        try:
            return record_response(
                survey_id=hook.survey_id,
                answers=draft.answers,
                answerer=_answerer(hook.survey, hook.depot_id, draft.language),
                origin=Origin(hook.format, _key(hook, draft.key)),
                answered_at=draft.answered_at,
                by=by,
                now=now,
            )
        except (Invalid, AlreadyAnswered) as problem:
            bad = _bad(draft, Fault("", "misfit", problem.detail))
            _quarantine(bad, hook.survey, hook.depot_id, None, now)
            return None


def _check_signature(
    hook: SurveyHook, body: bytes, timestamp: str, signature: str, now: datetime
) -> None:
    sent = int(timestamp) if timestamp.isdigit() and len(timestamp) < 12 else 0
    is_fresh = abs(now.timestamp() - sent) <= SIGNED_FOR.total_seconds()
    wanted = signature_of(hook.secret, timestamp, body)
    given = signature.removeprefix("sha256=")
    if not is_fresh or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise SignatureRefused


def _draft(
    hook: SurveyHook, content: Mapping[str, Any], now: datetime
) -> ResponseDraft | BadRow:
    """Read `{id, answered_at, language, answers: {question: answer}}`."""
    questions = read_questions(hook.survey.questions)
    key = FORMATS[hook.format].key_of(content)
    given = content.get("answers")
    faults: list[Fault] = []
    answers: dict[str, Any] = {}
    for name, value in (given if isinstance(given, dict) else {}).items():
        question = question_named(questions, str(name))
        if question is None:
            continue
        answer, fault = _answered(question, value)
        if fault:
            faults.append(Fault(str(name), "misfit", fault))
        else:
            answers[question.id] = answer
    if not key:
        faults.append(Fault("id", "required", "It has no id."))
    if not answers and not faults:
        faults.append(Fault("answers", "empty", "Nothing is answered."))
    said_at = content.get("answered_at") or content.get("createdAt")
    at = moment_of(str(said_at)) if said_at else now
    if at is None:
        faults.append(Fault("answered_at", "date", "It is no date."))
    if faults or at is None:
        raw = {"id": key, **{name: str(value) for name, value in answers.items()}}
        raw["answers"] = json.dumps(given, sort_keys=True)[:2000]
        return BadRow(0, raw, tuple(faults))
    return ResponseDraft(0, key, at, answers, str(content.get("language", ""))[:8])


def _answered(question: Question, value: Any) -> tuple[Any, str]:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return answer_of(question, str(value))
