"""States of shifts and devices."""

from django.db import models

from apps.core.states import Transitions


class ShiftState(models.TextChoices):
    """How a shift stands."""

    PLANNED = "planned"
    STARTED = "started"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"


SHIFT_STEPS = Transitions(
    {
        ShiftState.PLANNED: [ShiftState.STARTED, ShiftState.CANCELLED],
        ShiftState.STARTED: [ShiftState.PAUSED, ShiftState.ENDED],
        ShiftState.PAUSED: [ShiftState.STARTED, ShiftState.ENDED],
        ShiftState.ENDED: [],
        ShiftState.CANCELLED: [],
    }
)


class DeviceState(models.TextChoices):
    """How far a device is trusted."""

    ACTIVE = "active"
    DRAINING = "draining", "Revoked: may send what it holds, then wipes"
    REVOKED = "revoked", "Revoked: wipes"


DEVICE_STEPS = Transitions(
    {
        DeviceState.ACTIVE: [DeviceState.DRAINING, DeviceState.REVOKED],
        DeviceState.DRAINING: [DeviceState.REVOKED],
        DeviceState.REVOKED: [],
    }
)
