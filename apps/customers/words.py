"""How the state of a delivery is said to its customer; the words are translated."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.problems import Problem
from apps.customers import tracking
from apps.customers.tracking import Tracked

Words = str | Promise

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


PROBLEMS: dict[str, Words] = {
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
