"""Drivers: who drives which vehicle in which shift, with which device."""
