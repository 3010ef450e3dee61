"""Every string that a driver or a customer reads is in each language, with its figures.

Strings are found where they are written, in code and templates: a new one without a
translation fails here, whichever room it stands in. The office reads English.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

APPS = Path(settings.BASE_DIR) / "apps"
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
OFFICE = ("tuning/", "/admin", "/management/", "/migrations/", "/tests/")
"""Code of the office's pages alone."""

CUSTOMERS = APPS / "customers/templates/customers"
OFFICE_TEMPLATES = {"decide.html", "link_head.html", "proposal_head.html"}
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}
FIGURE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def sources() -> Iterator[tuple[str, bytes]]:
    for path in sorted(APPS.rglob("*.py")):
        name = f"/{path.relative_to(APPS)}"
        if not any(part in name for part in OFFICE):
            yield name, path.read_bytes()
    for path in sorted(CUSTOMERS.glob("*.html")):
        if path.name not in OFFICE_TEMPLATES:
            lines = templatize(path.read_text()).splitlines()
            text = "\n".join(line.strip() for line in lines)
            yield f"/{path.relative_to(APPS)}", text.encode()


def spoken() -> dict[str, str]:
    """Return where each string stands, by the string; of plurals the one of one."""
    found: dict[str, str] = {}
    for name, text in sources():
        if b"gettext" in text:
            for _, said, _, _ in extract("python", io.BytesIO(text), keywords=KEYWORDS):
                first = said[0] if isinstance(said, tuple) else said
                if first:
                    found.setdefault(first, name)
    return found


def translated(code: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    pattern = f"{code}/LC_MESSAGES/django.po"
    folders = [*map(Path, settings.LOCALE_PATHS), *APPS.glob("*/locale")]
    for path in (folder / pattern for folder in folders):
        with path.open("rb") as source:
            for one in read_po(source, abort_invalid=True):
                key = one.id if isinstance(one.id, str) else one.id[0]
                said = (one.string,) if isinstance(one.string, str) else one.string
                found[key] = tuple(said or ())
    return found


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_drivers_and_customers_read_is_in_every_language(code: str) -> None:
    strings, known = spoken(), translated(code)
    assert len(strings) > 250, "they are found"
    lacking = {
        text: name
        for text, name in strings.items()
        if not known.get(text) or not all(known[text])
    }
    assert lacking == {}
    off = [
        text
        for text in strings
        if any(
            set(FIGURE.findall(said)) - set(FIGURE.findall(text))
            for said in known[text]
        )
        or set(FIGURE.findall(known[text][-1])) != set(FIGURE.findall(text))
    ]
    assert off == []
