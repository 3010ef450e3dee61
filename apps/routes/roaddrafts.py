"""What somebody says of the road, and what is wrong with it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from apps.core.problems import FieldError
from apps.core.units import Point, great_circle_m
from apps.routes.conditions import CLOSURE
from apps.routes.places import Area, Circle, Place, crosses_itself

USUAL_PERCENT: Mapping[str, int] = {"traffic": 150, "weather": 125, "roadworks": 150}
"""What a condition takes when nobody says it: our choice, to be learned."""

USUAL_RADIUS_M = 150
"""Of a place that is told as a point: a crossing, with a house or two to each side."""

MOST_CORNERS = 100
MOST_RADIUS_M = 50_000
FARTHEST_M = 200_000
"""A place so far from the depot is a slip of the pen, as with orders."""

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class ConditionDraft:
    """A condition as it is reported; `percent` None is the usual one of its kind."""

    kind: str
    place: Place | None
    from_at: datetime
    until_at: datetime
    percent: int | None = None
    daily_from: time | None = None
    daily_until: time | None = None
    title: str = ""
    note: str = ""

    @property
    def percent_in_force(self) -> int | None:
        """Return what it takes, in per cent; None lets nobody through."""
        if self.kind == CLOSURE:
            return None
        return self.percent or USUAL_PERCENT[self.kind]


def draft_faults(draft: ConditionDraft, depot: Point) -> Iterator[FieldError]:
    """Yield what is wrong with a draft, each fault with its field and what to do."""
    if draft.until_at <= draft.from_at:
        yield FieldError("/until_at", "before_start", "Ends before it begins.")
    elif draft.until_at - draft.from_at > LONGEST:
        yield FieldError(
            "/until_at", "too_long", "Lasts for over a year: end it sooner."
        )
    if draft.kind == CLOSURE and draft.place is None:
        yield FieldError("/place", "required", "Say where the road is closed.")
    if draft.kind == CLOSURE and draft.percent is not None:
        yield FieldError(
            "/percent", "closed", "A closed road lets nobody through: leave it empty."
        )
    if draft.percent is not None and not 100 < draft.percent <= 1000:
        yield FieldError("/percent", "out_of_range", "From 101 to 1000 per cent.")
    if (draft.daily_from is None) != (draft.daily_until is None):
        yield FieldError("/daily_until", "incomplete", "Daily hours have two ends.")
    elif draft.daily_from is not None and draft.daily_from == draft.daily_until:
        yield FieldError(
            "/daily_until", "no_length", "Daily hours that begin as they end are none."
        )
    yield from _place_faults(draft.place, depot)


def _place_faults(place: Place | None, depot: Point) -> Iterator[FieldError]:
    if isinstance(place, Circle):
        if not place.centre.is_valid():
            yield FieldError(
                "/place",
                "bad_coordinates",
                "The place is not on the Earth, or is 0, 0.",
            )
            return
        if not 1 <= place.radius_m <= MOST_RADIUS_M:
            yield FieldError("/radius_m", "out_of_range", "From 1 to 50,000 metres.")
    elif isinstance(place, Area):
        if len(place.corners) > MOST_CORNERS:
            yield FieldError("/place", "too_fine", "At most 100 corners: simplify it.")
            return
        if crosses_itself(place.corners):
            yield FieldError(
                "/place", "bad_polygon", "The border crosses itself, or has no inside."
            )
            return
    if place is not None and great_circle_m(place.middle, depot) > FARTHEST_M:
        yield FieldError(
            "/place",
            "far_from_depot",
            "Over 200 km from the depot: look at the coordinates (longitude first).",
        )


def place_of_geojson(
    geojson: Any, radius_m: int | None
) -> tuple[Place | None, FieldError | None]:
    """Return the place that a GeoJSON Point (with a radius) or Polygon is, or a fault.

    None is the whole depot. A Polygon has one ring: a hole would be said by nobody.
    """
    if geojson is None:
        return None, None
    shape: dict[str, Any] = geojson if isinstance(geojson, dict) else {}
    kind, coordinates = shape.get("type"), shape.get("coordinates")
    if kind == "Point" and _is_position(coordinates):
        radius = USUAL_RADIUS_M if radius_m is None else radius_m
        return Circle(_corner(coordinates), radius), None
    if kind == "Polygon" and isinstance(coordinates, list) and len(coordinates) == 1:
        ring = coordinates[0]
        is_ring = isinstance(ring, list) and len(ring) >= 4 and ring[0] == ring[-1]
        if is_ring and all(map(_is_position, ring)):
            return Area(tuple(map(_corner, ring[:-1]))), None
    return None, FieldError(
        "/place",
        "bad_place",
        "A place is a GeoJSON Point with radius_m, or a Polygon of one closed ring of "
        "[longitude, latitude]; null is the whole depot.",
    )


def _corner(position: Any) -> Point:
    return Point(float(position[1]), float(position[0]))


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and len(position) >= 2
        and all(
            isinstance(degree, int | float) and not isinstance(degree, bool)
            for degree in position[:2]
        )
        and abs(position[0]) <= 180
        and abs(position[1]) <= 90
    )
