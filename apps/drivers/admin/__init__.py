"""The office's pages of drivers, vehicles, shifts and devices."""

from apps.drivers.admin.devices import DevicePage
from apps.drivers.admin.people import DriverPage, VehiclePage
from apps.drivers.admin.shifts import ShiftPage

__all__ = ["DevicePage", "DriverPage", "ShiftPage", "VehiclePage"]
