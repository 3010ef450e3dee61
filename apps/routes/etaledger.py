"""ETAs as the ledger keeps them: one entry a route, when its times are told. Pure.

What an ETA follows from is written down whole (`EtaRequest`), so that `rerun` reckons the
same times from it to the byte. Not every movement of a time is an entry: one is made
when a route is first shown to its driver, and with each change of its plan that the
driver is told of. What moves in between is propagation of the same recommendation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from apps.routes.conditions import DailyHours, RoadCondition
from apps.routes.eta import propagate
from apps.routes.etaparts import Expected, Outset, Rest, TravelLaw, Visit
from apps.routes.places import Area, Circle

ENGINE: Final = "propagation"
ENGINE_VERSION: Final = "3"
"""2: intervals may be conformal. 3: by the rules that their calibration names. What was
stored before is reckoned as it was."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition of the road with its place taken apart, as JSON needs it."""

    condition_id: UUID
    version: int
    kind: str
    from_at: datetime
    until_at: datetime
    percent: int | None
    name: str
    zone: str
    is_confirmed: bool
    daily: DailyHours | None = None
    circle: Circle | None = None
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class EtaRequest:
    """All that the times of one route follow from."""

    outset: Outset
    visits: tuple[Visit, ...]
    rests: tuple[Rest, ...]
    conditions: tuple[_Condition, ...]
    law: TravelLaw


@dataclass(frozen=True, slots=True)
class ToldTime:
    """What was told of one stop."""

    stop_id: UUID
    eta_at: datetime
    low_at: datetime
    high_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Of `count` arrivals that were told: how many came `within` their interval."""

    count: int
    within: int
    worst_s: int

    @property
    def is_followed(self) -> bool:
        """Whether the intervals held as often as they are meant to: nine times in ten."""
        return (self.count - self.within) * 10 <= self.count or (
            self.count < 10 and self.count - self.within <= 1
        )


def encode_request(
    outset: Outset,
    visits: Sequence[Visit],
    rests: Sequence[Rest],
    conditions: Sequence[RoadCondition],
    law: TravelLaw,
) -> bytes:
    """Write down what a route's times follow from, as canonical JSON."""
    request = EtaRequest(
        outset=outset,
        visits=tuple(visits),
        rests=tuple(rests),
        conditions=tuple(_apart(each) for each in conditions),
        law=law,
    )
    return msgspec.json.encode(request, order="sorted")


def encode_times(expected: Sequence[Expected]) -> bytes:
    """Write down the times that were told, as canonical JSON."""
    told = [
        ToldTime(each.stop_id, each.eta_at, each.low_at, each.high_at, each.reason)
        for each in expected
    ]
    return msgspec.json.encode(told, order="sorted")


def decode_times(content: bytes) -> list[ToldTime]:
    """Read what `encode_times` wrote."""
    return msgspec.json.decode(content, type=list[ToldTime])


def rerun(inputs: bytes) -> bytes:
    """Reckon a route's times again from what they followed from."""
    request = msgspec.json.decode(inputs, type=EtaRequest)
    expected = propagate(
        request.outset,
        request.visits,
        request.rests,
        [_together(each) for each in request.conditions],
        request.law,
    )
    return encode_times(expected)


def held(told: Sequence[ToldTime], began: dict[UUID, datetime]) -> Held:
    """Compare what was told with when service could begin; `began` is by stop."""
    off = [_off_s(each, began[each.stop_id]) for each in told if each.stop_id in began]
    return Held(len(off), sum(1 for s in off if s == 0), max(off, default=0))


def _off_s(told: ToldTime, at: datetime) -> int:
    early_s = (told.low_at - at).total_seconds()
    late_s = (at - told.high_at).total_seconds()
    return max(0, round(early_s), round(late_s))


def _apart(condition: RoadCondition) -> _Condition:
    place = condition.place
    return _Condition(
        condition_id=condition.condition_id,
        version=condition.version,
        kind=condition.kind,
        from_at=condition.from_at,
        until_at=condition.until_at,
        percent=condition.percent,
        name=condition.name,
        zone=condition.zone,
        is_confirmed=condition.is_confirmed,
        daily=condition.daily,
        circle=place if isinstance(place, Circle) else None,
        area=place if isinstance(place, Area) else None,
    )


def _together(condition: _Condition) -> RoadCondition:
    return RoadCondition(
        condition_id=condition.condition_id,
        version=condition.version,
        kind=condition.kind,
        place=condition.circle or condition.area,
        from_at=condition.from_at,
        until_at=condition.until_at,
        percent=condition.percent,
        name=condition.name,
        zone=condition.zone,
        daily=condition.daily,
        is_confirmed=condition.is_confirmed,
    )


def engine_versions() -> dict[str, frozenset[str]]:
    """Say which versions' times can be made again: the first one's as well."""
    return {ENGINE: frozenset({"1", ENGINE_VERSION})}
