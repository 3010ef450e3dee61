"""The words of feedback and of the ledger: compiled as written, and nothing left out."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

from apps.feedback import words
from apps.recommendations import words as ledger_words
from apps.routes.services.changing import WHY as DECIDED
from apps.routes.triggers import WHY, WHY_SEARCHED
from apps.verdicts import words as verdict_words

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
ROOMS["verdicts"] = verdict_words.sentences()
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_catalog_is_whole_and_compiled(room: str, code: str) -> None:
    folder = APPS / room / "locale" / code / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as source:
        written = _messages(read_po(source, abort_invalid=True))
    with (folder / "django.mo").open("rb") as compiled:
        known = _messages(read_mo(compiled))
    assert known == written
    assert not [text for text in ROOMS[room] if not "".join(written.get(text, ()))]


def _messages(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return a catalog's sentences by the English one; those of a plural together."""
    return {_texts(one.id)[0]: _texts(one.string) for one in catalog if one.id}


def _texts(said: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said or ())
