"""Changes on the wire: every kind comes back as it went, faults are named."""

from datetime import UTC, datetime

import pytest

from apps.core.problems import Invalid
from apps.routes.changes import (
    KIND_NAMES,
    KINDS,
    Change,
    ChangeVehicle,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    GiveStop,
    LockRoute,
    MoveStop,
    PinStop,
    SkipStop,
    TakeAlternative,
    TakeOff,
    UnlockRoute,
    as_wire,
    from_wire,
    kind_of,
)
from apps.routes.services.changing import EFFECTS
from apps.routes.wishing import WISHES

TEN = datetime(2026, 3, 17, 10, tzinfo=UTC)
NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)
EXAMPLES: tuple[Change, ...] = (
    MoveStop(stop_id="s", place=3),
    MoveStop(stop_id="s", before_stop_id="t", reason="Shop closes."),
    PinStop(stop_id="s", at_place=True, from_at=TEN),
    PinStop(stop_id="s", is_released=True),
    GiveStop(stop_id="s", shift_id="h", is_handed_over=True),
    TakeOff(stop_id="s"),
    SkipStop(stop_id="s", reason="Gate."),
    ChangeWindow(stop_id="s", opens_at=TEN, closes_at=NOON),
    LockRoute(route_id="r", until_at=NOON),
    UnlockRoute(route_id="r"),
    TakeAlternative(recommendation_id="r", alternative=0),
    EndShiftEarly(shift_id="h", ends_at=NOON),
    ChangeVehicle(shift_id="h", vehicle_id="v"),
    ExtraBreak(shift_id="h", from_at=TEN, until_at=NOON, duration_s=900),
)


@pytest.mark.parametrize("change", EXAMPLES, ids=kind_of)
def test_change_comes_back_as_it_went(change: Change) -> None:
    assert from_wire(kind_of(change), as_wire(change)) == change


def test_every_kind_has_a_name_a_wish_and_an_effect() -> None:
    assert {kind_of(change) for change in EXAMPLES} == set(KINDS) == set(KIND_NAMES)
    assert set(KINDS.values()) == set(WISHES) == set(EFFECTS)


@pytest.mark.parametrize(
    ("kind", "values", "pointer"),
    [
        ("fly", {}, "/kind"),
        ("move_stop", {"stop_id": "s"}, "/place"),
        ("move_stop", {"stop_id": "s", "place": 1, "after_stop_id": "t"}, "/place"),
        ("move_stop", {"stop_id": "s", "after_stop_id": "s"}, "/stop_id"),
        ("move_stop", {"stop_id": "s", "place": "3"}, "/place"),
        ("move_stop", {"stop_id": "s", "place": 0}, "/place"),
        ("take_off", {"stop_id": "s", "colour": "red"}, "/colour"),
        ("skip_stop", {"stop_id": "s", "reason": ""}, "/reason"),
        ("pin_stop", {"stop_id": "s"}, "/at_place"),
        (
            "change_window",
            {
                "stop_id": "s",
                "opens_at": "2026-03-17T12:00:00Z",
                "closes_at": "2026-03-17T10:00:00Z",
            },
            "/closes_at",
        ),
        (
            "end_shift_early",
            {"shift_id": "h", "ends_at": "2026-03-17T12:00:00"},
            "/ends_at",
        ),
    ],
)
def test_fault_is_named_by_its_member(
    kind: str, values: dict[str, object], pointer: str
) -> None:
    with pytest.raises(Invalid) as fault:
        from_wire(kind, values)
    assert [one.pointer for one in fault.value.errors] == [pointer]
