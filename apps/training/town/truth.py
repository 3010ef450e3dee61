"""What really happens in the town: true times and outcomes, unknown to the planner.

All of it follows from the town's seed and the arguments, so a day can be driven
again, and what the planner learns can be compared with what is planted here.
"""

import datetime as dt
import enum
import itertools
import zoneinfo
from dataclasses import dataclass

from apps.training.town.chance import bell, draw
from apps.training.town.model import Address, Building, Town
from apps.training.town.plane import LatLon
from apps.training.town.travel import Path, RoadMap


class Mode(enum.StrEnum):
    """What a driver drives."""

    VAN = "van"
    CARGO_BIKE = "cargo_bike"


class FailureReason(enum.StrEnum):
    """Why a delivery failed at the door."""

    NOT_HOME = "not_home"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"
    NO_ACCESS = "no_access"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt at a door ends; `failure` is None when it is delivered."""

    probability: float
    failure: FailureReason | None

    @property
    def is_delivered(self) -> bool:
        """Say whether the parcel was handed over."""
        return self.failure is None


HOUR_FACTORS = (
    (0, 0.82), (6, 0.92), (7, 1.10), (8, 1.42), (9, 1.22), (10, 1.02), (12, 1.10),
    (14, 1.03), (15, 1.14), (16, 1.28), (17, 1.45), (18, 1.26), (19, 1.04),
    (21, 0.88), (24, 0.82),
)  # fmt: skip
"""Local hour and the factor on free-flow time; straight lines between."""

BRIDGE_WAIT_S = 40
BIKE_SPEED_M_S = 4.6
HARD_ADDRESS_SHARE = 0.04
HARD_ADDRESS_S = 240

_CONGESTION = {"C": 1.30, "I": 1.05, "O": 0.93}
_PARKING_S = {"C": 75, "I": 25, "O": 5}
_SERVICE_S = {
    Building.HOUSE: 225,
    Building.APARTMENT: 290,
    Building.OFFICE: 360,
    Building.SHOP: 265,
}
_PIECE_S = {
    Building.HOUSE: 30,
    Building.APARTMENT: 40,
    Building.OFFICE: 22,
    Building.SHOP: 35,
}
_REASONS = {
    Building.HOUSE: (0.68, 0.10, 0.10, 0.06, 0.06),
    Building.APARTMENT: (0.50, 0.08, 0.13, 0.24, 0.05),
    Building.OFFICE: (0.36, 0.20, 0.10, 0.28, 0.06),
    Building.SHOP: (0.38, 0.32, 0.06, 0.14, 0.10),
}


class TownTruth:
    """The truth of one town. Asking twice gives the same answer."""

    def __init__(self, town: Town) -> None:
        """Learn the town's streets and doors; paths are found when asked for."""
        self.town = town
        self.roads = RoadMap(town)
        self._zone = zoneinfo.ZoneInfo(town.time_zone)
        self._codes = {a.place: a.zone for a in town.addresses}

    def true_path(self, origin: LatLon, destination: LatLon) -> Path:
        """Return the streets a driver takes between two places."""
        return self.roads.path(origin, destination)

    def true_travel_s(
        self,
        origin: LatLon,
        destination: LatLon,
        at: dt.datetime,
        mode: Mode = Mode.VAN,
    ) -> int:
        """Return how long the way really takes when one leaves at `at` (aware).

        Free flow x hour x zone pair x day, and a wait at each bridge; a cargo bike
        keeps its own speed whatever the hour.
        """
        path = self.roads.path(origin, destination)
        on_date = at.astimezone(self._zone).date()
        if mode is Mode.CARGO_BIKE:
            return max(1, round(path.distance_m / BIKE_SPEED_M_S))
        hour = self.hour_factor(at)
        pair = self.zone_pair_factor(
            self._zone_code(origin), self._zone_code(destination)
        )
        flow_s = path.free_flow_ms / 1_000 * hour * pair * self.day_factor(on_date)
        return max(1, round(flow_s + path.bridges * BRIDGE_WAIT_S * hour * hour))

    def hour_factor(self, at: dt.datetime) -> float:
        """Return the factor of the local hour; weekends have half the rush."""
        local = at.astimezone(self._zone)
        hour = local.hour + local.minute / 60 + local.second / 3_600
        factor = HOUR_FACTORS[-1][1]
        for (low, below), (high, above) in itertools.pairwise(HOUR_FACTORS):
            if hour < high:
                factor = below + (above - below) * (hour - low) / (high - low)
                break
        return 1 + (factor - 1) / 2 if local.weekday() >= 5 else factor

    def zone_pair_factor(self, origin: str, destination: str) -> float:
        """Return the factor between two zones (codes; the same both ways)."""
        seed, pair = self.town.seed, sorted((origin, destination))
        mean = (_CONGESTION[origin[0]] + _CONGESTION[destination[0]]) / 2
        return mean * (1 + 0.05 * bell(seed, "pair", *pair))

    def day_factor(self, on_date: dt.date) -> float:
        """Return the factor of the day: mostly near 1, now and then a bad one."""
        bad = draw(self.town.seed, "day", on_date)
        return 0.96 + 0.16 * bad * bad * bad

    def true_service_s(
        self, address: Address, pieces: int, driver: str, on_date: dt.date
    ) -> int:
        """Return how long the stop really takes, from parked to parked.

        By building, pieces, floor, parking in the zone, the door's own difficulty,
        and the driver's pace.
        """
        seed = self.town.seed
        work_s = _SERVICE_S[address.building] + _PIECE_S[address.building] * (
            pieces - 1
        )
        climb_s = address.floor * (9 if address.has_lift else 24)
        parking_s = _PARKING_S[address.zone[0]]
        own = 1 + 0.14 * bell(seed, "service", address.number, driver, on_date)
        total_s = (work_s + climb_s) * self.driver_factor(driver) * own + parking_s
        return max(30, round(total_s + self.door_extra_s(address)))

    def driver_factor(self, driver: str) -> float:
        """Return a driver's pace: below 1 is quicker than the mean."""
        return max(0.7, 1 + 0.11 * bell(self.town.seed, "driver", driver))

    def door_extra_s(self, address: Address) -> int:
        """Return what this very door costs on top: a few have codes and long walks."""
        is_hard = draw(self.town.seed, "door", address.number) < HARD_ADDRESS_SHARE
        return HARD_ADDRESS_S if is_hard else 0

    def success_probability(
        self, address: Address, at: dt.datetime, *, in_window: bool = True
    ) -> float:
        """Return the chance that somebody takes the parcel at this door and hour."""
        local = at.astimezone(self._zone)
        chance = 0.955 + 0.025 * (draw(self.town.seed, "home", address.zone) * 2 - 1)
        chance += _presence(address.building, local.hour, local.weekday() >= 5)
        if not in_window:
            chance -= 0.12
        return min(0.995, max(0.05, chance))

    def attempt(
        self,
        reference: str,
        address: Address,
        at: dt.datetime,
        *,
        in_window: bool = True,
    ) -> Attempt:
        """Return how an attempt ends; the same order has the same luck all day."""
        seed, on_date = self.town.seed, at.astimezone(self._zone).date()
        chance = self.success_probability(address, at, in_window=in_window)
        if draw(seed, "attempt", reference, on_date) < chance:
            return Attempt(chance, None)
        left = draw(seed, "reason", reference, on_date)
        shares = _REASONS[address.building]
        for reason, share in zip(FailureReason, shares, strict=True):
            left -= share
            if left < 0:
                return Attempt(chance, reason)
        return Attempt(chance, FailureReason.DAMAGED)

    def _zone_code(self, place: LatLon) -> str:
        if place not in self._codes:
            zone = self.town.zone_at(place)
            self._codes[place] = zone.code if zone else self.town.zones[-1].code
        return self._codes[place]


def _presence(building: Building, hour: int, is_weekend: bool) -> float:
    """Return what the hour adds to the chance that somebody is there."""
    if building is Building.OFFICE:
        return -0.55 if is_weekend else (0.03 if 8 <= hour < 17 else -0.40)
    if building is Building.SHOP:
        return 0.03 if 9 <= hour < 18 else -0.30
    if is_weekend:
        return 0.01
    away = {9: -0.04, 10: -0.06, 11: -0.07, 12: -0.05, 13: -0.06, 14: -0.08, 15: -0.05}
    extra = -0.02 if building is Building.APARTMENT else 0.0
    return extra + (0.02 if hour >= 17 else away.get(hour, 0.0))
