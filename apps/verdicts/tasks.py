"""Background work of the room: shifts are judged, and records become proposals."""

import uuid
from datetime import timedelta

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.models import Shift
from apps.verdicts.questions import shifts_to_judge
from apps.verdicts.services.judging import judge_shift
from apps.verdicts.services.proposing import overtake_proposals, propose_rights

LOOKS_BACK = timedelta(hours=3)
"""The task comes each hour; what one run missed, the next two see."""


def judge(*, shift_id: str) -> None:
    """Judge a shift that has ended."""
    shift = Shift.objects.get(pk=uuid.UUID(shift_id))
    judge_shift(shift, by=SYSTEM, now=clock.now())


def judge_late() -> None:
    """Judge again what facts came late for, and what nobody ended."""
    now = clock.now()
    for shift in shifts_to_judge(now - LOOKS_BACK, now):
        judge_shift(shift, by=SYSTEM, now=now)


def propose() -> None:
    """Propose the decision rights that records have earned, or lost."""
    now = clock.now()
    overtake_proposals(by=SYSTEM, now=now)
    propose_rights(by=SYSTEM, now=now)
