"""A verdict in plain words, for the office and for who chose. Pure.

It speaks of the way, never of the person: the same words stand for whoever chose.
"""

from typing import Final

from apps.core.wording import money

RULINGS: Final = {
    "right": "The way that was chosen was better than the recommended one.",
    "wrong": "The recommended way would have been better than the chosen one.",
    "undecidable": "Which way was better cannot be told.",
}


def minutes(seconds: int) -> str:
    """Return seconds as minutes with their sign."""
    return f"{seconds / 60:+.1f} min".replace("-", "−")


def why(
    ruling: str, gained_minor: int, sd_minor: int, least_minor: int, currency: str
) -> str:
    """Say why a verdict is as it is, with its figures."""
    spread, least = money(sd_minor, currency), money(least_minor, currency)
    size = money(abs(gained_minor), currency)
    if ruling == "undecidable":
        return (
            f"The ways differ by {size}, give or take {spread}. To be told apart they "
            f"would have to differ by more than {least}."
        )
    way = "gained" if ruling == "right" else "lost"
    return (
        f"It {way} {size}, give or take {spread}: more than the {least} that the noise "
        f"of the day, or a minute of the driver, could be worth."
    )


def to_the_driver(ruling: str, gained_s: int, kind: str) -> str:
    """Say to who drove what came of it, and what it is used for."""
    about = "the other sequence" if kind == "sequence" else "the change"
    if ruling == "right":
        took = f" It saved about {gained_s / 60:.0f} minutes." if gained_s >= 60 else ""
        first = f"Looking back, {about} was the better way.{took} Plans learn from it."
    elif ruling == "wrong":
        first = f"Looking back, the plan would have been a little better than {about}."
    else:
        first = f"Looking back, {about} and the plan were about as good as each other."
    return (
        f"{first} This is about the way, not about you: nobody is ranked by it. If "
        "something that the figures do not see mattered, say so to the office."
    )
