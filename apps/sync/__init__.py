"""Sync: the device's door."""
