"""How the state of a delivery is said to its customer; the words are translated."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.problems import Problem
from apps.customers import tracking
from apps.customers.tracking import Tracked
from apps.routes.services.changing import WHY as WHY_DECIDED
from apps.routes.triggers import WHY, WHY_SEARCHED

Words = str | Promise

BY_PEOPLE = frozenset(
    {*WHY_DECIDED.values(), WHY["change.applied"], WHY["decision_point.let"]}
)

HEADLINES: dict[str, Words] = {
    tracking.RECEIVED: gettext_lazy("We have your order"),
    tracking.PLANNED: gettext_lazy("Your delivery is planned"),
    tracking.OUT: gettext_lazy("Your delivery is on its round"),
    tracking.NEAR: gettext_lazy("Your delivery is near"),
    tracking.COMING: gettext_lazy("You are next"),
    tracking.THERE: gettext_lazy("The driver is at your door"),
    tracking.DELIVERED: gettext_lazy("Delivered"),
    tracking.PARTIAL: gettext_lazy("Partly delivered"),
    tracking.FAILED: gettext_lazy("We could not deliver"),
    tracking.CANCELLED: gettext_lazy("This order was cancelled"),
}

STEPS: tuple[tuple[tuple[str, ...], Words], ...] = (
    ((tracking.RECEIVED,), gettext_lazy("Received")),
    ((tracking.PLANNED,), gettext_lazy("Planned")),
    ((tracking.OUT, tracking.FAILED), gettext_lazy("On the road")),
    (
        (tracking.NEAR, tracking.COMING, tracking.THERE),
        pgettext_lazy("of a delivery", "Near you"),
    ),
    ((tracking.DELIVERED, tracking.PARTIAL), gettext_lazy("Delivered")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a delivery's way: what it is called, and whether it is done."""

    text: Words
    is_done: bool
    is_now: bool


def headline(tracked: Tracked) -> Words:
    """Return the state in a few words."""
    return HEADLINES[tracked.status]


def steps_of(tracked: Tracked) -> list[Step]:
    """Return the steps of the way; none where it does not lead to a delivery."""
    if tracked.status in (tracking.CANCELLED, tracking.FAILED):
        return []
    here = next(n for n, (names, _) in enumerate(STEPS) if tracked.status in names)
    return [Step(text, n <= here, n == here) for n, (_, text) in enumerate(STEPS)]


LATE = gettext_lazy("The driver is running late.")
OTHER_STOP = gettext_lazy(
    "Another stop of the round took more or less time than planned."
)
OTHER_ORDER = gettext_lazy(
    "Another order was added to the round, changed, or taken off."
)
SHIFT = gettext_lazy("A driver’s shift has changed.")
ROAD = gettext_lazy("The road has changed: traffic, weather, roadworks or a closure.")
BETTER = gettext_lazy("A better way was found for the rest of the round.")
DECIDED = gettext_lazy("Our office has changed the round.")
ANEW = gettext_lazy("The round was planned anew.")

CHANGED: dict[str, Words] = {
    "stop.failed": OTHER_STOP,
    "stop.partial": OTHER_STOP,
    "stop.succeeded": OTHER_STOP,
    "stop.arrived": LATE,
    "stop.reopened": OTHER_STOP,
    "stop.corrected": OTHER_STOP,
    "stop.released": OTHER_ORDER,
    "order.created": OTHER_ORDER,
    "order.changed": OTHER_ORDER,
    "orders.imported": OTHER_ORDER,
    "shift.planned": SHIFT,
    "shift.changed": SHIFT,
    "shift.started": SHIFT,
    "running_late": LATE,
    "condition.touched": ROAD,
}
"""Why a time has changed, for the customer, by what gave cause to the new plan."""

_BY_WORDS: dict[str, Words] = {
    **{WHY[cause]: words for cause, words in CHANGED.items()},
    WHY_SEARCHED: BETTER,
}


def is_decided(why: str) -> bool:
    """Tell whether people decided a change; `why` is in the words of the plan."""
    return why in BY_PEOPLE


def why_changed(why: str) -> Words:
    """Return why a time has changed in the customer's words: nobody is named by it."""
    return DECIDED if is_decided(why) else _BY_WORDS.get(why, ANEW)


PROBLEMS: dict[str, Words] = {
    "/problems/nothing-changed": gettext_lazy(
        "The time stands as it was told: there is no change to object to."
    ),
    "/problems/slot-gone": gettext_lazy(
        "This time is no longer free. Below is what is free now."
    ),
    "/problems/hold-over": gettext_lazy(
        "We could not keep the time any longer. Please choose again."
    ),
    "/problems/too-many-at-once": gettext_lazy(
        "Many people choose a time at this moment. Please try again in a minute."
    ),
    "/problems/too-late-to-move": gettext_lazy(
        "The driver will be with you soon: the delivery can no longer be moved."
    ),
    "/problems/too-late-for-wishes": gettext_lazy(
        "The driver is nearly there: this can no longer be changed."
    ),
    "/problems/order-closed": gettext_lazy("This order is closed."),
    "/problems/order-moved": gettext_lazy(
        "The order was changed at the same moment. Please look at it again."
    ),
    "/problems/precondition-failed": gettext_lazy(
        "The order was changed at the same moment. Please look at it again."
    ),
    "/problems/link-used": gettext_lazy("The delivery was moved by this link already."),
    "/problems/link-unknown": gettext_lazy(
        "We do not know this link. Please open it from the message again."
    ),
    "/problems/link-over": gettext_lazy("This link is no longer valid."),
    "/problems/locked-out": gettext_lazy(
        "Too many requests came from here. Please try again in a quarter of an hour."
    ),
    "/problems/form-spoiled": gettext_lazy(
        "This page was open for too long. Please look at it again and repeat."
    ),
    "/problems/survey-already-answered": gettext_lazy(
        "You have answered already. Thank you!"
    ),
    "/problems/survey-not-open": gettext_lazy("There are no questions at present."),
}
"""What a customer is told of a refusal, by its type."""

FIELDS: dict[str, Words] = {
    "/words": gettext_lazy("Please say what does not suit you."),
    "/slot": gettext_lazy("Please choose a time first."),
    "/place": gettext_lazy("Please say where: the garage, or the neighbour’s name."),
    "/kind": gettext_lazy("Please choose one of the ways."),
    "/pickup_point": gettext_lazy("Please choose one of the pickup points."),
    "/street": gettext_lazy("Please give street and number, or tap on the picture."),
}
"""What a customer is told of a fault, by where it is."""

ELSE = gettext_lazy("Something is missing or does not fit. Please look at it again.")


def refusal_text(problem: Problem | None) -> Words:
    """Return a refusal in the customer's words; "" where there is none."""
    if problem is None:
        return ""
    for fault in problem.errors:
        if fault.pointer in FIELDS:
            return FIELDS[fault.pointer]
    return PROBLEMS.get(problem.type, ELSE)
