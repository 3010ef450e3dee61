"""Recommendations: every output of the machine, and what became of it."""
