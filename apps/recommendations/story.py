"""What came of a recommendation, from end to end: the shape of it, and who tells it.

The ledger lies below the rooms in which people answer, decide, judge and learn. What they
know of a recommendation is told by a function that `settings.RECOMMENDATION_STORY` names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from apps.recommendations.models import Recommendation

ISSUED: Final = "issued"
FEEDBACK: Final = "feedback"
OVERRIDE: Final = "override"
OUTCOME: Final = "outcome"
VERDICT: Final = "verdict"
CHANGE: Final = "change"
STAGES: Final = (ISSUED, FEEDBACK, OVERRIDE, OUTCOME, VERDICT, CHANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a recommendation, or came of it.

    `text` is plain words without names of drivers; `state` its state in words, `url` the
    page of the office that has it all (empty: none), `subject_id` its id in the API.
    """

    stage: str
    at: datetime
    title: str
    text: str = ""
    state: str = ""
    tone: str = ""
    who: str = ""
    url: str = ""
    subject_id: str = ""


Teller = Callable[[Recommendation, Any], Sequence[Step]]


def story_of(row: Recommendation, user: Any) -> list[Step]:
    """Return what a user may know of what came of a recommendation, oldest first."""
    teller: Teller = import_string(settings.RECOMMENDATION_STORY)
    steps = teller(row, user)
    return sorted(steps, key=lambda one: (one.at, STAGES.index(one.stage)))


def missing_stages(steps: Sequence[Step]) -> list[str]:
    """Return the stages of which nothing is known, or may be known."""
    seen = {one.stage for one in steps}
    return [stage for stage in STAGES if stage not in seen]
