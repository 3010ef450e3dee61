"""Why a change of a running day is refused: codes, figures and the sentence of each. Pure.

A refusal is kept as its code and figures, so that it can be said in any language.
"""

from collections.abc import Mapping
from typing import Any, Final

SENTENCES: Final[Mapping[str, str]] = {
    "not_published": "This day is not published yet: publish its plan first.",
    "stop_over": "Stop {number} is {status} already: correct the report of it, or open it "
    "again, before it is planned otherwise.",
    "loose_stop_over": "This stop is {status} already: correct the report of it, or open "
    "it again, before it is planned otherwise.",
    "under_way": "The driver is at stop {number} or on the way there: report at the stop "
    "how it went, then change what is left.",
    "order_closed": "Stop {number}: its order is {status}. Open the order again first.",
    "loose_order_closed": "This stop: its order is {status}. Open the order again first.",
    "nobody_has_it": "No driver has this stop: give it to one first, then change its place.",
    "route_over": "This route is finished: there is nothing left to hold.",
    "not_locked": "This route is not locked: there is nothing to unlock.",
    "shift_over": "This shift is {status}: choose one that is planned or running.",
    "no_such_alternative": "This recommendation has {count} alternatives: choose one of "
    "them, counted from 0.",
    "no_routes_kept": "This alternative is stored by its cost alone: there are no routes "
    "to take.",
    "same_plan": "What is ahead is driven like this anyway: there is nothing to change.",
    "another_day": "This shift is another depot's, or on another day.",
    "has_it_already": "This driver has the stop already: move it on the route.",
    "window_over": "That window is over: choose one that is still to come.",
    "lock_over": "That time is over: lock the route until later.",
    "end_over": "That time is over: end the shift on the device, or choose a later time.",
    "ends_anyway": "The shift ends at {at} anyway: choose a time before that.",
    "ends_before_begin": "The shift would end before it begins: cancel it instead.",
    "has_vehicle": "The shift has this vehicle already.",
    "break_over": "That time is over: choose a later begin of the break.",
    "break_outside": "The shift is from {from_at} to {until_at}: the break must begin "
    "within it.",
    "not_ahead": "This stop is not ahead of a running shift: plan the day anew.",
    "shift_time_over": "The time of this shift is over: choose another.",
    "other_not_ahead": "The other stop is not ahead on this route: name one that is.",
    "place_behind": "What comes before stop {number} is done or under way: choose a "
    "number from {number} on.",
    "unknown": "There is no such stop or shift.",
    "no_plan": "No plan was found with it.",
    "capability_missing": "{which}: the driver and vehicle lack {lacks}. Choose a driver "
    "and a vehicle that can, or take it off today.",
    "capacity_exceeded": "The vehicle would be too full. Take something else off that van "
    "first, or choose another.",
    "vehicle_not_allowed": "{which}: its parcel is in another van, or that van has left. "
    "Choose a van that is still at the depot, or say that the drivers meet and hand it "
    "over.",
}
"""Every refusal in plain English, by its code; names in braces are figures of it."""

STATUSES: Final = (
    *("succeeded", "failed", "partly done", "cancelled", "planned", "started"),
    *("paused", "ended", "delivered", "partly delivered", "attempt failed"),
)
"""What the figure `status` says: of a stop, a shift or an order, in plain English."""


def sentence(code: str, figures: Mapping[str, Any]) -> str:
    """Return a refusal in English."""
    return SENTENCES[code].format(**figures)
