"""PyVRP behind the port: an open day as its data, the search, and the way back.

Only `model`, `search`, and `tuning` know the library; the rest is ours.
"""
