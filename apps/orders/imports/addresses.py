"""Addresses in words: taken apart, and made alike for matching."""

import re
from functools import lru_cache

from apps.orders.drafts import AddressDraft
from apps.orders.imports.folding import fold

_NUMBER = r"\d+(?:\s?[a-zA-Z](?![a-zA-Z]))?(?:\s?[-–/+]\s?\d+\s?[a-zA-Z]?(?![a-zA-Z]))?"
_TRAILING = re.compile(
    rf"(?P<street>.*[^\W\d_].*?)[\s,]+(?:n[°ºo.]+\s?|nr\.?\s?|#)?(?P<number>{_NUMBER})$"
)
_LEADING = re.compile(rf"(?P<number>{_NUMBER})[\s,]+(?P<street>.*[^\W\d_].*)$")
_ONLY_NUMBER = re.compile(rf"(?:n[°ºo.]+\s?|nr\.?\s?)?(?P<number>{_NUMBER})$")
_POSTCODE = re.compile(
    r"(?<!\w)(?:[A-Z]{1,2}-)?(?P<code>\d{5}-\d{3,4}|\d{4}-\d{3}|\d{4,6}|\d{3} \d{2}"
    r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})(?!\w)"
)
_SHORT_STRASSE = re.compile(r"(?<=[a-z])str$")
_WORDS = {
    "st": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "blvd": "boulevard",
    "bd": "boulevard",
    "ln": "lane",
    "dr": "drive",
    "sq": "square",
    "pl": "platz",
    "str": "strasse",
    "c": "calle",
    "r": "rua",
}


@lru_cache(maxsize=20_000)
def fold_street(street: str) -> str:
    """Return a street's name folded, with the usual short forms written out."""
    words = re.split(r"[\s.\-]+", street.strip())
    full = [_WORDS.get(word.casefold(), word) for word in words if word]
    return _SHORT_STRASSE.sub("strasse", fold(" ".join(full)))


def fold_number(number: str) -> str:
    """Return a house number folded: `24 A` is `24a`, a range keeps its hyphen."""
    text = number.casefold().replace("–", "-").replace("/", "-").replace(" ", "")
    return re.sub(r"[^0-9a-z\-]", "", text).strip("-")


def match_key(street: str, house_number: str) -> str:
    """Return the key by which the gazetteer finds an address."""
    return f"{fold_street(street)} {fold_number(house_number)}".strip()


@lru_cache(maxsize=20_000)
def split_street(line: str) -> tuple[str, str]:
    """Cut a street line into name and house number, whichever comes first."""
    for pattern in (_TRAILING, _LEADING):
        match = pattern.match(line.strip())
        if match:
            return match["street"].strip(" ,"), match["number"].replace(" ", "")
    return line.strip(), ""


def split_address(text: str) -> AddressDraft:
    """Cut a whole address line: `Marktplatz 24, 91207 Lauf`, in the usual orders."""
    parts = [part.strip() for part in re.split(r"[,\n;]+", text) if part.strip()]
    if not parts:
        return AddressDraft()
    street, number = split_street(parts[0])
    rest = parts[1:]
    if not number and rest and (only := _ONLY_NUMBER.match(rest[0])):
        number, rest = only["number"].replace(" ", ""), rest[1:]
    if not rest:
        return _one_part(parts[0])
    postcode, city = "", ""
    for part in rest:
        found = _POSTCODE.search(part)
        if found and not postcode:
            postcode = found["code"]
            around = part[: found.start()] + part[found.end() :]
            city = city or around.strip(" -")
        else:
            city = city or part
    return AddressDraft(street, number, postcode, city)


def _one_part(line: str) -> AddressDraft:
    """Read an address without commas: the postcode, if any, begins the town."""
    found = list(_POSTCODE.finditer(line))
    if found and found[-1].start() > 0:
        last = found[-1]
        street, number = split_street(line[: last.start()])
        return AddressDraft(street, number, last["code"], line[last.end() :].strip())
    return AddressDraft(*split_street(line))
