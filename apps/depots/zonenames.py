"""Names of time zones: which are known, and what is said of one that is not."""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError

UTC: Final = "UTC"
BAD_ZONE: Final = "Give an IANA time zone such as Europe/Berlin."


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Tell whether a name is that of a time zone that clocks can go by."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def check_zone(name: str) -> None:
    """Refuse what is no IANA name.

    Raises:
        ValidationError: it is none.
    """
    if name not in available_timezones():
        raise ValidationError(BAD_ZONE, code="bad_zone")
