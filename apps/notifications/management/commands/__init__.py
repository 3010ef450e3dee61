"""Core's commands."""
