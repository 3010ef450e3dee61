"""Promises: slots offered from the live plan, held for a while, and kept."""
