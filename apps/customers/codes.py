"""The codes of links: unguessable, short enough for a text message. Pure."""

import hashlib
import re
import secrets
import string
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ALPHABET = string.digits + string.ascii_letters
"""Nothing that ends an address when a telephone looks for one in a text."""

LENGTH = 22
"""62²² is 131 bits: guessing is hopeless, whatever the number of living links."""

CODE = re.compile(rf"[0-9A-Za-z]{{{LENGTH}}}")

PATHS = {"reschedule": "r", "tracking": "t", "survey": "s"}
"""The first part of a link's path, by its purpose: one letter spares the message."""


def new_code() -> str:
    """Return a fresh code of 131 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def hash_of(code: str) -> str:
    """Return what is stored of a code: with so many random bits SHA-256 needs no salt."""
    return hashlib.sha256(code.encode()).hexdigest()


def is_code(text: str) -> bool:
    """Tell whether a text has the shape of a code."""
    return CODE.fullmatch(text) is not None


def address_of(code: str, purpose: str, public_url: str) -> str:
    """Return the absolute address of a link; some 50 characters."""
    return f"{public_url}/{PATHS[purpose]}/{code}"


def end_of_day(day: date, time_zone: str) -> datetime:
    """Return the instant at which a day is over in a zone."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
