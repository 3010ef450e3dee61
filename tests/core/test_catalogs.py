"""Translations: what is kept compiled is what is written, and nothing is left out."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

from apps.sync.rules import sentences

LOCALE = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
COMPILE = "Run: .venv/bin/pybabel compile -d config/locale -D django"


def texts(catalog: Catalog) -> dict[str, str]:
    """Return the translations of a catalog; its header is none."""
    return {str(one.id): str(one.string) for one in catalog if one.id and one.string}


def written(code: str) -> dict[str, str]:
    with (LOCALE / code / "LC_MESSAGES" / "django.po").open("rb") as source:
        return texts(read_po(source, locale=code, abort_invalid=True))


@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_catalog_is_that_of_the_readable_one(code: str) -> None:
    with (LOCALE / code / "LC_MESSAGES" / "django.mo").open("rb") as compiled:
        assert texts(read_mo(compiled)) == written(code), COMPILE


@pytest.mark.parametrize("code", LANGUAGES)
def test_catalog_has_every_word_that_drivers_read(code: str) -> None:
    found = written(code)
    for words in sentences():
        translated = found.get(words, "")
        assert translated, words
        names = [{name for _, name, _, _ in Formatter().parse(words)}]
        names.append({name for _, name, _, _ in Formatter().parse(translated)})
        assert names[0] == names[1], words
    assert set(found) <= set(sentences())
