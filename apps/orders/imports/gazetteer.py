"""Coordinates of an address, from the addresses that a depot knows."""

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import fuzz, process

from apps.core.units import great_circle_m
from apps.orders.drafts import AddressDraft, KnownAddress, Location
from apps.orders.imports.addresses import fold_number, fold_street
from apps.orders.imports.folding import fold

NEAR_STREET_SCORE = 88
"""Least likeness (rapidfuzz ratio, 0 to 100) for a street that is spelt otherwise."""

RIVAL_MARGIN = 3
"""A second street that is as like as this makes the match a guess: refused."""

SAME_PLACE_M = 300
"""Two known addresses nearer than this are one place to a driver."""

ELSEWHERE_FACTOR = 0.8
"""Trust that is left when the town or postcode of the match cannot be compared."""


class NotLocated(Exception):
    """No coordinates were found; the message says what to do about it."""


class Gazetteer:
    """A depot's known addresses, indexed by house number and street."""

    def __init__(self, known: Iterable[KnownAddress]) -> None:
        """Index the addresses."""
        self._by_number: dict[str, dict[str, list[KnownAddress]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.size = 0
        for row in known:
            street, _, number = row.match_key.partition(" ")
            self._by_number[number][street].append(row)
            self.size += 1

    def locate(self, address: AddressDraft) -> Location:
        """Return where an address is, with the trust that the match deserves.

        Exact first; then a street of nearly the same spelling that has this number.

        Raises:
            NotLocated: nothing is near enough, or more than one place is.
        """
        if not self.size:
            raise NotLocated(
                "The depot has no known addresses yet: import an address file, "
                "or give latitude and longitude."
            )
        street, number = fold_street(address.street), fold_number(address.house_number)
        if not street or not number:
            raise NotLocated("Give latitude and longitude, or street and house number.")
        streets = self._by_number.get(number, {})
        rows, likeness = streets.get(street, []), 1.0
        if not rows:
            rows, likeness = self._nearly(street, streets, address)
        rows, compared = _in_town(rows, address)
        if not rows:
            raise NotLocated(
                "The depot's gazetteer has no such address: mend street, number or "
                "postcode, or give latitude and longitude."
            )
        return _one_place(rows, likeness if compared else likeness * ELSEWHERE_FACTOR)

    @staticmethod
    def _nearly(
        street: str, streets: dict[str, list[KnownAddress]], address: AddressDraft
    ) -> tuple[list[KnownAddress], float]:
        likely = [name for name, rows in streets.items() if _in_town(rows, address)[0]]
        matches = process.extract(
            street, likely, scorer=fuzz.ratio, score_cutoff=NEAR_STREET_SCORE, limit=2
        )
        if not matches:
            return [], 0.0
        if len(matches) > 1 and matches[0][1] - matches[1][1] < RIVAL_MARGIN:
            raise NotLocated(
                "More than one known street is spelt nearly like this: "
                "mend the street's name, or give latitude and longitude."
            )
        name, score, _ = matches[0]
        return streets[name], score / 100


def _in_town(
    rows: list[KnownAddress], address: AddressDraft
) -> tuple[list[KnownAddress], bool]:
    """Keep the rows whose postcode or town agrees; tell whether one could be compared."""
    postcode, city = fold(address.postcode), fold(address.city)
    agreeing, unknown = [], []
    for row in rows:
        row_postcode, row_city = fold(row.postcode), fold(row.city)
        if postcode and row_postcode:
            if postcode == row_postcode:
                agreeing.append(row)
        elif city and row_city:
            if row_city.startswith(city) or city.startswith(row_city):
                agreeing.append(row)
        else:
            unknown.append(row)
    return (agreeing, True) if agreeing else (unknown, False)


def _one_place(rows: list[KnownAddress], confidence: float) -> Location:
    first = rows[0].point
    if any(great_circle_m(first, row.point) > SAME_PLACE_M for row in rows[1:]):
        raise NotLocated(
            "This address is known in more than one place: add the postcode or town."
        )
    return Location(first, "gazetteer", round(confidence, 3))
