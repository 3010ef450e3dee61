"""How a proposal goes its way."""

from typing import Final

from django.db import models

from apps.core.states import Transitions


class ProposalState(models.TextChoices):
    """How far a proposed change of a parameter is."""

    PROPOSED = "proposed", "Proposed"
    SHADOW_TESTED = "shadow_tested", "Tried on past days"
    APPROVED = "approved", "Approved"
    IN_FORCE = "in_force", "In force, watched"
    KEPT = "kept", "Kept"
    REVERTED = "reverted", "Taken back"
    DECLINED = "declined", "Declined"
    EXPIRED = "expired", "Expired"


PROPOSAL_STEPS: Final = Transitions(
    {
        ProposalState.PROPOSED: [
            ProposalState.SHADOW_TESTED,
            ProposalState.DECLINED,
            ProposalState.EXPIRED,
        ],
        ProposalState.SHADOW_TESTED: [
            ProposalState.APPROVED,
            ProposalState.DECLINED,
            ProposalState.EXPIRED,
        ],
        ProposalState.APPROVED: [ProposalState.IN_FORCE],
        ProposalState.IN_FORCE: [ProposalState.KEPT, ProposalState.REVERTED],
        ProposalState.KEPT: [ProposalState.REVERTED],
        ProposalState.REVERTED: [],
        ProposalState.DECLINED: [],
        ProposalState.EXPIRED: [],
    }
)

OPEN: Final = (
    ProposalState.PROPOSED,
    ProposalState.SHADOW_TESTED,
    ProposalState.APPROVED,
)
"""States that wait for somebody; of these a depot has one a parameter."""


class ShadowState(models.TextChoices):
    """How far a past day's replay is."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Replayed"
    SKIPPED = "skipped", "Left out"
