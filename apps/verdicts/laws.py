"""What a leg should take by what was known before the day; reads the ledger only.

Either the travel times that the recommendation itself was made of, for all legs of a case,
or the depot's law of travel for all: the day's factor is learned against one of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from apps.core.units import Point, great_circle_m
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_inputs
from apps.routes.etaparts import TravelLaw
from apps.routes.gateways.estimated import EstimateParameters
from apps.routes.solver.codec import SolveRequest, decode_inputs
from apps.routes.solver.problem import UNREACHABLE, Entries
from apps.verdicts.estimating import GUESSED_DISTANCE, ROADS_DISTANCE, LawOfLeg

ROADS = "roads"
LEAST_LAW_S = 20.0
"""No leg is thought shorter: to park and to turn takes time too."""


class Legs(Protocol):
    """Seconds and metres between two places, as they were known."""

    def leg(self, here: str, there: str) -> LawOfLeg | None:
        """Return a leg on a clear road; None where it is not known."""
        ...


@dataclass(frozen=True, slots=True)
class CrowLegs:
    """The depot's law of travel over the great circle."""

    law: TravelLaw
    points: Mapping[str, Point]

    def leg(self, here: str, there: str) -> LawOfLeg | None:
        """Return a leg by the law."""
        if here not in self.points or there not in self.points:
            return None
        crow_m = great_circle_m(self.points[here], self.points[there])
        metres = crow_m * EstimateParameters().detour
        return LawOfLeg(
            seconds=self.law.c_s * math.pow(crow_m / 1000, self.law.p),
            distance_m=round(metres),
            distance_sd_m=GUESSED_DISTANCE * metres,
        )


@dataclass(frozen=True, slots=True)
class LedgerLegs:
    """The travel times that a recommendation was made of, by order or depot."""

    durations_s: Entries
    distances_m: Entries
    places: Mapping[str, int]
    distance_share: float

    def leg(self, here: str, there: str) -> LawOfLeg | None:
        """Return a leg as the engine was given it."""
        if here not in self.places or there not in self.places:
            return None
        pair = self.places[here], self.places[there]
        seconds, metres = float(self.durations_s[pair]), float(self.distances_m[pair])
        if seconds >= UNREACHABLE:
            return None
        return LawOfLeg(
            seconds=seconds,
            distance_m=round(metres),
            distance_sd_m=self.distance_share * metres,
        )


def ledger_legs(row: Recommendation | None, *, quality: str) -> LedgerLegs | None:
    """Return the travel times of a recommendation; None where it has none in one piece.

    Places are order ids, and shifts' ends by the shift's id.
    """
    if row is None:
        return None
    request = decode_inputs(stored_inputs(row))
    if not isinstance(request, SolveRequest) or len(request.problem.matrices) != 1:
        return None
    [matrix] = request.problem.matrices
    places = {job.id: job.location for job in request.problem.jobs}
    places |= {
        van.id: van.end_location
        for van in request.problem.vehicles
        if van.end_location is not None
    }
    share = ROADS_DISTANCE if quality == ROADS else GUESSED_DISTANCE
    return LedgerLegs(matrix.durations_s, matrix.distances_m, places, share)
