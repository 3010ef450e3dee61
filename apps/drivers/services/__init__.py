"""The drivers' verbs: people and vehicles, shifts, devices and their credentials."""

from apps.drivers.services.devices import (
    Enrolled,
    OpenedSession,
    create_enrolment_code,
    enrol_device,
    note_device_seen,
    note_session_shown,
    open_session,
    revoke_device,
)
from apps.drivers.services.people import (
    add_vehicle,
    add_vehicle_type,
    change_driver,
    change_vehicle,
    change_vehicle_type,
    hire_driver,
)
from apps.drivers.services.positions import Recorded, record_positions
from apps.drivers.services.rosters import (
    BreakTime,
    ShiftTimes,
    cancel_shift,
    change_shift,
    plan_shift,
)
from apps.drivers.services.shifts import (
    end_shift,
    pause_shift,
    resume_shift,
    start_shift,
)
from apps.drivers.services.tokens import issue_api_token, withdraw_api_token
from apps.drivers.services.underway import (
    ShiftOver,
    add_break,
    end_shift_early,
    swap_vehicle,
)

__all__ = [
    "BreakTime",
    "Enrolled",
    "OpenedSession",
    "Recorded",
    "ShiftOver",
    "ShiftTimes",
    "add_break",
    "add_vehicle",
    "add_vehicle_type",
    "cancel_shift",
    "change_driver",
    "change_shift",
    "change_vehicle",
    "change_vehicle_type",
    "create_enrolment_code",
    "end_shift",
    "end_shift_early",
    "enrol_device",
    "hire_driver",
    "issue_api_token",
    "note_device_seen",
    "note_session_shown",
    "open_session",
    "pause_shift",
    "plan_shift",
    "record_positions",
    "resume_shift",
    "revoke_device",
    "start_shift",
    "swap_vehicle",
    "withdraw_api_token",
]
