"""The gazetteer's verb: known addresses come in from a file."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from apps.core.actors import Actor
from apps.core.ids import uuid7
from apps.core.problems import Invalid
from apps.core.units import Point
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.orders.drafts import MAX_LENGTHS, AddressDraft
from apps.orders.imports.addresses import match_key, split_street
from apps.orders.imports.cells import Cells
from apps.orders.imports.headers import Mapping, map_columns
from apps.orders.imports.places import read_address, read_point
from apps.orders.imports.tables import Row, UnreadableFile, read_table
from apps.orders.models import Address

CHUNK = 2000
_FIELDS = (
    *("address", "street", "house_number", "postcode", "city"),
    *("lat", "lon", "coordinates"),
)


@dataclass(frozen=True, slots=True)
class AddressImport:
    """What became of an address file."""

    rows: int
    added: int
    known: int
    passed_over: int
    mapping: dict[str, str]


def import_addresses(
    *, depot_id: uuid.UUID, content: bytes, by: Actor, now: datetime
) -> AddressImport:
    """Add a file's addresses to the depot's gazetteer; known ones stay as they are.

    A row without street, house number or coordinates is passed over. `76, 76a` in one
    cell is two addresses.

    Raises:
        UnreadableFile: the file has no columns for street and coordinates.
    """
    table = read_table(content)
    mapping = map_columns(table, fields=_FIELDS)
    has = set(mapping.columns)
    located = {"lat", "lon"} <= has or "coordinates" in has
    if not located or not has & {"street", "address"}:
        raise UnreadableFile(
            "An address file needs columns for street, house number, latitude and "
            f"longitude. Its columns are: {', '.join(table.headers)}.",
            headers=table.headers,
        )
    fresh: dict[tuple[str, str, str], Address] = {}
    passed_over = 0
    depot = Depot.objects.get(pk=depot_id)
    for row in table.rows:
        found = _addresses(depot, row, mapping)
        passed_over += not found
        for address in found:
            key = (address.match_key, address.postcode, address.city)
            fresh.setdefault(key, address)
    with writing(by=by, now=now) as writer:
        before = Address.objects.filter(depot=depot).count()
        rows = list(fresh.values())
        for start in range(0, len(rows), CHUNK):
            Address.objects.bulk_create(
                rows[start : start + CHUNK], ignore_conflicts=True
            )
        added = Address.objects.filter(depot=depot).count() - before
        writer.record("addresses.imported", depot, depot_id=depot.pk, added=added)
    return AddressImport(
        len(table.rows), added, len(fresh) - added, passed_over, mapping.as_dict()
    )


def _addresses(depot: Depot, row: Row, mapping: Mapping) -> list[Address]:
    cells = Cells(mapping, row.cells, "", [])
    point, place = read_point(cells), read_address(cells)
    numbers = [part.strip() for part in re.split(r"[,;]", place.house_number)]
    if place.street and not place.house_number:
        street, number = split_street(place.street)
        numbers = [number] if street else []
    if point is None or not place.street or cells.faults:
        return []
    return [
        Address(
            id=uuid7(),
            depot=depot,
            street=place.street,
            house_number=number[: MAX_LENGTHS["house_number"]],
            postcode=place.postcode,
            city=place.city,
            match_key=match_key(place.street, number)[:200],
            latitude=point.lat,
            longitude=point.lon,
        )
        for number in numbers
        if number
    ]


def keep_address(
    *,
    depot_id: uuid.UUID,
    address: AddressDraft,
    point: Point,
    by: Actor,
    now: datetime,
) -> Address:
    """Keep where an address is, as a person has approved it: used from the next time on.

    Raises:
        Invalid: it has no street.
    """
    key = match_key(address.street, address.house_number)
    if not key:
        raise Invalid("An address needs a street.")
    with writing(by=by, now=now) as writer:
        row, _ = Address.objects.update_or_create(
            depot_id=depot_id,
            match_key=key,
            postcode=address.postcode,
            city=address.city,
            defaults={
                "street": address.street,
                "house_number": address.house_number,
                "latitude": point.lat,
                "longitude": point.lon,
            },
        )
        writer.record("address.kept", row, depot_id=depot_id)
    return row
