"""What all formats share: a file's cells, a row's draft, and answers as texts. Pure."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.feedback.questions import CHOICE, TEXT, Question, in_language

MOMENTS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
)
WRITTEN: Final = "%Y-%m-%d %H:%M:%S"
_NUMBER: Final = re.compile(r"\d{1,3}")

Cells = tuple[str, ...]


class NotThisFormat(ValueError):
    """The file is of another kind; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken: the column, a code, a sentence."""

    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """One person's answers as a file has them; `key` is the tool's own id of the row."""

    line: int
    key: str
    answered_at: datetime
    answers: Mapping[str, Any]
    language: str = ""
    foreign: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken, without what names a person."""

    line: int
    raw: Mapping[str, str]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds, and how its header was written."""

    header: tuple[Cells, ...]
    rows: tuple[ResponseDraft, ...] = ()
    bad: tuple[BadRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """How one tool's file is read and written; the questions are the survey's."""

    read: Callable[[str, Sequence[Question]], Read]
    write: Callable[[Sequence[ResponseDraft], Sequence[Question]], str]
    key_of: Callable[[Mapping[str, Any]], str]
    """The id of a response that came by webhook; empty where there is none."""


def cells_of(text: str) -> list[Cells]:
    """Return the cells of a CSV, line by line; empty lines are left out."""
    clean = text.removeprefix("\ufeff")
    lines = csv.reader(io.StringIO(clean, newline=""))
    return [tuple(line) for line in lines if any(cell.strip() for cell in line)]


def written(lines: Sequence[Sequence[str]]) -> str:
    """Return lines as CSV, as the tools write it: CRLF, quoted where needed."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(lines)
    return out.getvalue()


def folded(text: str) -> str:
    """Return a heading so that spelling does not matter: letters and digits alone."""
    return re.sub(r"[\W_]+", "", text).casefold()


def moment_of(text: str, zone: str = "UTC") -> datetime | None:
    """Return the instant that a cell names, by the clock of a zone; None: it is none."""
    text = text.strip()
    try:
        known = datetime.fromisoformat(text)
    except ValueError:
        known = None
    if known is not None and known.tzinfo is not None:
        return known.astimezone(UTC)
    for form in MOMENTS:
        try:
            naive = datetime.strptime(text, form)  # noqa: DTZ007  its zone comes apart
        except ValueError:
            continue
        return naive.replace(tzinfo=_zone(zone)).astimezone(UTC)
    return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment_text(at: datetime) -> str:
    """Return an instant as a cell, in UTC, to the second."""
    return at.astimezone(UTC).strftime(WRITTEN)


def question_named(questions: Sequence[Question], *names: str) -> Question | None:
    """Return the question that a heading means: by its id, or its words in any language."""
    wanted = {folded(name) for name in names if name.strip()}
    for question in questions:
        if folded(question.id) in wanted:
            return question
    for question in questions:
        if wanted & {folded(words) for words in question.text.values()}:
            return question
    return None


def answer_of(question: Question, text: str) -> tuple[Any, str]:
    """Return the answer that a cell holds, and what is wrong with it (or empty)."""
    text = text.strip()
    if question.kind == TEXT:
        return text, ""
    if question.kind == CHOICE:
        return _chosen(question, text)
    found = _NUMBER.match(text)
    if not found:
        return None, f"{text!r} is no number."
    value = int(found[0])
    if not question.low <= value <= question.high:
        return None, f"{value} is not within {question.low} to {question.high}."
    return value, ""


def _chosen(question: Question, text: str) -> tuple[Any, str]:
    parts = _parts(question, text) if question.many else [text]
    values = [option_named(question, part) for part in parts]
    if None in values:
        unknown = parts[values.index(None)]
        return None, f"{unknown!r} is none of its options."
    return (values, "") if question.many else (values[0], "")


def _parts(question: Question, text: str) -> list[str]:
    """Cut a list at its commas, but for those within an option's own words."""
    if option_named(question, text) is not None:
        return [text]
    parts: list[str] = []
    rest = [part.strip() for part in text.split(",") if part.strip()]
    while rest:
        for count in range(len(rest), 0, -1):
            whole = ", ".join(rest[:count])
            if count == 1 or option_named(question, whole) is not None:
                parts.append(whole)
                rest = rest[count:]
                break
    return parts


def option_named(question: Question, text: str) -> str | None:
    """Return the value of the option that a text means; None: of none."""
    wanted = folded(text)
    for option in question.options:
        words = {folded(option.value), *map(folded, option.text.values())}
        if wanted in words:
            return option.value
    return None


def text_of(question: Question, value: Any) -> str:
    """Return an answer as a cell: options by their words in English."""
    if value is None:
        return ""
    if question.kind != CHOICE:
        return str(value)
    words = {
        option.value: in_language(option.text, "en") for option in question.options
    }
    chosen = value if isinstance(value, list) else [value]
    return ",".join(words.get(str(each), str(each)) for each in chosen)


def answers_of(
    cells: Sequence[tuple[Question, str, str]],
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the answers of (question, column, cell), and the faults among them."""
    answers: dict[str, Any] = {}
    faults: list[Fault] = []
    for question, column, cell in cells:
        if not cell.strip():
            if question.required:
                faults.append(Fault(column, "required", "It is not answered."))
            continue
        value, fault = answer_of(question, cell)
        if fault:
            faults.append(Fault(column, "misfit", fault))
        else:
            answers[question.id] = value
    if not answers and not faults:
        faults.append(Fault("", "empty", "Nothing is answered."))
    return answers, faults
