"""The composed town: streets, doors, true times and a day's orders, from one seed.

Pure Python: no Django, no clock, no network. The planner never reads `truth`.
"""
