"""What people may ask of a plan. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from apps.routes.solver.explaining.forcing import (
    Follow,
    LeaveOut,
    PutBeside,
    PutOnRoute,
    Wish,
)


class About(StrEnum):
    """The kinds of questions."""

    COST = "cost"
    LEFT_OUT = "left_out"
    STOP = "stop"
    BESIDE = "beside"
    ON_ROUTE = "on_route"
    WITHOUT = "without"
    SEQUENCE = "sequence"


NEEDS: Mapping[About, tuple[str, ...]] = {
    About.COST: (),
    About.LEFT_OUT: ("order",),
    About.STOP: ("order",),
    About.BESIDE: ("order", "other"),
    About.ON_ROUTE: ("order", "shift"),
    About.WITHOUT: ("order",),
    About.SEQUENCE: ("shift", "sequence"),
}
"""What each kind must name."""

WISHES = (About.BESIDE, About.ON_ROUTE, About.WITHOUT, About.SEQUENCE)
"""Questions of "what if": the plan is forced, and priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of one plan; orders and shifts by their ids.

    `around` asks for the rest of the plan to be searched anew about what is forced.
    """

    about: About
    order: str = ""
    other: str = ""
    after: bool = False
    shift: str = ""
    sequence: tuple[str, ...] = ()
    around: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What it should name and does not."""
        return tuple(name for name in NEEDS[self.about] if not getattr(self, name))

    @property
    def wish(self) -> Wish:
        """What is to be forced; only for the questions of "what if"."""
        if self.about == About.BESIDE:
            return PutBeside(job_id=self.order, other_id=self.other, after=self.after)
        if self.about == About.ON_ROUTE:
            return PutOnRoute(job_id=self.order, vehicle_id=self.shift)
        if self.about == About.SEQUENCE:
            return Follow(vehicle_id=self.shift, job_ids=self.sequence)
        return LeaveOut(job_id=self.order)

    @property
    def key(self) -> str:
        """A short name that is the same for the same question."""
        text = json.dumps(self.as_arguments(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def as_arguments(self) -> dict[str, Any]:
        """Return it as JSON values, as a task's argument."""
        values = {**asdict(self), "about": str(self.about)}
        return {**values, "sequence": list(self.sequence)}


def question_of(arguments: Mapping[str, Any]) -> Question:
    """Read what `as_arguments` wrote."""
    values = {**arguments, "about": About(arguments["about"])}
    return Question(**{**values, "sequence": tuple(arguments["sequence"])})
