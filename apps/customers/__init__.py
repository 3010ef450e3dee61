"""Customers: the anonymous door."""
