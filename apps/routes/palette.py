"""Colours that tell routes apart, and the mark of each state."""

COLOURS = (
    "#2563eb",
    "#c2410c",
    "#15803d",
    "#a21caf",
    "#b45309",
    "#0e7490",
    "#be123c",
    "#4d7c0f",
    "#6d28d9",
    "#0f766e",
    "#9d174d",
    "#1e3a8a",
)
"""Each has a contrast of 4.5 or more to white, so that it carries text too."""

DASHES = ("", "14 7", "4 6")
"""From the thirteenth route on, colours come again with another line."""


def colour_of(number: int) -> str:
    """Return the colour of the n-th route, from 0."""
    return COLOURS[number % len(COLOURS)]


def dash_of(number: int) -> str:
    """Return the line's dashes for the n-th route, from 0; empty: a full line."""
    return DASHES[number // len(COLOURS) % len(DASHES)]
