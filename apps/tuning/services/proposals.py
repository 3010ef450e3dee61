"""Proposals: made of evidence, one open a depot and parameter."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.feedback.models import Feedback
from apps.journal.services import writing
from apps.recommendations import services as recommendations
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft
from apps.recommendations.states import RecommendationState
from apps.routes.parameters import with_overrides
from apps.routes.selectors import parameters_in_force
from apps.tuning import sequencing
from apps.tuning.clusters import SERVICE, TRAVEL, Cluster
from apps.tuning.evidence import (
    Drift,
    clusters_of,
    drifts_of,
    sequence_request,
    service_request,
)
from apps.tuning.models import Proposal
from apps.tuning.proposing import (
    ENGINE,
    ENGINE_VERSION,
    ServiceProposal,
    ServiceRequest,
    encode_proposal,
    encode_request,
    propose_service,
    values_of,
)
from apps.tuning.selectors import (
    is_alike,
    last_answer,
    open_proposals,
    values_in_force,
)
from apps.tuning.sequencing import propose_sequence
from apps.tuning.states import OPEN, ProposalState
from apps.tuning.topics import TRAVEL as TRAVEL_NAMES
from apps.tuning.topics import topic_of

ALIKE: Final = 0.03
"""What differs by less from an open proposal is the same proposal: its replay stands."""
ANSWERED_FOR: Final = timedelta(days=28)
"""What people declined is not proposed again for so long, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Case:
    """The case for a change: new values, evidence as data and in sentences, who said so."""

    values: Mapping[str, Any]
    why: Sequence[str]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    feedback_ids: Sequence[str] = ()


def propose_service_factors(
    depot_id: uuid.UUID, *, by: Actor, now: datetime
) -> Proposal | None:
    """Propose service factors, if estimates prove those in force wrong."""
    clusters = clusters_of(depot_id, now=now)
    parameters = parameters_in_force(depot_id, now)
    request = service_request(depot_id, parameters, clusters, now=now)
    found = propose_service(request)
    if not found.findings:
        return None
    drifts = drifts_of(depot_id, [SERVICE], now=now)
    case = _service_case(found, clusters, drifts)
    if not _is_news(depot_id, case.values, now):
        return None
    with writing(by=by, now=now):
        row = recommendations.issue(
            _service_draft(depot_id, request, found, case), by=by, now=now
        )
        return propose(row.pk, case, by=by, now=now)


def propose_sequences(
    depot_id: uuid.UUID, name: str, *, by: Actor, now: datetime
) -> Proposal | None:
    """Propose a parameter of sequences, if estimates prove its value in force wrong."""
    held = values_in_force(depot_id, [name], now)[name]
    request = sequence_request(depot_id, name, held, now=now)
    found = propose_sequence(request)
    values = {name: found.value}
    if not found.findings or not _is_news(depot_id, values, now):
        return None
    drifts = drifts_of(depot_id, [name], now=now)
    case = Case(
        values=values,
        why=[each.text for each in found.findings],
        evidence={
            "estimates": [asdict(each) for each in found.findings],
            "drifts": [asdict(each) for each in drifts],
        },
    )
    seen = max((each.n for each in request.estimates), default=0)
    draft = Draft(
        kind=Recommendation.Kind.PARAMETER,
        depot_id=depot_id,
        subject_type="depot",
        subject_id=str(depot_id),
        inputs=sequencing.encode_request(request),
        answer=sequencing.encode_proposal(found),
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        seed=0,
        mode=Recommendation.Mode.RULES,
        parameters=dict(case.values),
        reasons=[{"code": "learned", "text": text} for text in case.why],
        data_used=[{"code": "sequences", "count": seen, "text": f"{seen} sequences."}],
    )
    with writing(by=by, now=now):
        row = recommendations.issue(draft, by=by, now=now)
        return propose(row.pk, case, by=by, now=now)


def _service_case(
    found: ServiceProposal, clusters: Sequence[Cluster], drifts: Sequence[Drift]
) -> Case:
    keys = {each.key for each in found.findings}
    mine = [
        each
        for each in clusters
        if each.parameter == SERVICE and (each.place in keys or each.place == "depot")
    ]
    return Case(
        values=values_of(found),
        why=[each.text for each in found.findings],
        evidence={
            "estimates": [asdict(each) for each in found.findings],
            "clusters": [_cluster(each) for each in mine],
            "drifts": [asdict(each) for each in drifts],
        },
        feedback_ids=[one for each in mine for one in each.feedback_ids],
    )


def _cluster(each: Cluster) -> dict[str, Any]:
    return {
        "place": each.place,
        "people": each.people,
        "reports": len(each.feedback_ids),
        "reasons": dict(each.reasons),
    }


def _service_draft(
    depot_id: uuid.UUID, request: ServiceRequest, found: ServiceProposal, case: Case
) -> Draft:
    services = max((each.n for each in request.estimates), default=0)
    reports = sum(each.reports for each in request.said)
    return Draft(
        kind=Recommendation.Kind.PARAMETER,
        depot_id=depot_id,
        subject_type="depot",
        subject_id=str(depot_id),
        inputs=encode_request(request),
        answer=encode_proposal(found),
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        seed=0,
        mode=Recommendation.Mode.RULES,
        parameters=dict(case.values),
        reasons=[{"code": "learned", "text": text} for text in case.why],
        data_used=[
            {"code": "services", "count": services, "text": f"{services} services."},
            {"code": "reports", "count": reports, "text": f"{reports} reports."},
        ],
    )


def propose_learned(
    recommendation_id: uuid.UUID, *, by: Actor, now: datetime
) -> Proposal | None:
    """Make a proposal of values that another room has learned and written down."""
    row = Recommendation.objects.filter(
        pk=recommendation_id, state=RecommendationState.ISSUED
    ).first()
    if row is None or Proposal.objects.filter(recommendation=row).exists():
        return None
    values = dict(row.parameters)
    if not values or not _is_news(row.depot_id, values, now):
        text = "The same is proposed already, or was answered."
        _settle(row, RecommendationState.SUPERSEDED, text, by=by, now=now)
        return None
    clusters = [
        each
        for each in clusters_of(row.depot_id, now=now)
        if each.parameter == TRAVEL
        and set(values) & set(TRAVEL_NAMES)
        and not each.place.startswith("building:")
    ]
    drifts = drifts_of(row.depot_id, values, now=now)
    case = Case(
        values=values,
        why=[str(reason.get("text", "")) for reason in row.reasons],
        evidence={
            "lessons": [dict(each) for each in row.alternatives],
            "clusters": [_cluster(each) for each in clusters],
            "drifts": [asdict(each) for each in drifts],
        },
        feedback_ids=[one for each in clusters for one in each.feedback_ids],
    )
    return propose(row.pk, case, by=by, now=now)


def _is_news(depot_id: uuid.UUID, values: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether values are neither in force, nor proposed, nor just declined."""
    known = [values_in_force(depot_id, values, now)]
    known += [dict(row.values) for row in open_proposals(depot_id, values)]
    declined = last_answer(depot_id, topic_of(values.keys()), now - ANSWERED_FOR)
    if declined is not None:
        known.append(dict(declined.values))
    return not any(is_alike(dict(values), each, share=ALIKE) for each in known)


def propose(
    recommendation_id: uuid.UUID, case: Case, *, by: Actor, now: datetime
) -> Proposal:
    """Open a proposal; those that it takes the place of expire.

    Raises:
        KeyError: a value has the name of no parameter.
        BadFactors: service factors are out of bounds.
        BadZoneOrder: an order of zones is.
        BadFollowed: probabilities of following are.
    """
    with_overrides(case.values)
    with writing(by=by, now=now) as journal:
        about = Recommendation.objects.get(pk=recommendation_id)
        Depot.objects.select_for_update().get(pk=about.depot_id)
        expire_open(
            about.depot_id,
            case.values,
            words="A newer proposal took its place.",
            by=by,
            now=now,
        )
        row = Proposal.objects.create(
            depot_id=about.depot_id,
            topic=topic_of(case.values.keys()),
            values=dict(case.values),
            before=values_in_force(about.depot_id, case.values, now),
            evidence=dict(case.evidence),
            why=list(case.why),
            recommendation=about,
            proposed_at=now,
            proposed_by=str(by),
        )
        row.reports.set(Feedback.objects.filter(pk__in=case.feedback_ids))
        journal.record(
            "proposal.made",
            row,
            depot_id=row.depot_id,
            topic=row.topic,
            reports=len(case.feedback_ids),
        )
    return row


def expire_open(
    depot_id: uuid.UUID,
    names: Iterable[str],
    *,
    words: str,
    by: Actor,
    now: datetime,
) -> int:
    """Close the open proposals that change any of these parameters; return how many."""
    wanted = set(names)
    with writing(by=by, now=now) as journal:
        rows = Proposal.objects.select_for_update(of=("self",)).select_related(
            "recommendation"
        )
        found = [
            row
            for row in rows.filter(depot_id=depot_id, status__in=OPEN)
            if wanted & row.values.keys()
        ]
        for row in found:
            row.status, row.version = ProposalState.EXPIRED, row.version + 1
            row.closed_at, row.closed_by, row.closing_words = now, str(by), words
            row.save()
            _settle(
                row.recommendation,
                RecommendationState.SUPERSEDED,
                words,
                by=by,
                now=now,
            )
            journal.record("proposal.expired", row, depot_id=depot_id, why=words)
    return len(found)


def expire_stale(*, by: Actor, now: datetime) -> int:
    """Close the open proposals whose parameters somebody has changed since."""
    count = 0
    words = "The values that it would change were changed by somebody else."
    for row in Proposal.objects.filter(status__in=OPEN):
        if values_in_force(row.depot_id, row.values, now) != row.before:
            count += expire_open(row.depot_id, row.values, words=words, by=by, now=now)
    return count


def _settle(
    row: Recommendation, state: str, text: str, *, by: Actor, now: datetime
) -> None:
    if row.state == RecommendationState.ISSUED:
        recommendations.settle(
            row.pk, state=state, outcome={"text": text}, by=by, now=now
        )
