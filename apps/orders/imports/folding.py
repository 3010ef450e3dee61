"""Spellings made alike: case, accents and punctuation do not count."""

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}
)


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Return `text` in lower case, without accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain if char.isalnum())
