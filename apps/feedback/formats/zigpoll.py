"""Zigpoll's CSV: one header row; a line a participant, or a line an answer. Pure.

Fields are named as its API names them (`_id`, `createdAt`, `pollId`, `participantId`);
spelling does not matter. Where there are columns for the question and its response, each
line is one answer, and those of a participant belong together; otherwise each question
has a column of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from apps.feedback.formats.base import (
    BadRow,
    Fault,
    Format,
    NotThisFormat,
    Read,
    ResponseDraft,
    answers_of,
    cells_of,
    folded,
    moment_of,
    question_named,
    text_of,
    written,
)
from apps.feedback.questions import Question, in_language

KEYS: Final = ("participantid", "responseid", "id")
DATES: Final = ("createdat", "date", "submittedat", "createddate")
QUESTIONS: Final = ("question", "slide", "slidetitle", "slideid")
ANSWERS: Final = ("response", "answer", "value")
LANGUAGES: Final = ("language", "locale")
KEPT: Final = ("pollid", "accountid", "device", "url")
WRITTEN: Final = ("participantId", "createdAt", "pollId", "language")

Row = tuple[int, Mapping[str, str]]


def read(text: str, questions: Sequence[Question]) -> Read:
    """Read a Zigpoll export.

    Raises:
        NotThisFormat: there is no column of ids, or none of dates, or no question.
    """
    lines = cells_of(text)
    head = lines[0] if lines else ()
    names = [folded(name) for name in head]
    if not set(KEYS) & set(names) or not set(DATES) & set(names):
        raise NotThisFormat("A Zigpoll export has a column of ids and one of dates.")
    rows: list[Row] = [
        (number, dict(zip(names, line, strict=False)))
        for number, line in enumerate(lines[1:], 2)
    ]
    if set(QUESTIONS) & set(names) and set(ANSWERS) & set(names):
        whole = _gathered(rows)
    else:
        whole = rows
    known = {
        name: question
        for name, title in zip(names, head, strict=True)
        if (question := question_named(questions, title)) is not None
    }
    if whole is not rows:
        known = {
            folded(text): q for q in questions for text in (*q.text.values(), q.id)
        }
    if not known:
        raise NotThisFormat("None of its columns is a question of this survey.")
    read_rows = [_row(number, named, known, questions) for number, named in whole]
    return Read(
        (head,),
        tuple(one for one in read_rows if isinstance(one, ResponseDraft)),
        tuple(one for one in read_rows if isinstance(one, BadRow)),
    )


def _gathered(rows: Sequence[Row]) -> list[Row]:
    """Put the answers of one participant together: several to one question are a list."""
    whole: dict[str, tuple[int, dict[str, str]]] = {}
    for number, named in rows:
        key = _first(named, KEYS)
        _, row = whole.setdefault(key or f"line {number}", (number, dict(named)))
        question = folded(_first(named, QUESTIONS))
        before = row.get(question, "")
        answer = _first(named, ANSWERS)
        row[question] = f"{before},{answer}" if before else answer
    return list(whole.values())


def _first(named: Mapping[str, str], names: Sequence[str]) -> str:
    return next((named[name].strip() for name in names if named.get(name)), "")


def _row(
    number: int,
    named: Mapping[str, str],
    known: Mapping[str, Question],
    questions: Sequence[Question],
) -> ResponseDraft | BadRow:
    cells = []
    for question in questions:
        columns = [name for name, found in known.items() if found is question]
        filled = [name for name in columns if named.get(name, "").strip()]
        name = filled[0] if filled else (columns[0] if columns else "")
        if columns:
            cells.append((question, name, named.get(name, "")))
    answers, faults = answers_of(cells)
    key, at = _first(named, KEYS), moment_of(_first(named, DATES))
    if not key:
        faults.append(Fault("participantId", "required", "It has no id."))
    if at is None:
        faults.append(Fault("createdAt", "date", "It is no date."))
    kept = {name: named[name] for name in KEPT if named.get(name)}
    if faults or at is None:
        raw = {**kept, "id": key, **{name: text for _, name, text in cells}}
        return BadRow(number, raw, tuple(faults))
    language = _first(named, LANGUAGES).lower()[:8]
    return ResponseDraft(number, key, at, answers, language, kept)


def write(rows: Sequence[ResponseDraft], questions: Sequence[Question]) -> str:
    """Write responses as Zigpoll would, a line a participant."""
    head = [*WRITTEN, *(in_language(question.text, "en") for question in questions)]
    lines = [
        [
            row.key,
            row.answered_at.isoformat().replace("+00:00", "Z"),
            row.foreign.get("pollid", ""),
            row.language,
            *(text_of(each, row.answers.get(each.id)) for each in questions),
        ]
        for row in rows
    ]
    return written([head, *lines])


def key_of(body: Mapping[str, Any]) -> str:
    """Return the id of a response that Zigpoll's webhook posts."""
    return str(body.get("participantId") or body.get("_id") or body.get("id") or "")


FORMAT: Final = Format(read, write, key_of)
