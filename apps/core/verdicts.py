"""What becomes of one reported fact: the answer that a device is given for an event."""

from dataclasses import dataclass

APPLIED = "applied"
SUPERSEDED = "superseded"
NEEDS_REVIEW = "needs_review"
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result and its code (see the sync protocol), and a sentence for the driver."""

    result: str
    code: str = "ok"
    detail: str = ""


OK = Verdict(APPLIED)
