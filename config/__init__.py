"""Wiring: settings, urls, servers, and the two tables of cause and clock."""
