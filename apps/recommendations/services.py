"""The ledger's verbs: issue a recommendation, settle what became of it."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Conflict, NotFound
from apps.journal.services import writing
from apps.recommendations.models import Content, Recommendation
from apps.recommendations.packing import pack, unpack
from apps.recommendations.states import STEPS, RecommendationState

EXPIRE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """What an engine hands to the ledger; `inputs` and `answer` are canonical JSON.

    From `inputs` alone the kind's rerunner (`config/rerunners.py`) has to make the same
    `answer`. `reasons` and `data_used` are `{"code", "text", …}`: the text is for
    whoever knows no better, the rest lets it be said in any language (see `words`).
    After `expires_at` nobody can follow it any more.
    """

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
    data_used: Sequence[Mapping[str, Any]] = ()
    expires_at: datetime | None = None


class AlreadySettled(Conflict):
    """The recommendation has its fate already."""

    type = "/problems/recommendation-settled"
    title = "What became of this recommendation is settled."


def content_hash(content: bytes) -> str:
    """Return the SHA-256 of canonical JSON, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def issue(draft: Draft, *, by: Actor, now: datetime) -> Recommendation:
    """Write a recommendation into the ledger and return it."""
    [row] = issue_all([draft], by=by, now=now)
    return row


def issue_all(
    drafts: Sequence[Draft], *, by: Actor, now: datetime
) -> list[Recommendation]:
    """Write recommendations into the ledger; equal inputs and answers are kept once."""
    with writing(by=by, now=now) as journal:
        hashes = _keep([part for each in drafts for part in (each.inputs, each.answer)])
        rows = [
            Recommendation(
                kind=draft.kind,
                depot_id=draft.depot_id,
                subject_type=draft.subject_type,
                subject_id=draft.subject_id,
                inputs_id=inputs_hash,
                answer_id=answer_hash,
                engine=draft.engine,
                engine_version=draft.engine_version,
                seed=draft.seed,
                parameters=dict(draft.parameters),
                alternatives=[dict(item) for item in draft.alternatives],
                costs=dict(draft.costs),
                expected_gain=dict(draft.expected_gain),
                reasons=[dict(item) for item in draft.reasons],
                data_used=[dict(item) for item in draft.data_used],
                mode=draft.mode,
                issued_at=now,
                expires_at=draft.expires_at,
            )
            for draft, inputs_hash, answer_hash in zip(
                drafts, hashes[0::2], hashes[1::2], strict=True
            )
        ]
        Recommendation.objects.bulk_create(rows)
        for row in rows:
            journal.record(
                "recommendation.issued",
                row,
                depot_id=row.depot_id,
                kind=row.kind,
                engine=row.engine,
                inputs_hash=row.inputs_hash,
            )
    return rows


def _keep(contents: Sequence[bytes]) -> list[str]:
    """Store what is not stored yet; return the hash of each."""
    hashes = [content_hash(content) for content in contents]
    known = set(Content.objects.filter(pk__in=set(hashes)).values_list("pk", flat=True))
    fresh = {
        name: content
        for name, content in zip(hashes, contents, strict=True)
        if name not in known
    }
    Content.objects.bulk_create(
        [
            Content(hash=name, body=pack(content), size_bytes=len(content))
            for name, content in fresh.items()
        ],
        ignore_conflicts=True,
    )
    return hashes


def settle(
    recommendation_id: uuid.UUID,
    *,
    state: str,
    outcome: Mapping[str, Any] | None = None,
    by: Actor,
    now: datetime,
) -> Recommendation:
    """Say what became of a recommendation, once; `outcome` says what differed.

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
        said = dict(outcome or {})
        open_row = Recommendation.objects.filter(
            pk=recommendation_id, state=RecommendationState.ISSUED
        )
        if not open_row.update(state=state, settled_at=now, outcome=said):
            raise AlreadySettled(f"It is {row.state}.")
        row.state, row.settled_at, row.outcome = state, now, said
        journal.record(
            "recommendation.settled",
            row,
            depot_id=row.depot_id,
            kind=row.kind,
            state=state,
            outcome=said,
        )
    return row


def supersede_open(
    *,
    kind: str,
    subject_type: str,
    subject_ids: Sequence[str],
    by: Actor,
    now: datetime,
) -> int:
    """End the open recommendations of a kind about these subjects; return how many."""
    rows = Recommendation.objects.filter(
        kind=kind,
        subject_type=subject_type,
        subject_id__in=list(subject_ids),
        state=RecommendationState.ISSUED,
    )
    with writing(by=by, now=now):
        for row in rows:
            settle(row.pk, state=RecommendationState.SUPERSEDED, by=by, now=now)
    return len(rows)


def expire_due(*, by: Actor, now: datetime) -> int:
    """End the open recommendations whose time is over; return how many."""
    due = Recommendation.objects.filter(
        state=RecommendationState.ISSUED, expires_at__lte=now
    )
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:EXPIRE_BATCH])
    with writing(by=by, now=now):
        for recommendation_id in ids:
            settle(
                recommendation_id,
                state=RecommendationState.EXPIRED,
                outcome={"text": "Nobody took it up in time."},
                by=by,
                now=now,
            )
    return len(ids)


def note_rerun(
    recommendation_id: uuid.UUID,
    *,
    is_identical: bool,
    found: str,
    by: Actor,
    now: datetime,
) -> None:
    """Keep how a recommendation came out when it was made again; `found` says what else.

    One that differs is a fact that somebody has to look at: `recommendation.differs`.
    """
    with writing(by=by, now=now) as journal:
        row = Recommendation.objects.get(pk=recommendation_id)
        row.checked_at, row.is_identical = now, is_identical
        row.save(update_fields=["checked_at", "is_identical"])
        if not is_identical:
            journal.record(
                "recommendation.differs",
                row,
                depot_id=row.depot_id,
                kind=row.kind,
                engine=row.engine,
                engine_version=row.engine_version,
                stored=row.answer_hash,
                found=found,
            )


def stored_inputs(row: Recommendation) -> bytes:
    """Return the canonical JSON that the engine was given."""
    return unpack(bytes(row.inputs.body))


def stored_answer(row: Recommendation) -> bytes:
    """Return the canonical JSON that the engine answered."""
    return unpack(bytes(row.answer.body))
