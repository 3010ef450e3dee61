"""Questions as typed data: what may be asked, and which answers fit. Pure.

A question on the wire and in the table: `{"id", "kind", "text": {language: words},
"required", "options": [{"value", "text"}], "many", "low", "high"}`; what a kind does not
need is left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core.problems import FieldError, Invalid

CSAT: Final = "csat"
NPS: Final = "nps"
CHOICE: Final = "choice"
SCALE: Final = "scale"
TEXT: Final = "text"
KINDS: Final = (CSAT, NPS, CHOICE, SCALE, TEXT)
FIXED_RANGES: Final[Mapping[str, tuple[int, int]]] = {CSAT: (1, 5), NPS: (0, 10)}
"""CSAT counts 1 to 5; NPS 0 to 10 (Reichheld, 2003)."""

FALLBACK: Final = "en"
LONGEST: Final = 2000
MOST_QUESTIONS: Final = 30
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

Words = Mapping[str, str]
"""Language → text."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to answer a choice: its value, and its words by language."""

    value: str
    text: Words


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `low` and `high` bound its number, both included."""

    id: str
    kind: str
    text: Words
    required: bool = False
    options: tuple[Option, ...] = ()
    many: bool = False
    low: int = 0
    high: int = 0

    @property
    def is_number(self) -> bool:
        """Whether its answer is a whole number."""
        return self.kind in (CSAT, NPS, SCALE)

    @property
    def values(self) -> tuple[str, ...]:
        """The values that a choice offers."""
        return tuple(option.value for option in self.options)


def in_language(words: Words, language: str) -> str:
    """Return the words in a language, else in English, else in any."""
    short = language.partition("-")[0].lower()
    return words.get(short) or words.get(FALLBACK) or next(iter(words.values()), "")


def read_questions(raw: Any) -> tuple[Question, ...]:
    """Return questions from their JSON.

    Raises:
        Invalid: with a fault for each thing that is no question.
    """
    if not isinstance(raw, list) or not raw:
        raise _invalid([FieldError("/questions", "required", "Ask something.")])
    faults: list[FieldError] = []
    if len(raw) > MOST_QUESTIONS:
        text = f"Ask {MOST_QUESTIONS} questions at the most."
        faults.append(FieldError("/questions", "too_many", text))
    read = [_question(item, f"/questions/{at}", faults) for at, item in enumerate(raw)]
    ids = [question.id for question in read]
    for at, name in enumerate(ids):
        if name in ids[:at]:
            faults.append(
                FieldError(f"/questions/{at}/id", "repeated", f"{name} is asked twice.")
            )
    if faults:
        raise _invalid(faults)
    return tuple(read)


def _question(raw: Any, at: str, faults: list[FieldError]) -> Question:
    if not isinstance(raw, Mapping):
        faults.append(FieldError(at, "shape", "A question is an object."))
        return Question("", TEXT, {})
    name, kind = str(raw.get("id", "")), str(raw.get("kind", ""))
    if not _ID.fullmatch(name):
        text = "Small letters, digits, - and _, 40 at the most."
        faults.append(FieldError(f"{at}/id", "shape", text))
    if kind not in KINDS:
        faults.append(
            FieldError(f"{at}/kind", "unknown", f"One of {', '.join(KINDS)}.")
        )
    words = _words(raw.get("text"), f"{at}/text", faults)
    low, high = FIXED_RANGES.get(kind, (0, 0))
    if kind == SCALE:
        low, high = _range(raw, at, faults)
    options = _options(raw.get("options", []), at, faults) if kind == CHOICE else ()
    return Question(
        id=name,
        kind=kind,
        text=words,
        required=raw.get("required") is True,
        options=options,
        many=raw.get("many") is True and kind == CHOICE,
        low=low,
        high=high,
    )


def _range(
    raw: Mapping[str, Any], at: str, faults: list[FieldError]
) -> tuple[int, int]:
    low, high = raw.get("low", 1), raw.get("high", 7)
    if not (_is_whole(low) and _is_whole(high) and 0 <= low < high <= 100):
        text = "A scale goes from a whole number to a larger one, within 0 to 100."
        faults.append(FieldError(f"{at}/low", "range", text))
        return 1, 7
    return low, high


def _options(raw: Any, at: str, faults: list[FieldError]) -> tuple[Option, ...]:
    fault = FieldError(
        f"{at}/options", "shape", "Offer two options or more, each once."
    )
    if not isinstance(raw, list) or len(raw) < 2:
        faults.append(fault)
        return ()
    options = []
    for index, item in enumerate(raw):
        here = f"{at}/options/{index}"
        if not isinstance(item, Mapping) or not str(item.get("value", "")).strip():
            faults.append(
                FieldError(here, "shape", "An option has a value and a text.")
            )
            continue
        words = _words(item.get("text"), f"{here}/text", faults)
        options.append(Option(str(item["value"]).strip()[:80], words))
    if len({option.value for option in options}) < len(options):
        faults.append(fault)
    return tuple(options)


def _words(raw: Any, at: str, faults: list[FieldError]) -> dict[str, str]:
    fits = (
        isinstance(raw, Mapping)
        and raw
        and all(isinstance(text, str) and text.strip() for text in raw.values())
    )
    if not fits:
        faults.append(FieldError(at, "required", "Words in one language or more."))
        return {}
    return {str(language): str(text).strip() for language, text in raw.items()}


def as_json(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Return questions as the table keeps them."""
    return [_as_json(question) for question in questions]


def _as_json(question: Question) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "text": dict(question.text),
        "required": question.required,
    }
    if question.kind == CHOICE:
        row["many"] = question.many
        row["options"] = [
            {"value": option.value, "text": dict(option.text)}
            for option in question.options
        ]
    if question.is_number:
        row |= {"low": question.low, "high": question.high}
    return row


def in_words(questions: Iterable[Question], language: str) -> list[dict[str, Any]]:
    """Return questions as a page or a device shows them, in one language."""
    rows = as_json(questions)
    for row in rows:
        row["text"] = in_language(row["text"], language)
        for option in row.get("options", []):
            option["text"] = in_language(option["text"], language)
    return rows


def check_answers(
    questions: Sequence[Question], answers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the answers that fit, by question; empty ones are left out.

    Raises:
        Invalid: an answer does not fit its question, is missing, or has none.
    """
    faults: list[FieldError] = []
    known = {question.id: question for question in questions}
    for name in answers:
        if name not in known:
            faults.append(
                FieldError(f"/answers/{name}", "unknown", "This is not asked here.")
            )
    clean: dict[str, Any] = {}
    for question in questions:
        value = answers.get(question.id)
        if value is None or value in ("", []):
            if question.required:
                text = "Please answer this one."
                faults.append(FieldError(f"/answers/{question.id}", "required", text))
            continue
        fault = _misfit(question, value)
        if fault:
            faults.append(FieldError(f"/answers/{question.id}", "misfit", fault))
        else:
            clean[question.id] = value
    if not clean and not faults:
        faults.append(FieldError("/answers", "required", "Nothing is answered."))
    if faults:
        raise _invalid(faults)
    return clean


def _misfit(question: Question, value: Any) -> str:
    """Return why a value does not answer a question; empty when it does."""
    if question.is_number:
        if not _is_whole(value) or not question.low <= value <= question.high:
            return f"A whole number from {question.low} to {question.high}."
        return ""
    if question.kind == TEXT:
        is_short = isinstance(value, str) and len(value) <= LONGEST
        return "" if is_short else f"Words, {LONGEST} letters at the most."
    chosen = value if question.many and isinstance(value, list) else [value]
    if isinstance(value, list) != question.many:
        return "Choose one or more." if question.many else "Choose one."
    if len(set(map(str, chosen))) < len(chosen):
        return "Choose each once."
    unknown = [item for item in chosen if item not in question.values]
    return f"Choose among {', '.join(question.values)}." if unknown else ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _invalid(faults: list[FieldError]) -> Invalid:
    return Invalid(faults[0].detail, errors=faults)
