"""The log in the docs is what the server makes of that day."""

from pathlib import Path

import pytest

from tests.simulation.story import tell

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "offline.md"

pytestmark = pytest.mark.django_db


def test_story_in_the_docs_is_told_by_the_server() -> None:
    lines: list[str] = []
    tell(lines.append)
    _, kept, _ = DOCUMENT.read_text().split("```\n")
    assert kept.splitlines() == lines
