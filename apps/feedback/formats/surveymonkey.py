"""SurveyMonkey's CSV: two header rows, the second with options; then respondents. Pure.

The first nine columns say who and when. A question's words stand over its first column;
one with several options has a column for each, named in the second row, and a cell
holds the option's words where it was chosen. One answer is `Response`, free text
`Open-Ended Response`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from apps.feedback.formats.base import (
    BadRow,
    Cells,
    Fault,
    Format,
    NotThisFormat,
    Read,
    ResponseDraft,
    answers_of,
    cells_of,
    folded,
    moment_of,
    moment_text,
    question_named,
    text_of,
    written,
)
from apps.feedback.questions import TEXT, Question, in_language

META: Final = (
    "Respondent ID",
    "Collector ID",
    "Start Date",
    "End Date",
    "IP Address",
    "Email Address",
    "First Name",
    "Last Name",
    "Custom Data 1",
)
ALSO: Final = {"datecreated": "startdate", "datemodified": "enddate"}
"""Newer exports name the dates so, and all columns in small letters."""

KEPT: Final = ("Collector ID", "Start Date")
OPEN_ENDED: Final = "Open-Ended Response"
ONE_ANSWER: Final = "Response"


def read(text: str, questions: Sequence[Question]) -> Read:
    """Read a SurveyMonkey export ("Excel condensed" or expanded columns, as CSV).

    Raises:
        NotThisFormat: its header rows are not there.
    """
    lines = cells_of(text)
    if len(lines) < 2 or folded(lines[0][0]) != "respondentid":
        raise NotThisFormat("A SurveyMonkey export begins with Respondent ID.")
    head, below = lines[0], lines[1] + ("",) * len(lines[0])
    meta = {ALSO.get(folded(name), folded(name)): at for at, name in enumerate(head)}
    asked = _asked(head, below, questions, {folded(name) for name in META})
    if not asked:
        raise NotThisFormat("None of its columns is a question of this survey.")
    rows: list[ResponseDraft] = []
    bad: list[BadRow] = []
    for number, line in enumerate(lines[2:], 3):
        one = _row(number, line, asked, meta)
        (bad if isinstance(one, BadRow) else rows).append(one)  # type: ignore[arg-type]
    return Read(tuple(lines[:2]), tuple(rows), tuple(bad))


Asked = list[tuple[Question, str, list[int]]]


def _asked(
    head: Cells, below: Cells, questions: Sequence[Question], meta: set[str]
) -> Asked:
    """Return each question with its columns: its words stand over the first of them."""
    found: Asked = []
    current: Question | None = None
    for at, name in enumerate(head):
        if ALSO.get(folded(name), folded(name)) in meta:
            continue
        if name.strip():
            current = question_named(questions, name)
            if current is not None:
                found.append((current, name, [at]))
        elif current is not None and below[at].strip():
            found[-1][2].append(at)
    return found


def _row(
    number: int, line: Cells, asked: Asked, meta: Mapping[str, int]
) -> ResponseDraft | BadRow:
    def cell(name: str) -> str:
        at = meta.get(folded(name), len(line))
        return line[at].strip() if at < len(line) else ""

    cells = [
        (question, name, ",".join(_filled(line, columns)))
        for question, name, columns in asked
    ]
    answers, faults = answers_of(cells)
    key, at = cell("Respondent ID"), moment_of(cell("End Date"))
    if not key:
        faults.append(Fault("Respondent ID", "required", "It has no id."))
    if at is None:
        faults.append(Fault("End Date", "date", "It is no date."))
    kept = {name: cell(name) for name in KEPT if cell(name)}
    if faults or at is None:
        raw = {**kept, "Respondent ID": key, **{name: text for _, name, text in cells}}
        return BadRow(number, raw, tuple(faults))
    return ResponseDraft(number, key, at, answers, foreign=kept)


def _filled(line: Cells, columns: Sequence[int]) -> list[str]:
    return [line[at] for at in columns if at < len(line) and line[at].strip()]


def write(rows: Sequence[ResponseDraft], questions: Sequence[Question]) -> str:
    """Write responses as SurveyMonkey would: a column for each option of many."""
    head, below = list(META), [""] * len(META)
    for question in questions:
        words = in_language(question.text, "en")
        if question.many:
            options = [in_language(each.text, "en") for each in question.options]
            head += [words] + [""] * (len(options) - 1)
            below += options
        else:
            head.append(words)
            below.append(OPEN_ENDED if question.kind == TEXT else ONE_ANSWER)
    return written([head, below, *(_cells(row, questions) for row in rows)])


def _cells(row: ResponseDraft, questions: Sequence[Question]) -> list[str]:
    at = moment_text(row.answered_at)
    own = {"Respondent ID": row.key, "Start Date": at, "End Date": at, **row.foreign}
    cells = [own.get(name, "") for name in META]
    for question in questions:
        value = row.answers.get(question.id)
        if not question.many:
            cells.append(text_of(question, value))
            continue
        for option in question.options:
            is_chosen = isinstance(value, list) and option.value in value
            cells.append(in_language(option.text, "en") if is_chosen else "")
    return cells


def key_of(body: Mapping[str, Any]) -> str:
    """Return the id of a response that SurveyMonkey's webhook names."""
    resources = body.get("resources")
    named = resources.get("respondent_id") if isinstance(resources, dict) else ""
    return str(body.get("id") or named or "")


FORMAT: Final = Format(read, write, key_of)
