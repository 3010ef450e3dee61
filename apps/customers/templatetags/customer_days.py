"""Days as customers read them, in the language of the page."""

from datetime import date, datetime
from typing import Final

from django import template
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

from apps.notifications.kinds import LANGUAGES
from apps.notifications.phrases import said_hours

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


@register.filter
def hours(window: tuple[datetime, datetime]) -> str:
    """Return the hours of a window by the page's clock: `10:00–12:00`, `until 18:00`."""
    language = (get_language() or "en").partition("-")[0]
    zone = get_current_timezone_name()
    said = said_hours(*window, zone, language if language in LANGUAGES else "en")
    return said.replace("-", "–")
