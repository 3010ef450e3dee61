"""Learned travel parameters as the ledger keeps them: made again from the same legs. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import msgspec

from apps.routes.relearning import (
    DrivenLeg,
    Law,
    Lesson,
    lesson_of_estimate,
    lesson_of_roads,
)

ENGINE: Final = "relearning"
ENGINE_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """Driven legs in the order of time, the law in force, and the first values."""

    legs: tuple[DrivenLeg, ...]
    law: Law
    first: Law


@dataclass(frozen=True, slots=True)
class Learned:
    """New values by parameter, and the lesson behind each part of them."""

    values: dict[str, Any] = field(default_factory=dict)
    lessons: dict[str, Lesson] = field(default_factory=dict)


def learn(legs: Sequence[DrivenLeg], law: Law, first: Law) -> Learned:
    """Return the travel parameters that foretell these legs better; none where none do."""
    values: dict[str, Any] = {}
    lessons: dict[str, Lesson] = {}
    if lesson := lesson_of_estimate(legs, law, first):
        law = replace(lesson.law, roads_factor=law.roads_factor)
        values["travel_c_s"] = round(law.c_s, 2)
        values["travel_p"] = round(law.p, 4)
        values["travel_by_hour"] = list(law.by_hour)
        lessons["estimate"] = lesson
    if lesson := lesson_of_roads(legs, law, first):
        values["roads_factor"] = round(lesson.law.roads_factor, 4)
        lessons["roads"] = lesson
    return Learned(values, lessons)


def encode_request(request: LearnRequest) -> bytes:
    """Write down what was learned from, as canonical JSON."""
    return msgspec.json.encode(request, order="sorted")


def encode_learned(learned: Learned) -> bytes:
    """Write down what was learned, as canonical JSON."""
    told = {
        "values": learned.values,
        "lessons": {name: asdict(lesson) for name, lesson in learned.lessons.items()},
    }
    return msgspec.json.encode(told, order="sorted")


def rerun(inputs: bytes) -> bytes:
    """Learn again from the same legs."""
    request = msgspec.json.decode(inputs, type=LearnRequest)
    return encode_learned(learn(request.legs, request.law, request.first))
