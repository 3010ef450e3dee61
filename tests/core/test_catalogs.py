"""Translations: what is kept compiled is what is written, and nothing is left out."""

import gettext
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from django.conf import settings
from django.core.management import call_command

from apps.core.catalogs import Unreadable, compile_catalogs, mo_of, read_po
from apps.sync.rules import sentences

LOCALE = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]


def catalog(code: str) -> dict[str, str]:
    path = LOCALE / code / "LC_MESSAGES" / "django.po"
    return read_po(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_catalog_is_that_of_the_readable_one(code: str) -> None:
    compiled = (LOCALE / code / "LC_MESSAGES" / "django.mo").read_bytes()
    assert compiled == mo_of(catalog(code)), "Run: manage.py compile_catalogs"


@pytest.mark.parametrize("code", LANGUAGES)
def test_catalog_has_every_word_that_drivers_read(code: str) -> None:
    found = catalog(code)
    for words in sentences():
        translated = found.get(words, "")
        assert translated, words
        names = [{name for _, name, _, _ in Formatter().parse(words)}]
        names.append({name for _, name, _, _ in Formatter().parse(translated)})
        assert names[0] == names[1], words
    assert set(found) - {""} <= set(sentences())


def test_mo_of_is_read_by_gettext() -> None:
    text = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    text += 'msgid "a \\"b\\""\nmsgstr "é "\n"ü"\n\nmsgid "c"\nmsgstr ""\n'
    read = gettext.GNUTranslations(BytesIO(mo_of(read_po(text))))
    assert read.gettext('a "b"') == "é ü"
    assert read.gettext("c") == "c"


@pytest.mark.parametrize(
    "text",
    [
        "msgctxt 'x'",
        '"lost"',
        'msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"\nmsgid "d"\nmsgstr ""',
    ],
)
def test_read_po_refuses_what_we_do_not_write(text: str) -> None:
    with pytest.raises(Unreadable):
        read_po(text)


def test_compile_catalogs_writes_what_changed_alone(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid "a"\nmsgstr "b"\n', encoding="utf-8")
    assert compile_catalogs(tmp_path) == [folder / "django.mo"]
    assert compile_catalogs(tmp_path) == []


def test_compile_catalogs_command_finds_nothing_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("compile_catalogs")
    assert "Nothing has changed." in capsys.readouterr().out
