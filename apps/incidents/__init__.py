"""Incidents: what needs a person now, whose it is, and until when."""
