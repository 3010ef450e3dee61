"""The simulated fleet: devices that drive a day through the public API alone."""
