"""Core: clock, ids, units, problems, the queue's one door."""
