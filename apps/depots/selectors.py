"""Questions to the depots; they never write."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from apps.core.problems import NotFound
from apps.core.units import Point, polygon_contains
from apps.depots.models import Absence, Depot, Zone

Box = tuple[float, float, float, float]


class UnknownDepot(NotFound):
    """No depot has this code; where it may be said, the known ones are named."""

    type = "/problems/unknown-depot"
    title = "There is no depot with this code."


def depot_by_code(code: str) -> Depot:
    """Return the depot with this code.

    Raises:
        UnknownDepot: there is none; the message lists those that there are.
    """
    depot = Depot.objects.filter(code__iexact=code.strip()).first()
    if depot is None:
        codes = list(Depot.objects.order_by("code").values_list("code", flat=True)[:50])
        known = f"known are {', '.join(codes)}" if codes else "there is none yet"
        raise UnknownDepot(f"There is no depot with the code {code!r}; {known}.")
    return depot


class ZoneFinder:
    """A depot's zones, ready to tell in which of them a place lies."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        """Take the zones; the first that contains a place has it."""
        self._zones = [
            (zone.pk, rings, _box(rings[0]))
            for zone in zones
            if (rings := zone.boundary.get("coordinates"))
        ]

    def find(self, point: Point) -> uuid.UUID | None:
        """Return the id of the zone that contains the place, if one does."""
        for zone_id, rings, (west, south, east, north) in self._zones:
            if not (west <= point.lon <= east and south <= point.lat <= north):
                continue
            holes = rings[1:]
            if polygon_contains(rings[0], point) and not any(
                polygon_contains(hole, point) for hole in holes
            ):
                return zone_id
        return None


def zone_finder(depot_id: uuid.UUID) -> ZoneFinder:
    """Return the finder over a depot's zones, in the order of their codes."""
    return ZoneFinder(Zone.objects.filter(depot_id=depot_id).order_by("code"))


def is_absent(user_id: int, at: datetime) -> bool:
    """Tell whether somebody is away at an instant."""
    return Absence.objects.covering(at).filter(user_id=user_id).exists()


def stand_in_for(user_id: int, at: datetime) -> User | None:
    """Return who answers for somebody who is away at an instant.

    A stand-in who is away as well is followed to his own. None: the person is there,
    or nobody answers (none was named, all of them are away, or an account is closed).
    """
    seen = {user_id}
    found: User | None = None
    asked = user_id
    while absence := _absence(asked, at):
        found = absence.stand_in
        if found is None or not found.is_active or found.pk in seen:
            return None
        seen.add(found.pk)
        asked = found.pk
    return found


def covered_by(user_id: int, at: datetime) -> list[int]:
    """Return the users, by id, for whom this one answers at an instant."""
    absent = set(Absence.objects.covering(at).values_list("user_id", flat=True))
    return sorted(
        other
        for other in absent - {user_id}
        if (stand_in := stand_in_for(other, at)) and stand_in.pk == user_id
    )


def _absence(user_id: int, at: datetime) -> Absence | None:
    """Return somebody's absence at an instant; the one noted last where several hold."""
    absences = Absence.objects.covering(at).filter(user_id=user_id)
    return absences.select_related("stand_in").order_by("-noted_at", "-pk").first()


def _box(ring: list[list[float]]) -> Box:
    lons, lats = [corner[0] for corner in ring], [corner[1] for corner in ring]
    return min(lons), min(lats), max(lons), max(lats)
