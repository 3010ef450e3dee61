"""Every impact that a request was priced with stands in the ledger, with its fate."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from apps.core.actors import Actor
from apps.overrides.models import Override
from apps.overrides.states import AnswerReason, OverrideState
from apps.recommendations import services as recommendations
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState
from apps.routes.services.changing import Prepared
from apps.routes.services.decided import issue_impact

NOT_FOLLOWED: Final = {
    OverrideState.REJECTED: "A person decided against it: {reason}.",
    OverrideState.DENIED: "The table of rights does not allow it.",
    OverrideState.EXPIRED: "Nobody answered the request in time.",
    OverrideState.WITHDRAWN: "Who asked took the request back.",
    OverrideState.FAILED: "The plan moved on: it cannot be done any more.",
}
"""What became of an impact by how its request ended. A person's no overrides it; what
nobody could take up (any more) expires."""
WORKED_OUT_ANEW: Final = "Worked out anew, or for another change in its place."
SHOWN_FOR: Final = timedelta(minutes=30)
"""How long an impact that was only looked at may be followed."""


def note_priced(
    row: Override, prepared: Prepared | None, *, by: Actor, now: datetime
) -> uuid.UUID | None:
    """Write down what a request costs; return the ledger's row, None for words alone.

    The same inputs are the same row. One that was written down before with other inputs
    is superseded as soon as the request's own guard holds: see `note_superseded`.
    """
    if prepared is None:
        return None
    if row.priced_as_id is not None:
        old = Recommendation.objects.get(pk=row.priced_as_id)
        given = recommendations.content_hash(prepared.impact.inputs)
        if (old.inputs_hash, old.parameters.get("change")) == (
            given,
            prepared.impact.kind,
        ):
            return old.pk
    noted = issue_impact(prepared.impact, prepared.subject.about, by=by, now=now)
    return noted.pk if noted is not None else None


def note_superseded(
    before: uuid.UUID | None, row: Override, *, by: Actor, now: datetime
) -> None:
    """End the impact that a request had `before`, where it has another by now."""
    if before is not None and before != row.priced_as_id:
        _settle(before, RecommendationState.SUPERSEDED, WORKED_OUT_ANEW, by, now)


def note_shown(prepared: Prepared, *, by: Actor, now: datetime) -> None:
    """Write down an impact that somebody was shown without asking for the change yet."""
    issue_impact(
        prepared.impact,
        prepared.subject.about,
        expires_at=now + SHOWN_FOR,
        by=by,
        now=now,
    )


def note_not_followed(row: Override, *, by: Actor, now: datetime) -> None:
    """Settle the impact of a request that has ended without being applied."""
    if row.priced_as_id is None or row.state not in NOT_FOLLOWED:
        return
    state = OverrideState(row.state)
    is_no = state is OverrideState.REJECTED
    reason = AnswerReason(row.answer_reason).label if row.answer_reason else ""
    text = NOT_FOLLOWED[state].format(reason=reason[:1].lower() + reason[1:])
    end = RecommendationState.OVERRIDDEN if is_no else RecommendationState.EXPIRED
    _settle(row.priced_as_id, end, text, by, now)


def _settle(
    recommendation_id: uuid.UUID, state: str, text: str, by: Actor, now: datetime
) -> None:
    recommendations.settle(
        recommendation_id, state=state, outcome={"text": text}, by=by, now=now
    )
