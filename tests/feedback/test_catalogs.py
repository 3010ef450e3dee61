"""The words of feedback and of the ledger: compiled as written, and nothing left out."""

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

from apps.feedback import words
from apps.recommendations import words as ledger_words
from apps.routes.services.changing import WHY as DECIDED
from apps.routes.tasks import WHY, WHY_SEARCHED

APPS = Path(settings.BASE_DIR) / "apps"
ROOMS = {
    "feedback": words.sentences(),
    # The ledger speaks for the plans as well: why a route changes is said with it.
    "recommendations": [
        *ledger_words.sentences(),
        *WHY.values(),
        *DECIDED.values(),
        WHY_SEARCHED,
    ],
}
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_catalog_is_whole_and_compiled(room: str, code: str) -> None:
    folder = APPS / room / "locale" / code / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as source:
        written = {m.id: m.string for m in read_po(source, abort_invalid=True) if m.id}
    with (folder / "django.mo").open("rb") as compiled:
        known = {m.id: m.string for m in read_mo(compiled) if m.id}
    assert known == written
    assert not [text for text in ROOMS[room] if not written.get(text)]
