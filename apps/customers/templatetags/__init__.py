"""Filters of the customers' pages."""
