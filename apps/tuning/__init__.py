"""Tuning: the one path by which anything learned takes effect."""
