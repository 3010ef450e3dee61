"""How people read times, durations, distances and money. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

NOTHING = "–"

WHOLE_CURRENCIES = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"}
    | {"PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""ISO 4217: currencies without a minor unit."""

MILLE_CURRENCIES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""ISO 4217: currencies with three decimals."""


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units as people write it."""
    if currency in WHOLE_CURRENCIES:
        digits = 0
    else:
        digits = 3 if currency in MILLE_CURRENCIES else 2
    return f"{minor / 10**digits:,.{digits}f} {currency}"


def duration(seconds: int) -> str:
    """Return a duration as hours and minutes."""
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def distance(metres: int) -> str:
    """Return a distance in kilometres."""
    return f"{metres / 1000:,.1f} km"


def local_time(at: datetime | None, zone: str, form: str = "%a %d %b, %H:%M") -> str:
    """Return an instant as the clock on the depot's wall shows it."""
    return at.astimezone(ZoneInfo(zone)).strftime(form) if at else NOTHING
