"""What becomes of one reported fact: the answer that a device is given for an event."""

from dataclasses import dataclass
from datetime import datetime

APPLIED = "applied"
SUPERSEDED = "superseded"
NEEDS_REVIEW = "needs_review"
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result and its code (see the sync protocol), and a sentence for the driver.

    Where the fact met another one: `ours` is what we knew, `ours_at` since when; `yours`
    is what was reported, and `rule` names the conflict.
    """

    result: str
    code: str = "ok"
    detail: str = ""
    ours: str = ""
    ours_at: datetime | None = None
    yours: str = ""
    rule: str = ""


OK = Verdict(APPLIED)
