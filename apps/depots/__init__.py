"""Depots: places from which vans leave, and the border of what people may see."""
