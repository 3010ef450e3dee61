"""Days as customers read them, in the language of the page."""

from datetime import date
from typing import Final

from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language

register = template.Library()

FORMATS: Final = {"de": "l, j. F", "fr": "l j F", "es": r"l, j \d\e F"}
"""As each language writes weekday, day and month; English stands for all others."""


@register.filter(expects_localtime=True)
def long_day(day: date | None) -> str:
    """Return weekday, day and month: `Tuesday, 17 March`, `Dienstag, 17. März`."""
    if day is None:
        return ""
    language = (get_language() or "en").partition("-")[0]
    return date_format(day, FORMATS.get(language, "l, j F"), use_l10n=False)
