"""The kinds of events that a device may report, and the shape of each one's payload."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

CORRECTED: Final = "event.corrected"
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=2000)]
Short = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Degrees = Annotated[float, Meta(ge=-180, le=180)]


class Proof(msgspec.Struct, frozen=True):
    """A file that will follow, bound by its id and hash."""

    attachment_id: Id
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Meta(ge=1, le=2**40)]
    media_type: Short


class AtStop(msgspec.Struct, frozen=True):
    """What every report from a stop may carry."""

    note: Words = ""
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Degrees | None = None
    attachments: Annotated[list[Proof], Meta(max_length=20)] = []
    codes: Annotated[list[Short], Meta(max_length=500)] = []


class Succeeded(AtStop, frozen=True):
    """All was handed over (or fetched)."""

    received_by: Short = ""


class Failed(AtStop, frozen=True, kw_only=True):
    """Nothing was handed over, and why."""

    reason: Literal[
        "not_home",
        "refused",
        "wrong_address",
        "no_access",
        "damaged",
        "closed",
        "other",
    ]


class Partial(AtStop, frozen=True, kw_only=True):
    """Some pieces were handed over."""

    pieces: Count
    reason: Short = ""
    received_by: Short = ""


class Reopened(AtStop, frozen=True):
    """The driver goes there again."""

    reason: Short = ""


class Note(AtStop, frozen=True, kw_only=True):
    """Words about a stop."""

    note: Annotated[str, Meta(min_length=1, max_length=2000)]


class RoadException(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver meets; without a place, it is at the stop named.

    `can_drive` is for a vehicle, `minutes_left` for hours, `needs_help` for danger.
    """

    reason: Literal[
        "closure",
        "roadworks",
        "traffic",
        "weather",
        "no_access",
        "no_parking",
        "vehicle",
        "hours",
        "unsafe",
        "wrong_address",
    ]
    can_drive: bool | None = None
    minutes_left: Annotated[int, Meta(ge=0, le=1440)] | None = None
    needs_help: bool | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Degrees | None = None
    radius_m: Annotated[int, Meta(ge=10, le=5000)] | None = None
    note: Words = ""


class OfShift(msgspec.Struct, frozen=True):
    """A word about the shift; without its id, the shift that it must be."""

    shift_id: Annotated[str, Meta(max_length=64)] = ""


class Acknowledged(msgspec.Struct, frozen=True):
    """The driver has seen a change of the plan."""

    change_id: Id


class Status(msgspec.Struct, frozen=True):
    """How the device is."""

    battery_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    is_charging: bool | None = None
    unsent: Count | None = None
    free_bytes: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    app_version: Short = ""


class Corrected(msgspec.Struct, frozen=True):
    """An earlier event was wrong: what it should have said."""

    corrects: Id
    kind: Annotated[str, Meta(max_length=30)]
    payload: dict[str, Any] = {}
    why: Words = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The driver wants the plan to be another: what, and why."""

    action: Literal[
        "move_stop",
        "pin_stop",
        "give_stop",
        "take_off",
        "skip_stop",
        "change_window",
        "lock_route",
        "unlock_route",
        "take_alternative",
        "end_shift_early",
        "change_vehicle",
        "extra_break",
        "other",
        # The first names, which devices that are out there still use.
        "change_order",
        "swap_driver",
    ]
    recommendation_id: Annotated[str, Meta(max_length=64)] = ""
    reason: Short = ""
    note: Words = ""
    details: dict[str, Any] = {}


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver thinks of a recommendation."""

    recommendation_id: Annotated[str, Meta(max_length=64)] = ""
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    reason: Short = ""
    note: Words = ""
    objects: bool = False
    attachments: Annotated[list[Proof], Meta(max_length=1)] = []


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to a survey, by question."""

    survey_id: Id
    answers: dict[str, Any]


PAYLOADS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "stop.enroute": AtStop,
    "stop.arrived": AtStop,
    "stop.succeeded": Succeeded,
    "stop.failed": Failed,
    "stop.partial": Partial,
    "stop.reopened": Reopened,
    "stop.note": Note,
    "exception.reported": RoadException,
    "override.requested": Wanted,
    "feedback.given": Opinion,
    "survey.answered": Survey,
    "plan.acknowledged": Acknowledged,
    "shift.started": OfShift,
    "shift.paused": OfShift,
    "shift.ended": OfShift,
    "device.status": Status,
    CORRECTED: Corrected,
}


def meant_by(payload: Corrected) -> msgspec.Struct | None:
    """Return what a correction puts instead, in the shape of its kind; None if unfit."""
    shape = PAYLOADS.get(payload.kind)
    try:
        return msgspec.convert(payload.payload, shape) if shape else None
    except msgspec.ValidationError:
        return None
