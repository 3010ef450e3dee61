"""How surely a planned sequence is followed, as planning takes it. Pure.

A parameter holds by key the probability that a driver goes on to the very stop that the
plan has next: `depot`, and `zone:<name>` of that stop, each with how it is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

DEPOT: Final = "depot"
ZONE: Final = "zone:"
MOST_KEYS: Final = 500


class BadFollowed(ValueError):
    """Probabilities that cannot be planned with; the message names every fault."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A probability, from how many steps seen, and as of when; `n` 0: somebody's own."""

    share: float
    n: int = 0
    as_of: str = ""


Shares = Mapping[str, Followed]


def percent_of(shares: Shares, zone: str) -> int:
    """Return the probability for a stop of a zone in whole per cent; 100 where unknown."""
    known = shares.get(f"{ZONE}{zone}") or shares.get(DEPOT)
    return 100 if known is None else round(100 * known.share)


def followed_from(stored: object) -> dict[str, Followed]:
    """Read probabilities as a parameter's version stores them.

    A value is a number, or `{"share": …, "n": …, "as_of": "2026-03-17"}`.

    Raises:
        BadFollowed: it is no mapping, a key names nothing, or a share is out of bounds.
    """
    if not isinstance(stored, Mapping):
        raise BadFollowed("They are a mapping from “depot” or “zone:…” to a share.")
    if len(stored) > MOST_KEYS:
        raise BadFollowed(f"{len(stored)} keys: {MOST_KEYS} at the most.")
    faults: list[str] = []
    found: dict[str, Followed] = {}
    for key in sorted(map(str, stored)):
        try:
            found[key] = _followed(key, stored[key])
        except BadFollowed as fault:
            faults.append(str(fault))
    if faults:
        raise BadFollowed(" ".join(faults[:20]))
    return found


def _followed(key: str, given: Any) -> Followed:
    if key != DEPOT and not (key.startswith(ZONE) and key[len(ZONE) :].strip()):
        raise BadFollowed(f"{key}: a key is “depot” or “zone:…”.")
    if isinstance(given, Followed):
        given = {"share": given.share, "n": given.n, "as_of": given.as_of}
    if not isinstance(given, Mapping):
        given = {"share": given}
    if unknown := set(given) - {"share", "n", "as_of"}:
        raise BadFollowed(f"{key}: no such field: {', '.join(sorted(unknown))}.")
    value, count, as_of = given.get("share"), given.get("n", 0), given.get("as_of", "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFollowed(f"{key}: the share is no number.")
    if not 0 <= value <= 1:
        raise BadFollowed(f"{key}: {value:g} is not between 0 and 1.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadFollowed(f"{key}: n is no count.")
    if as_of:
        try:
            date.fromisoformat(str(as_of))
        except ValueError as error:
            raise BadFollowed(f"{key}: as_of is no date.") from error
    return Followed(float(value), count, str(as_of))


def stored(shares: Shares) -> dict[str, dict[str, Any]]:
    """Return probabilities as a parameter's version stores them."""
    return {
        key: {"share": each.share, "n": each.n, "as_of": each.as_of}
        for key, each in sorted(shares.items())
    }
