"""How long services take where experience says otherwise than the standard. Pure.

A parameter holds factors by key, each with how it is known. Of the keys of one place the
narrowest counts: its address, its building, its zone, else the depot. A factor of parcels
(how many are handed over) comes on top of it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

LEAST, MOST = 0.25, 5.0
"""Between these a factor stays: beyond, something else is wrong than the standard."""
MOST_FACTORS: Final = 2_000
"""So many keys a depot: each planning reads and hashes them all."""
SHORTEST_S: Final = 10

DEPOT: Final = "depot"
PLACES: Final = ("address", "building", "zone")
"""Kinds of keys of a place, the narrowest first."""
PARCELS: Final = ("1", "2", "3", "4+")


class BadFactors(ValueError):
    """Service factors that cannot be planned with; the message names every fault."""


@dataclass(frozen=True, slots=True)
class ServiceFactor:
    """How much longer a service takes, from how many services seen, and as of when.

    `n` 0: a person's own figure.
    """

    factor: float
    n: int = 0
    as_of: str = ""


Factors = Mapping[str, ServiceFactor]


@dataclass(frozen=True, slots=True)
class ServicePlace:
    """What is known of where a service is, as far as factors go by it."""

    zone: str = ""
    building: str = ""
    address: str = ""
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class PlannedService:
    """The seconds to plan for a service, and the keys whose factors made them."""

    seconds: int
    because: tuple[str, ...] = ()


def building_of(postcode: str, street: str, house_number: str) -> str:
    """Name a building, however its address is written; nothing where there is none."""
    if not street.strip():
        return ""
    return _folded(f"{postcode} {street} {house_number}")


def _folded(text: str) -> str:
    return re.sub(r"[\s,.]+", " ", text.casefold()).strip()


def parcels_key(pieces: int) -> str:
    """Return the key of a count of parcels."""
    return f"parcels:{pieces if pieces < 4 else '4+'}"


def planned_service(
    standard_s: int, place: ServicePlace, factors: Factors
) -> PlannedService:
    """Return what to plan for a service whose standard is known."""
    if not factors:
        return PlannedService(standard_s)
    keys = [key for key in (_place_key(place, factors),) if key]
    if (parcels := parcels_key(place.pieces)) in factors:
        keys.append(parcels)
    if not keys:
        return PlannedService(standard_s)
    whole = 1.0
    for key in keys:
        whole *= factors[key].factor
    whole = min(MOST, max(LEAST, whole))
    seconds = max(min(standard_s, SHORTEST_S), round(standard_s * whole))
    return PlannedService(seconds, tuple(keys))


def _place_key(place: ServicePlace, factors: Factors) -> str:
    named = ((kind, getattr(place, kind)) for kind in PLACES if getattr(place, kind))
    for kind, name in named:
        if (key := f"{kind}:{name}") in factors:
            return key
    return DEPOT if DEPOT in factors else ""


def factors_from(stored: object) -> dict[str, ServiceFactor]:
    """Read factors as a parameter's version stores them.

    A value is a number, or `{"factor": …, "n": …, "as_of": "2026-03-17"}`.

    Raises:
        BadFactors: it is no mapping, a key names nothing, or a factor is out of bounds.
    """
    if not isinstance(stored, Mapping):
        raise BadFactors("Service factors are a mapping from a key to a factor.")
    if len(stored) > MOST_FACTORS:
        raise BadFactors(f"{len(stored)} factors: {MOST_FACTORS} at the most.")
    faults: list[str] = []
    found: dict[str, ServiceFactor] = {}
    for key in sorted(map(str, stored)):
        try:
            found[key] = _factor(key, stored[key])
        except BadFactors as fault:
            faults.append(str(fault))
    if faults:
        raise BadFactors(" ".join(faults[:20]))
    return found


def _factor(key: str, given: Any) -> ServiceFactor:
    _check_key(key)
    if isinstance(given, ServiceFactor):
        given = {"factor": given.factor, "n": given.n, "as_of": given.as_of}
    if not isinstance(given, Mapping):
        given = {"factor": given}
    if unknown := set(given) - {"factor", "n", "as_of"}:
        raise BadFactors(f"{key}: no such field: {', '.join(sorted(unknown))}.")
    value, count, as_of = given.get("factor"), given.get("n", 0), given.get("as_of", "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFactors(f"{key}: the factor is no number.")
    if not LEAST <= value <= MOST:
        raise BadFactors(f"{key}: {value:g} is not between {LEAST:g} and {MOST:g}.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadFactors(f"{key}: n is no count.")
    if as_of and not _is_date(as_of):
        raise BadFactors(f"{key}: as_of is no date.")
    return ServiceFactor(float(value), count, as_of)


def _check_key(key: str) -> None:
    kind, colon, name = key.partition(":")
    if key == DEPOT or (kind in PLACES and colon and name.strip()):
        return
    if kind == "parcels" and name in PARCELS:
        return
    raise BadFactors(
        f"{key}: a key is “depot”, “zone:…”, “building:…”, “address:…” or"
        f" “parcels:” with one of {', '.join(PARCELS)}."
    )


def _is_date(text: object) -> bool:
    try:
        date.fromisoformat(str(text))
    except ValueError:
        return False
    return True


def stored(factors: Factors) -> dict[str, dict[str, Any]]:
    """Return factors as a parameter's version stores them."""
    return {
        key: {"factor": each.factor, "n": each.n, "as_of": each.as_of}
        for key, each in sorted(factors.items())
    }


def key_in_words(key: str) -> str:
    """Name a key as the office reads it."""
    kind, _, name = key.partition(":")
    words = {"zone": f"zone {name}", "parcels": f"stops with {name} parcels"}
    return "every stop" if key == DEPOT else words.get(kind, name)


def counted(keys: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """Return how many services each key has a part in."""
    found: dict[str, int] = {}
    for each in keys:
        for key in each:
            found[key] = found.get(key, 0) + 1
    return dict(sorted(found.items()))
