"""What drivers read of a conflict: in their words, in four languages; and each has its test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from apps.drivers.models import Driver
from apps.sync.models import QuarantinedEvent
from apps.sync.rules import BY_ID, RULES, rule_of
from apps.sync.vocabulary import sentences
from tests.sync.test_rules import Event, explained, made

pytestmark = pytest.mark.django_db

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parents[1] / "docs" / "devices.md"
MACHINE = re.compile(
    r"\b(server|serveur|servidor|event|payload|json|null|id|seq|sync\w*|table|code)\b|_",
    re.IGNORECASE,
)


def test_rule_not_possible_names_what_is() -> None:
    day, device = made()
    event = device.event("stop.reopened", day.stops[0])
    row = explained(device, event, "not_possible")
    assert row["detail"] == (
        "Auf „offen“ kann „wieder geöffnet“ nicht folgen. Jetzt möglich: "
        "unterwegs, angekommen, zugestellt, nicht zugestellt, teilweise zugestellt."
    )
    assert row["ours"] == "offen"
    steps = ("enroute", "arrived", "succeeded", "failed", "partial")
    named = ", ".join(f"stop.{step}" for step in steps)
    assert row["fault"] == f"reopened cannot follow pending; possible now: {named}."


@pytest.mark.parametrize(
    ("language", "step", "lacking"),
    [
        ("en", "“paused” cannot follow “planned”. Possible now: started.", "Something"),
        ("de", "Auf „geplant“ kann „unterbrochen“ nicht folgen.", "In dieser Meldung"),
        ("es", "Después de «planificado» no puede venir «en pausa».", "A este aviso"),
        ("fr", "Après « prévu », « en pause » n’est pas possible.", "Il manque"),
    ],
)
def test_rule_not_possible_says_it_in_a_drivers_words(
    language: str, step: str, lacking: str
) -> None:
    day, device = made()
    Driver.objects.update(language=language)
    rows = device.push(
        device.event("shift.paused", shift_id=str(day.shift.pk)),
        device.event("stop.failed", day.stops[0], reason="dog"),
        device.event("stop.flown", day.stops[0]),
    )
    assert {row["rule"] for row in rows} == {"not_possible"}
    assert rows[0]["detail"].startswith(step)
    assert (
        rows[0]["fault"] == "planned cannot become paused; allowed: cancelled, started."
    )
    assert all(row["detail"].startswith(lacking) for row in rows[1:])
    assert "reason" in rows[1]["fault"]
    assert "stop.flown" in rows[2]["fault"]
    aside = QuarantinedEvent.objects.order_by("pk").values_list("detail", flat=True)
    assert list(aside) == [row["fault"] for row in rows], "the office reads it all"


@pytest.mark.parametrize("rule_id", BY_ID)
@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_rule_is_told_without_words_of_machines(rule_id: str, language: str) -> None:
    """Short, whole sentences, in the language; and where there is advice, what to do."""
    rule = BY_ID[rule_id]
    with translation.override(language):
        said = [translation.gettext(each) for each in (rule.says, rule.do) if each]
    for words in said:
        assert len(words) <= 130, words
        assert words.endswith((".", "{reason}")), words
        assert not MACHINE.search(words), words
        assert language == "en" or words not in (rule.says, rule.do)
    if language == "de":
        assert not re.search(r"\b(du|dein\w*|dir|dich)\b", " ".join(said))


def test_rule_read_only() -> None:
    day, device = made()
    body = {"changes": {"stops": {"updated": [{"id": str(day.stops[0].pk)}]}}}
    row = device.push_raw(body).json()["results"][0]
    assert (row["rule"], row["winner"]) == ("read_only", "ours")
    assert row["advice"] == "Sagen Sie dem Büro Bescheid, wenn dort etwas nicht stimmt."


def test_rule_never_taken_back() -> None:
    _, device = made()
    gone: Event = {"changes": {"events": {"created": [], "deleted": ["x"]}}}
    row = device.push_raw(gone).json()["results"][0]
    assert (row["rule"], row["winner"]) == ("never_taken_back", "ours")
    assert row["advice"] == "Senden Sie eine Berichtigung dazu."


def test_rules_have_names_of_their_own_and_words() -> None:
    assert len(BY_ID) == len(RULES) + 5
    assert all(rule.do for rule in BY_ID.values())
    assert all(rule.says for rule in BY_ID.values() if rule.id != "not_possible")
    assert rule_of("stop.succeeded", "ok") is None
    words = list(sentences())
    assert len(words) == len(set(words))


def test_rule_is_the_first_that_fits() -> None:
    for rule in RULES:
        kind = rule.kinds[0] if rule.kinds else "x.y"
        assert rule_of(kind, rule.code) == rule


def named() -> Iterator[str]:
    """Give what tests are called, and the cases that they are made for."""
    for path in TESTS.glob("test_*.py"):
        for each in ast.parse(path.read_text()).body:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                yield each.name
                for mark in each.decorator_list:
                    for part in ast.walk(mark):
                        if isinstance(part, ast.Constant):
                            yield str(part.value)


NAMED = sorted(set(named()))


@pytest.mark.parametrize("rule_id", BY_ID)
def test_rule_is_documented_and_has_its_test(rule_id: str) -> None:
    assert f"`{rule_id}`" in DOCUMENT.read_text()
    assert any(rule_id in name for name in NAMED)
    quoted = f'"{rule_id}"'
    assert any(quoted in tests.read_text() for tests in TESTS.glob("test_*.py"))
