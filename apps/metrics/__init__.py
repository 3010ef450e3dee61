"""Metrics: what the supervisors look at, over all rooms: the board, the way around, the audit trail."""
