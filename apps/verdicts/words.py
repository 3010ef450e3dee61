"""A verdict in plain words, for the office and for who chose, in the reader's language.

It speaks of the way, never of the person: the same words stand for whoever chose.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from apps.core.wording import money
from apps.verdicts.beyond import Beyond

RULINGS: Final = {
    "right": _("The way that was chosen was better than the recommended one."),
    "wrong": _("The recommended way would have been better than the chosen one."),
    "undecidable": _("Which way was better cannot be told."),
}

WORDS: Final[Mapping[str, str]] = {
    Beyond.NO_OTHER_WAY: _(
        "While a route is locked, nobody reckons what would have been made of it: there "
        "is no other way that could be driven once more."
    ),
    Beyond.IN_WORDS: _(
        "It was told in words: what was done otherwise is in no figure."
    ),
    Beyond.DOOR_UNKNOWN: _(
        "Whether the visit would have come to anything is not known: who was there saw "
        "what no figure shows."
    ),
    Beyond.NOT_VISITED_SINCE: _(
        "Nobody has visited that customer since. What the visit costs on another day is "
        "known when it was made; then this is judged again."
    ),
    Beyond.NOT_SERVED: _(
        "Stops were not served at all that day. What that is worth is no travel time."
    ),
    Beyond.BREAK_NOT_TAKEN: _(
        "No device told that the break was taken: both ways are the same."
    ),
    Beyond.VEHICLE_OUT: _(
        "The other vehicle could not be driven, or not safely: nothing could have been "
        "done with it."
    ),
    Beyond.TRAIL_LOST: _(
        "What was in force before the change is not recorded: the recommended way cannot "
        "be driven once more."
    ),
    Beyond.REST: _(
        "On the road it cost more than the recommendation. What rest, health or a free "
        "evening is worth is in no figure, so nobody can say that it was wrong."
    ),
    Beyond.WISH: _(
        "On the road it cost more than the recommendation. What the wish was worth to the "
        "customer is in no figure, so nobody can say that it was wrong."
    ),
    Beyond.WAITED: _(
        "On the road it was the cheaper way. But a customer waited for another day, and "
        "what that is worth is in no figure, so nobody can say that it was right."
    ),
}
"""Why a verdict is undecidable for another reason than noise."""

ABOUT_THE_WAY: Final = _(
    "This is about the way, not about you: nobody is ranked by it. If something that the "
    "figures do not see mattered, say so to the office."
)


def minutes(seconds: int) -> str:
    """Return seconds as minutes with their sign."""
    return f"{seconds / 60:+.1f} min".replace("-", "−")


def ruling_words(ruling: str) -> str:
    """Return who was right, in a sentence."""
    return gettext(RULINGS[ruling])


def why(
    ruling: str,
    *,
    gained_minor: int,
    sd_minor: int,
    least_minor: int,
    currency: str,
    because: str = "",
) -> str:
    """Say why a verdict is as it is, with its figures."""
    spread, least = money(sd_minor, currency), money(least_minor, currency)
    size = money(abs(gained_minor), currency)
    if because in WORDS:
        told = gettext(WORDS[because])
        if not gained_minor:
            return told
        figures = gettext("The ways differ by {size}, give or take {spread}.")
        return f"{told} {figures.format(size=size, spread=spread)}"
    if ruling == "undecidable":
        text = gettext(
            "The ways differ by {size}, give or take {spread}. To be told apart they "
            "would have to differ by more than {least}."
        )
    elif ruling == "right":
        text = gettext(
            "It gained {size}, give or take {spread}: more than the {least} that the "
            "noise of the day, or a minute of the driver, could be worth."
        )
    else:
        text = gettext(
            "It lost {size}, give or take {spread}: more than the {least} that the noise "
            "of the day, or a minute of the driver, could be worth."
        )
    return text.format(size=size, spread=spread, least=least)


def to_the_driver(ruling: str, gained_s: int, because: str = "") -> str:
    """Say to who drove what came of it, and what it is used for."""
    return f"{_first(ruling, gained_s, because)} {gettext(ABOUT_THE_WAY)}"


def data_used(arithmetic: Mapping[str, Any]) -> str:
    """Say to who drove what a verdict was reckoned from."""
    if not arithmetic:
        return gettext("The record of what was asked and decided.")
    steps = [
        (step["shift_id"], step["here"], step["there"], step["is_observed"])
        for way in ("recommended", "chosen")
        for step in arithmetic[way]["steps"]
    ]
    legs = {step[:3] for step in steps}
    told = {step[:3] for step in steps if step[3]}
    text = gettext(
        "The times that devices told of that day: {told} of {count} drives as they were, "
        "the others estimated from them and the plan’s travel times."
    )
    return text.format(told=len(told), count=len(legs))


def _first(ruling: str, gained_s: int, because: str) -> str:
    count = round(abs(gained_s) / 60)
    if because in WORDS:
        told = gettext(WORDS[because])
        return gettext("Who was right cannot be told. {why}").format(why=told)
    if ruling == "undecidable":
        return gettext("Looking back, your way and the plan were about equally good.")
    if ruling == "right":
        if gained_s >= 60:
            text = ngettext(
                "Your way was about {count} minute quicker. Plans learn from it.",
                "Your way was about {count} minutes quicker. Plans learn from it.",
                count,
            )
            return text.format(count=count)
        return gettext(
            "Looking back, your way was the better one. Plans learn from it."
        )
    if gained_s <= -60:
        text = ngettext(
            "Looking back, the plan would have been about {count} minute quicker.",
            "Looking back, the plan would have been about {count} minutes quicker.",
            count,
        )
        return text.format(count=count)
    return gettext("Looking back, the plan would have been the better way.")


def sentences() -> list[str]:
    """Return all that is said in the reader's language, for the catalogs."""
    return [*RULINGS.values(), *WORDS.values(), ABOUT_THE_WAY]
