"""Colours that can be read. Pure."""

WHITE, BLACK = "#ffffff", "#111111"


def ink_on(colour: str) -> str:
    """Return the ink, white or black, that is read best on a colour (WCAG 2.2)."""
    light = luminance(colour)
    on_white = 1.05 / (light + 0.05)
    on_black = (light + 0.05) / (luminance(BLACK) + 0.05)
    return WHITE if on_white >= on_black else BLACK


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
