"""Codes for capabilities and skills: one spelling for what people write in many."""

import re
import unicodedata
from collections.abc import Iterable

_NOT_IN_A_CODE = re.compile(r"[^a-z0-9]+")


def code_of(text: str) -> str:
    """Return the code of a capability's name: `Cool box`, `cool_box` → `cool-box`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_IN_A_CODE.sub("-", plain.lower()).strip("-")


def codes_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of several names, sorted, each once."""
    return tuple(sorted({code for text in texts if (code := code_of(text))}))
