"""How many parts an SMS takes: GSM-7 with its extension table, or UCS-2. Pure.

The alphabet is 3GPP TS 23.038, 6.2.1 (basic) and 6.2.1.1 (extension). A part carries 140
octets: 160 septets or 70 UTF-16 units; of several, each gives 6 octets to a header that
joins them (TS 23.040, 9.2.3.24), which leaves 153 and 67.
"""

from dataclasses import dataclass
from typing import Final

GSM7: Final = "gsm7"
UCS2: Final = "ucs2"

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Each takes two septets: an escape goes before it, in the same part."""

PLAINER: Final = str.maketrans(
    {
        "\u2013": "-",
        "\u2014": "-",
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
    }
)
"""Signs of typography for which GSM-7 has a plain one that reads the same."""


@dataclass(frozen=True, slots=True)
class Length:
    """A text as an SMS: encoding, units (septets or UTF-16 units), parts."""

    encoding: str
    units: int
    segments: int
    room: int
    """Units that are left in the last part."""


def length_of(text: str) -> Length:
    """Return what a text takes as an SMS."""
    odd = next((True for sign in text if sign not in BASIC | EXTENSION), False)
    if odd:
        widths = [len(sign.encode("utf-16-be")) // 2 for sign in text]
        return _parts(UCS2, widths, single=70, joined=67)
    widths = [2 if sign in EXTENSION else 1 for sign in text]
    return _parts(GSM7, widths, single=160, joined=153)


def plainer(text: str) -> str:
    """Return the text with plain signs for those of typography."""
    return text.translate(PLAINER)


def outside_gsm7(text: str) -> str:
    """Return the signs that make the text a UCS-2 one, each once."""
    return "".join(
        dict.fromkeys(sign for sign in text if sign not in BASIC | EXTENSION)
    )


def _parts(encoding: str, widths: list[int], *, single: int, joined: int) -> Length:
    """Fill parts in order; a sign of two units is not torn in two."""
    units = sum(widths)
    if units <= single:
        return Length(encoding, units, 1, single - units)
    segments, used = 1, 0
    for width in widths:
        if used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return Length(encoding, units, segments, joined - used)
