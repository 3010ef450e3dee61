"""Cells as values: numbers in either notation, units, phones, words."""

import math
import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

from apps.core.codes import codes_of
from apps.orders.drafts import PROOFS
from apps.orders.imports.folding import fold
from apps.orders.imports.synonyms import ASSUMED_UNIT, UNITS

_NUMBER = re.compile(r"[+-]?(?:\d[\d.,' \u00a0\u202f\u2009]*|[.,]\d+)(?:[eE][+-]?\d+)?")
_GROUP_SIGNS = re.compile(r"['\s\u00a0\u202f\u2009]")
_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_GROUPS = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(?:\1\d{3})+")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_LIST = re.compile(r"[,;|/\n]")

_KINDS = {
    "delivery": (
        "delivery,deliver,drop,dropoff,drop off,lieferung,zustellung,auslieferung,"
        "livraison,entrega,d,dropoffs"
    ),
    "pickup": (
        "pickup,pick up,collection,collect,return,abholung,retoure,ramassage,"
        "enlevement,collecte,recogida,recolha,coleta,retirada,p"
    ),
}
_PRIORITIES = {
    5: "urgent,express,critical,highest,very high,must,dringend,eilig,sehr hoch,sofort,"
    "urgente,tres haute,muy alta,muito alta,critique",
    4: "high,hoch,haute,elevee,alta,important,wichtig",
    3: "normal,medium,standard,regular,mittel,normale,moyenne,media,padrao,estandar",
    2: "low,niedrig,gering,basse,faible,baja,baixa",
    1: "lowest,very low,may wait,sehr niedrig,tres basse,muy baja,muito baixa",
}
_PROOF_WORDS = {
    "signature": "signature,sign,unterschrift,firma,assinatura,signed",
    "photo": "photo,picture,foto,image,bild,fotografia",
    "code": "code,pin,otp,one time code,kode,codigo",
    "barcode": "barcode,scan,strichcode,code barres,code a barres,codigo de barras",
}


LEAST_DIGITS = 6
"""Of a national number: shorter ones are extensions, not subscribers."""


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {fold(w): key for key, words in table.items() for w in words.split(",")}


KIND_WORDS = _by_word(_KINDS)
PRIORITY_WORDS = {
    fold(word): level
    for level, words in _PRIORITIES.items()
    for word in words.split(",")
}
PROOF_WORDS = _by_word(_PROOF_WORDS)


def is_kind(cell: str) -> bool:
    """Tell whether a cell is a word for delivery or pickup."""
    return fold(cell) in KIND_WORDS


def kind(text: str) -> str:
    """Return delivery or pickup.

    Raises:
        ValueError: the cell is a word for neither.
    """
    found = KIND_WORDS.get(fold(text))
    if found is None:
        raise ValueError(text)
    return found


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number in some notation."""
    return _NUMBER.match(cell.strip()) is not None


def decimal_sign(cells: Iterable[str]) -> str:
    """Return the decimal sign that the cells prove, or "" when they prove none.

    Proof is a sign that cannot group thousands: both signs in one number, or other
    than three digits behind it.
    """
    for cell in cells:
        text = _GROUP_SIGNS.sub("", cell)
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            return "," if comma > point else "."
        at = max(comma, point)
        if at >= 0 and text.count(text[at]) == 1:
            digits = re.match(r"\d*", text[at + 1 :])
            if digits and len(digits[0]) not in (0, 3):
                return text[at]
    return ""


@lru_cache(maxsize=50_000)
def number(text: str, sign: str = "") -> float:
    """Read a number with decimal comma or point, and with or without groups.

    `sign` is the file's decimal sign where it is known: it decides what `1.234` is.
    Without it a single sign is the decimal one.

    Raises:
        ValueError: it is no number.
    """
    plain = _GROUP_SIGNS.sub("", text)
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        group = "." if comma > point else ","
        plain = plain.replace(group, "").replace(",", ".")
    elif _GROUPS.fullmatch(plain):
        plain = plain.replace(",", "").replace(".", "")
    elif comma >= 0 or point >= 0:
        own = "," if comma >= 0 else "."
        grouped = sign and own != sign and _THOUSAND.fullmatch(plain)
        plain = plain.replace(own, "" if grouped else ".")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


@lru_cache(maxsize=50_000)
def quantity(field: str, text: str, unit: str, sign: str) -> int:
    """Read grams, millilitres or seconds; the cell's unit beats the header's.

    Raises:
        ValueError: it is no number, or its unit is none of this field's.
    """
    clock = _CLOCK.fullmatch(text)
    if field == "service_s" and clock:
        return _clock_seconds(clock, unit)
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(text)
    own = fold(text[match.end() :])
    name = own or unit or ASSUMED_UNIT[field]
    if name not in UNITS[field]:
        raise ValueError(text)
    return round(number(match[0], sign) * UNITS[field][name])


def _clock_seconds(clock: re.Match[str], unit: str) -> int:
    """Read 00:05:00 as hours, 05:30 as minutes unless the header says hours."""
    first, second, third = (int(part or 0) for part in clock.groups())
    if clock[3] is None and not (unit and UNITS["service_s"].get(unit) == 3600):
        return first * 60 + second
    return first * 3600 + second * 60 + third


@lru_cache(maxsize=10_000)
def phone(text: str, region: str) -> str:
    """Return the number in E.164; `region` is the country of a national number.

    Raises:
        ValueError: it cannot be a phone number.
    """
    plain = re.sub(r"[\s/.\-]", "", text)
    if _E164.fullmatch(plain):
        return plain
    try:
        parsed = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        raise ValueError(text) from None
    short = len(str(parsed.national_number)) < LEAST_DIGITS
    if short or not phonenumbers.is_possible_number(parsed):
        raise ValueError(text)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def email(text: str) -> str:
    """Return the address.

    Raises:
        ValueError: it has not the form of one.
    """
    if not _EMAIL.fullmatch(text):
        raise ValueError(text)
    return text


def priority(text: str) -> int:
    """Read 1 (may wait) to 5 (must go), as a digit or a word.

    Raises:
        ValueError: it is neither.
    """
    level = PRIORITY_WORDS.get(fold(text))
    if level is None:
        value = number(text)
        level = int(value)
        if value != level or not 1 <= level <= 5:
            raise ValueError(text)
    return level


def labels(text: str) -> tuple[str, ...]:
    """Return a list of capabilities or skills, as codes."""
    return codes_of(_LIST.split(text))


def proofs(text: str) -> tuple[str, ...]:
    """Return which proofs of delivery are asked for.

    Raises:
        ValueError: a word is none of them.
    """
    words = [fold(part) for part in re.split(r"[,;|/\n+&]", text) if part.strip()]
    if unknown := [word for word in words if word not in PROOF_WORDS]:
        raise ValueError(unknown[0])
    found = {PROOF_WORDS[word] for word in words}
    return tuple(proof for proof in PROOFS if proof in found)
