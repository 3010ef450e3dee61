"""The ledger's verbs: issue a recommendation, settle what became of it."""

import hashlib
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Conflict, NotFound
from apps.journal.services import writing
from apps.recommendations.models import Recommendation
from apps.recommendations.states import STEPS, RecommendationState


@dataclass(frozen=True, slots=True)
class Draft:
    """What an engine hands to the ledger; `inputs` and `answer` are canonical JSON."""

    kind: str
    depot_id: uuid.UUID
    subject_type: str
    subject_id: str
    inputs: bytes
    answer: bytes
    engine: str
    engine_version: str
    seed: int
    mode: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    alternatives: Sequence[Mapping[str, Any]] = ()
    costs: Mapping[str, Any] = field(default_factory=dict)
    expected_gain: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[Mapping[str, Any]] = ()


class AlreadySettled(Conflict):
    """The recommendation has its fate already."""

    type = "/problems/recommendation-settled"
    title = "What became of this recommendation is settled."


def content_hash(content: bytes) -> str:
    """Return the SHA-256 of canonical JSON, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def issue(draft: Draft, *, by: Actor, now: datetime) -> Recommendation:
    """Write a recommendation into the ledger and return it."""
    with writing(by=by, now=now) as journal:
        row = Recommendation.objects.create(
            kind=draft.kind,
            depot_id=draft.depot_id,
            subject_type=draft.subject_type,
            subject_id=draft.subject_id,
            inputs=zlib.compress(draft.inputs, 6),
            inputs_hash=content_hash(draft.inputs),
            answer=zlib.compress(draft.answer, 6),
            answer_hash=content_hash(draft.answer),
            engine=draft.engine,
            engine_version=draft.engine_version,
            seed=draft.seed,
            parameters=dict(draft.parameters),
            alternatives=[dict(item) for item in draft.alternatives],
            costs=dict(draft.costs),
            expected_gain=dict(draft.expected_gain),
            reasons=[dict(item) for item in draft.reasons],
            mode=draft.mode,
            issued_at=now,
        )
        journal.record(
            "recommendation.issued",
            row,
            depot_id=draft.depot_id,
            kind=draft.kind,
            engine=draft.engine,
            inputs_hash=row.inputs_hash,
        )
    return row


def settle(
    recommendation_id: uuid.UUID, *, state: str, by: Actor, now: datetime
) -> Recommendation:
    """Say what became of a recommendation, once.

    Raises:
        NotFound: there is no such recommendation.
        IllegalStep: `state` is not an end.
        AlreadySettled: it has its end already.
    """
    STEPS.check(RecommendationState.ISSUED, state)
    with writing(by=by, now=now) as journal:
        row = Recommendation.objects.filter(pk=recommendation_id).first()
        if row is None:
            raise NotFound
        open_row = Recommendation.objects.filter(
            pk=recommendation_id, state=RecommendationState.ISSUED
        )
        if not open_row.update(state=state, settled_at=now):
            raise AlreadySettled(f"It is {row.state}.")
        row.state, row.settled_at = state, now
        journal.record(
            "recommendation.settled", row, depot_id=row.depot_id, state=state
        )
    return row


def supersede_open(
    *, subject_type: str, subject_ids: Sequence[str], by: Actor, now: datetime
) -> int:
    """End the open recommendations about these subjects; return how many."""
    rows = Recommendation.objects.filter(
        subject_type=subject_type,
        subject_id__in=list(subject_ids),
        state=RecommendationState.ISSUED,
    )
    with writing(by=by, now=now):
        for row in rows:
            settle(row.pk, state=RecommendationState.SUPERSEDED, by=by, now=now)
    return len(rows)


def stored_inputs(row: Recommendation) -> bytes:
    """Return the canonical JSON that the engine was given."""
    return zlib.decompress(bytes(row.inputs))


def stored_answer(row: Recommendation) -> bytes:
    """Return the canonical JSON that the engine answered."""
    return zlib.decompress(bytes(row.answer))
