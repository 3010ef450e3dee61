"""Qualtrics' CSV: three header rows (names, words, ImportId as JSON), then responses. Pure.

Source: its support pages, "Understanding Your Dataset": the first row has the internal
names, the second the words of the questions, the third `{"ImportId": …}`, which for
dates names the time zone that they are in. Choices come as text or as numbers.
"""

import json
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
    moment_of,
    moment_text,
    question_named,
    text_of,
    written,
)
from apps.feedback.questions import Question, in_language

META: Final = (
    ("StartDate", "Start Date", "startDate"),
    ("EndDate", "End Date", "endDate"),
    ("Status", "Response Type", "status"),
    ("IPAddress", "IP Address", "ipAddress"),
    ("Progress", "Progress", "progress"),
    ("Duration (in seconds)", "Duration (in seconds)", "duration"),
    ("Finished", "Finished", "finished"),
    ("RecordedDate", "Recorded Date", "recordedDate"),
    ("ResponseId", "Response ID", "_recordId"),
    ("RecipientLastName", "Recipient Last Name", "recipientLastName"),
    ("RecipientFirstName", "Recipient First Name", "recipientFirstName"),
    ("RecipientEmail", "Recipient Email", "recipientEmail"),
    ("ExternalReference", "External Data Reference", "externalDataReference"),
    ("LocationLatitude", "Location Latitude", "locationLatitude"),
    ("LocationLongitude", "Location Longitude", "locationLongitude"),
    ("DistributionChannel", "Distribution Channel", "distributionChannel"),
    ("UserLanguage", "User Language", "userLanguage"),
)
"""The columns before the answers: name, words, ImportId."""

KEPT: Final = frozenset(
    {"StartDate", "Status", "Progress", "Duration (in seconds)", "DistributionChannel"}
)
"""Of these columns what stands in them is kept; the others name a person, or are read."""

DATES: Final = frozenset({"startDate", "endDate", "recordedDate"})
PREVIEWS: Final = frozenset({"survey preview", "1", "2", "survey test", "spam", "8"})
DONE: Final = frozenset({"true", "1"})


def read(text: str, questions: Sequence[Question]) -> Read:
    """Read a Qualtrics export.

    Raises:
        NotThisFormat: its three header rows are not there.
    """
    lines = cells_of(text)
    if len(lines) < 3 or "ResponseId" not in lines[0]:
        raise NotThisFormat("A Qualtrics export has three header rows and ResponseId.")
    names, words, imports = lines[0], lines[1], [_import(c) for c in lines[2]]
    if not any(imports):
        raise NotThisFormat("The third row of a Qualtrics export has the ImportIds.")
    zones = {
        name: zone
        for name, info in zip(names, imports, strict=False)
        if (zone := str(info.get("timeZone", "")))
    }
    meta = {name for name, _, _ in META}
    columns = [
        (at, name, question_named(questions, name, word, str(info.get("ImportId", ""))))
        for at, (name, word, info) in enumerate(
            zip(names, words, imports, strict=False)
        )
        if name not in meta
    ]
    asked = [(at, name, found) for at, name, found in columns if found is not None]
    if not asked:
        raise NotThisFormat("None of its columns is a question of this survey.")
    rows: list[ResponseDraft] = []
    bad: list[BadRow] = []
    for number, line in enumerate(lines[3:], 4):
        one = _row(number, dict(zip(names, line, strict=False)), line, asked, zones)
        (bad if isinstance(one, BadRow) else rows).append(one)  # type: ignore[arg-type]
    return Read(tuple(lines[:3]), tuple(rows), tuple(bad))


def _import(cell: str) -> Mapping[str, Any]:
    try:
        info = json.loads(cell)
    except ValueError:
        return {}
    return info if isinstance(info, dict) else {}


def _row(
    number: int,
    named: Mapping[str, str],
    line: Cells,
    asked: Sequence[tuple[int, str, Question]],
    zones: Mapping[str, str],
) -> ResponseDraft | BadRow:
    cells = [
        (question, name, line[at] if at < len(line) else "")
        for at, name, question in asked
    ]
    answers, faults = answers_of(cells)
    ended = "RecordedDate" if named.get("RecordedDate") else "EndDate"
    at = moment_of(named.get(ended, ""), zones.get(ended, "UTC"))
    key = named.get("ResponseId", "").strip()
    if not key:
        faults.append(Fault("ResponseId", "required", "It has no id."))
    if at is None:
        faults.append(Fault(ended, "date", "It is no date."))
    if named.get("Status", "").strip().casefold() in PREVIEWS:
        faults.append(Fault("Status", "preview", "A preview, a test, or spam."))
    if named.get("Finished", "True").strip().casefold() not in DONE:
        faults.append(Fault("Finished", "unfinished", "It was not finished."))
    kept = {name: named[name] for name in KEPT if named.get(name)}
    if faults or at is None:
        raw = {**kept, "ResponseId": key, **{name: cell for _, name, cell in cells}}
        return BadRow(number, raw, tuple(faults))
    language = named.get("UserLanguage", "").strip().lower()[:8]
    return ResponseDraft(number, key, at, answers, language, kept)


def write(rows: Sequence[ResponseDraft], questions: Sequence[Question]) -> str:
    """Write responses as Qualtrics would: times in UTC, choices by their words."""
    head = [
        [name for name, _, _ in META] + [question.id for question in questions],
        [word for _, word, _ in META]
        + [in_language(question.text, "en") for question in questions],
        [_import_cell(name) for _, _, name in META]
        + [_import_cell(question.id) for question in questions],
    ]
    return written([*head, *(_cells(row, questions) for row in rows)])


def _import_cell(name: str) -> str:
    info = {"ImportId": name}
    if name in DATES:
        info["timeZone"] = "UTC"
    return json.dumps(info, separators=(",", ":"))


def _cells(row: ResponseDraft, questions: Sequence[Question]) -> list[str]:
    at = moment_text(row.answered_at)
    own = {
        "StartDate": at,
        "EndDate": at,
        "Status": "IP Address",
        "Progress": "100",
        "Finished": "True",
        "RecordedDate": at,
        "ResponseId": row.key,
        "UserLanguage": row.language.upper(),
        **row.foreign,
    }
    meta = [own.get(name, "") for name, _, _ in META]
    return meta + [text_of(each, row.answers.get(each.id)) for each in questions]


def key_of(body: Mapping[str, Any]) -> str:
    """Return the id of a response that a Qualtrics workflow posts."""
    return str(body.get("ResponseID") or body.get("responseId") or "")


FORMAT: Final = Format(read, write, key_of)
