"""What kinds of vehicle there are at first, and what a vehicle can. Pure.

A capability is a code (`apps.core.codes`): an order requires some, a vehicle has those of
its type and its own, and the driver's skills count where a person comes to the door.
"""

from collections.abc import Iterable
from typing import Any, TypedDict

from apps.core.codes import codes_of

PROOFS = ("proof-signature", "proof-photo", "proof-code", "proof-barcode")
"""What an order's proof of delivery asks of who brings it (`apps.routes.needs`)."""

BY_A_PERSON = (*PROOFS, "cash", "age-check", "upstairs")
"""What anybody can who stands at the door with a handheld."""


class FirstType(TypedDict):
    """A type as the migration makes it; `speed_percent` is of a car's speed."""

    name: str
    capabilities: tuple[str, ...]
    is_crewed: bool
    speed_percent: int


def _crewed(name: str, speed_percent: int) -> FirstType:
    return FirstType(
        name=name,
        capabilities=BY_A_PERSON,
        is_crewed=True,
        speed_percent=speed_percent,
    )


def _alone(name: str, speed_percent: int, *capabilities: str) -> FirstType:
    return FirstType(
        name=name,
        capabilities=capabilities,
        is_crewed=False,
        speed_percent=speed_percent,
    )


FIRST_TYPES: dict[str, FirstType] = {
    "van": _crewed("Van", 100),
    "car": _crewed("Car", 100),
    "cargo-bike": _crewed("Cargo bike", 80),
    "bike": _crewed("Bike", 80),
    "foot": _crewed("On foot", 25),
    "locker": _alone("Mobile locker", 100, "proof-code", "proof-barcode"),
    "robot": _alone("Robot", 25, "proof-photo", "proof-code"),
    "drone": _alone("Drone", 300, "proof-photo"),
}
"""Code → what it is at first; the office may change it.

Speeds are first values beside a car in town, some 16 km/h over the great circle on a leg
of a kilometre (our fit, `EstimateParameters`): a bike 13, a walker or a robot on the
pavement 4, a drone of 100 km/h over such legs at the most three times a car, since it
climbs, hovers and lands at each stop.
"""


def make_first_types(model: Any) -> None:
    """Make the types that are missing; `model` is `VehicleType`, or a migration's."""
    for code, first in FIRST_TYPES.items():
        values = {**first, "capabilities": list(first["capabilities"])}
        model.objects.get_or_create(code=code, defaults=values)


def abilities_of(
    of_type: Iterable[str], *, own: Iterable[str], lacks: Iterable[str]
) -> tuple[str, ...]:
    """Return the codes of what a vehicle can: its type's and its own, less what it lacks."""
    return tuple(
        sorted({*codes_of(of_type), *codes_of(own)}.difference(codes_of(lacks)))
    )
