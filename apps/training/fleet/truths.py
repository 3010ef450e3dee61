"""What really happens on the road: a town's truth, or a composed twin of a real day."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from apps.core.units import Point
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.training.town.chance import bell, draw
from apps.training.town.model import Address, Town
from apps.training.town.plane import LatLon
from apps.training.town.truth import Mode, TownTruth

PARTIAL_SHARE = 0.03
FAILED_SHARE = 0.05
REASONS = ("not_home", "not_home", "refused", "no_access", "wrong_address")


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop as the driver finds it at the door."""

    reference: str
    place: LatLon
    pieces: int
    windows: tuple[tuple[datetime, datetime], ...]

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody expects the driver at this instant."""
        return not self.windows or any(a <= at < b for a, b in self.windows)

    def opens_after(self, at: datetime) -> datetime | None:
        """Return when the next window opens, if none is open and one will be."""
        if self.is_open(at):
            return None
        return min((opens for opens, _ in self.windows if opens > at), default=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a visit ends: the event's kind, and what its payload says."""

    kind: str
    reason: str = ""
    pieces: int = 0


class Truth(Protocol):
    """What the planner does not know. The same question has the same answer."""

    def travel_s(
        self, origin: LatLon, destination: LatLon, at: datetime, *, by_bike: bool
    ) -> int:
        """Return how long the way takes when one leaves at `at`."""
        ...

    def service_s(self, visit: Visit, driver: str, on_date: date) -> int:
        """Return how long the stop takes, from parked to parked."""
        ...

    def outcome(self, visit: Visit, at: datetime) -> Outcome:
        """Return how an attempt at `at` ends."""
        ...

    def between(self, origin: LatLon, destination: LatLon, share: float) -> LatLon:
        """Return where one is after this share of the way."""
        ...

    def has_signal(self, place: LatLon) -> bool:
        """Tell whether a telephone works at a place."""
        ...


class TownTruths:
    """The truth that the town's generator planted."""

    def __init__(self, town: Town) -> None:
        """Learn the town's streets and doors."""
        self._town, self._truth = town, TownTruth(town)

    def travel_s(
        self, origin: LatLon, destination: LatLon, at: datetime, *, by_bike: bool
    ) -> int:
        """Return the true time over the town's streets."""
        if origin == destination:
            return 1
        mode = Mode.CARGO_BIKE if by_bike else Mode.VAN
        return self._truth.true_travel_s(origin, destination, at, mode)

    def service_s(self, visit: Visit, driver: str, on_date: date) -> int:
        """Return the true time at the door."""
        address = self._address(visit.place)
        return self._truth.true_service_s(address, visit.pieces, driver, on_date)

    def outcome(self, visit: Visit, at: datetime) -> Outcome:
        """Return how the attempt at this door ends."""
        attempt = self._truth.attempt(
            visit.reference,
            self._address(visit.place),
            at,
            in_window=visit.is_open(at),
        )
        if attempt.failure is not None:
            return Outcome("stop.failed", attempt.failure.value)
        return _handed_over(self._town.seed, visit)

    def between(self, origin: LatLon, destination: LatLon, share: float) -> LatLon:
        """Return the place on the streets."""
        if origin == destination:
            return origin
        return self._truth.true_path(origin, destination).at_share(share)

    def has_signal(self, place: LatLon) -> bool:
        """Tell whether the place is outside of the dead zones."""
        return self._town.has_signal(place)

    def _address(self, place: LatLon) -> Address:
        found = self._town.address_by_place.get(place)
        if found is not None:
            return found
        return min(
            self._town.addresses,
            key=lambda a: (math.dist(a.place, place), a.number),
        )


class TwinTruths:
    """A composed truth for real orders: the planner's estimate with seeded noise."""

    def __init__(self, seed: int, time_zone: str) -> None:
        """Take the seed of all chance, and the zone whose hours count."""
        self._seed, self._zone = seed, ZoneInfo(time_zone)
        self._estimate = EstimatedTravelTimes()

    def travel_s(
        self, origin: LatLon, destination: LatLon, at: datetime, *, by_bike: bool
    ) -> int:
        """Return the estimate of the hour, with this leg's and this hour's luck."""
        if origin == destination:
            return 1
        hour = at.astimezone(self._zone).hour
        points = [Point(*origin), Point(*destination)]
        matrix = self._estimate.matrix(points, departs_hour=hour)
        leg = bell(self._seed, "leg", origin, destination)
        traffic = bell(self._seed, "hour", at.astimezone(self._zone).date(), hour)
        factor = max(0.5, 1 + 0.14 * leg + 0.06 * traffic) * (1.2 if by_bike else 1)
        return max(1, round(int(matrix.durations_s[0, 1]) * factor))

    def service_s(self, visit: Visit, driver: str, on_date: date) -> int:
        """Return a time that grows with the pieces, with the door's luck."""
        luck = bell(self._seed, "service", visit.reference, driver, on_date)
        base_s = 70 + 25 * min(visit.pieces, 20)
        return max(20, round(base_s * max(0.4, 1 + 0.25 * luck)))

    def outcome(self, visit: Visit, at: datetime) -> Outcome:
        """Return a failure for one order in twenty, by its reference."""
        del at
        if draw(self._seed, "attempt", visit.reference) < FAILED_SHARE:
            which = int(draw(self._seed, "reason", visit.reference) * len(REASONS))
            return Outcome("stop.failed", REASONS[which])
        return _handed_over(self._seed, visit)

    def between(self, origin: LatLon, destination: LatLon, share: float) -> LatLon:
        """Return the place on the straight line."""
        return (
            origin[0] + share * (destination[0] - origin[0]),
            origin[1] + share * (destination[1] - origin[1]),
        )

    def has_signal(self, place: LatLon) -> bool:
        """Tell that it works: no dead zone is known on a real map."""
        del place
        return True


def _handed_over(seed: int, visit: Visit) -> Outcome:
    """Return success, or now and then a part: something was broken or missing."""
    if visit.pieces > 1 and draw(seed, "partial", visit.reference) < PARTIAL_SHARE:
        return Outcome("stop.partial", "damaged", visit.pieces - 1)
    return Outcome("stop.succeeded")
