"""Translations: what is kept compiled is what is written, and nothing is left out."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

from apps.sync.vocabulary import sentences

LOCALES = (
    Path(settings.LOCALE_PATHS[0]),
    Path(settings.BASE_DIR) / "apps/sync/locale",
)
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
COMPILE = "Run pybabel compile -D django, with -d and the directory of the catalog"


def texts(catalog: Catalog) -> dict[str, str]:
    """Return the translations of a catalog; its header is none."""
    return {str(one.id): str(one.string) for one in catalog if one.id and one.string}


def written(code: str, *locales: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for locale in locales:
        with (locale / code / "LC_MESSAGES" / "django.po").open("rb") as source:
            found |= texts(read_po(source, locale=code, abort_invalid=True))
    return found


@pytest.mark.parametrize("locale", LOCALES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_catalog_is_that_of_the_readable_one(code: str, locale: Path) -> None:
    with (locale / code / "LC_MESSAGES" / "django.mo").open("rb") as compiled:
        assert texts(read_mo(compiled)) == written(code, locale), COMPILE


@pytest.mark.parametrize("code", LANGUAGES)
def test_catalog_has_every_word_that_drivers_read(code: str) -> None:
    found = written(code, *LOCALES)
    for words in sentences():
        translated = found.get(words, "")
        assert translated, words
        names = [{name for _, name, _, _ in Formatter().parse(words)}]
        names.append({name for _, name, _, _ in Formatter().parse(translated)})
        assert names[0] == names[1], words
    assert set(found) <= set(sentences())
