"""Where a row says its order goes: coordinates in several notations, and an address."""

import re

from apps.core.units import Point, great_circle_m
from apps.orders.drafts import MAX_LENGTHS, AddressDraft, Fault
from apps.orders.imports.addresses import split_address, split_street
from apps.orders.imports.cells import Cells
from apps.orders.imports.values import number

FAR_M = 300_000
"""An order farther from its depot than a day's drive is a slip of the pen."""

_WKT = re.compile(r"\s*POINT\s*\(\s*(\S+)[\s,]+(\S+?)\s*\)\s*", re.IGNORECASE)
_DEGREE = re.compile(r"^([NSEW])?\s*([^NSEW°]+?)\s*°?\s*([NSEW])?$", re.IGNORECASE)


def read_point(row: Cells) -> Point | None:
    """Return the row's coordinates, None when it gives none or wrong ones."""
    if row.has("lat", "lon"):
        return _checked(row, "lat", row.raw("lat"), row.raw("lon"))
    text = row.raw("coordinates")
    if not text:
        return None
    pair = _cut_pair(text)
    if pair is None:
        row.fault(
            "coordinates",
            "bad_coordinates",
            "Write latitude and longitude in degrees, for example 49.5126, 11.2823.",
        )
        return None
    return _checked(row, "coordinates", *pair)


def _cut_pair(text: str) -> tuple[str, str] | None:
    """Cut `49.5, 11.2`, `49,5; 11,2` or WKT (which puts the longitude first)."""
    if wkt := _WKT.fullmatch(text):
        return wkt[2], wkt[1]
    for sign in (";", "|", ", ", " ", "/", ","):
        parts = [part for part in text.strip("()[]").split(sign) if part.strip()]
        if len(parts) == 2:
            return parts[0].strip(" ,"), parts[1].strip(" ,")
    return None


def degrees(text: str) -> float:
    """Read decimal degrees, with or without the sign of degree and a hemisphere.

    Raises:
        ValueError: they are none.
    """
    match = _DEGREE.match(text.strip())
    if match is None:
        raise ValueError(text)
    value = number(match[2])
    side = (match[1] or match[3] or "").upper()
    return -value if side in ("S", "W") else value


def _checked(row: Cells, field: str, lat: str, lon: str) -> Point | None:
    if not lat or not lon:
        absent = "lon" if lat else "lat"
        row.fault(absent, "bad_coordinates", "Give both coordinates, or neither.")
        return None
    try:
        point = Point(degrees(lat), degrees(lon))
    except ValueError:
        row.fault(
            field,
            "bad_coordinates",
            "Write decimal degrees, for example 49.5126 and 11.2823.",
        )
        return None
    if not point.is_valid():
        row.fault(
            field,
            "bad_coordinates",
            "Latitude goes from -90 to 90, longitude from -180 to 180, and 0, 0 is "
            "no place: give the real ones, or leave both empty for the address.",
        )
        return None
    return point


def far_fault(column: str, point: Point, depot: Point) -> Fault | None:
    """Return a fault when the place cannot be served from the depot in a day."""
    distance_m = great_circle_m(point, depot)
    if distance_m <= FAR_M:
        return None
    swapped = Point(point.lon, point.lat)
    hint = "look at the coordinates and the depot."
    if swapped.is_valid() and great_circle_m(swapped, depot) <= FAR_M:
        hint = "latitude and longitude seem to be exchanged."
    return Fault(
        column,
        "far_from_depot",
        f"This is {distance_m / 1000:.0f} km from the depot, "
        f"over {FAR_M // 1000} km: {hint}",
    )


def read_address(row: Cells) -> AddressDraft:
    """Return the row's address, taken apart where it comes in one column."""
    street, number_ = row.text("street"), row.text("house_number")
    postcode, city = row.text("postcode"), row.text("city")
    whole = row.raw("address")
    if whole and not street:
        parts = split_address(whole)
        street, number_ = parts.street, number_ or parts.house_number
        postcode, city = postcode or parts.postcode, city or parts.city
    elif street and not number_:
        street, number_ = split_street(street)
    return _fitted(row, AddressDraft(street, number_, postcode, city))


def _fitted(row: Cells, address: AddressDraft) -> AddressDraft:
    for name in ("street", "house_number", "postcode", "city"):
        if len(getattr(address, name)) > MAX_LENGTHS[name]:
            column = "address" if row.raw("address") else name
            if not any(fault.code == "too_long" for fault in row.faults):
                row.fault(column, "too_long", f"The {name} in it is too long.")
            return AddressDraft()
    return address
