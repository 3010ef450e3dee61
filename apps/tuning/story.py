"""A recommendation from end to end: what was said, decided, driven, judged and changed."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core.office import row_url
from apps.feedback.models import Feedback
from apps.feedback.words import answer_in_words, reason_in_words
from apps.overrides.models import Override
from apps.recommendations.models import Recommendation
from apps.recommendations.story import (
    CHANGE,
    FEEDBACK,
    ISSUED,
    OUTCOME,
    OVERRIDE,
    VERDICT,
    Step,
)
from apps.recommendations.words import said
from apps.routes.people import who
from apps.tuning.models import Proposal
from apps.tuning.topics import in_words
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.showing import kind_words, limit_words, why_words
from apps.verdicts.words import ruling_words

TONES = {"right": "success", "wrong": "warning"}
STOOD = ("proposed", "tested")
MOST = 50
"""So many of one kind are told; a day's plan may have been overridden more often."""


def story_of(row: Recommendation, user: Any) -> list[Step]:
    """Return the steps that a user may see; the recommendation itself is the first."""
    overrides = _overrides(row)
    verdicts = _verdicts(row, overrides)
    feedback = list(Feedback.objects.filter(recommendation=row).order_by("pk")[:MOST])
    steps = [*_itself(row)]
    if user.has_perm("feedback.view_feedback"):
        steps += [_said(one) for one in feedback]
    if user.has_perm("overrides.view_override"):
        steps += [_decided(one) for one in overrides]
    if user.has_perm("verdicts.view_verdict"):
        steps += [_judged(one) for one in verdicts]
    if user.has_perm("tuning.view_proposal"):
        steps += [_changed(one) for one in _proposals(row, feedback)]
    if user.has_perm("verdicts.view_rightsproposal"):
        steps += [_right(one) for one in _rights(verdicts)]
    return steps


def _overrides(row: Recommendation) -> list[Override]:
    rows = Override.objects.filter(Q(recommendation=row) | Q(priced_as=row)).distinct()
    return list(rows.select_related("stop__order", "depot").order_by("pk")[:MOST])


def _verdicts(row: Recommendation, overrides: Sequence[Override]) -> list[Verdict]:
    rows = Verdict.objects.filter(Q(recommendation=row) | Q(override__in=overrides))
    rows = rows.distinct().select_related("depot").defer("arithmetic")
    return list(rows.order_by("pk")[:MOST])


def _proposals(row: Recommendation, feedback: Sequence[Feedback]) -> list[Proposal]:
    rows = Proposal.objects.filter(Q(recommendation=row) | Q(reports__in=feedback))
    return list(rows.distinct().order_by("pk")[:MOST])


def _rights(verdicts: Sequence[Verdict]) -> list[RightsProposal]:
    """Return the proposals of decision rights of which these verdicts are evidence."""
    ids = {str(one.pk) for one in verdicts}
    pairs = {(one.kind, one.role) for one in verdicts}
    if not ids:
        return []
    rows = RightsProposal.objects.filter(
        kind__in={kind for kind, _role in pairs},
        role__in={role for _kind, role in pairs},
    )
    return [one for one in rows if ids & set(one.evidence["verdicts"])]


def _itself(row: Recommendation) -> Iterator[Step]:
    first = said(row.reasons[0]) if row.reasons else ""
    yield Step(
        stage=ISSUED,
        at=row.issued_at,
        title=_("Recommended: {kind}").format(kind=row.get_kind_display()),
        text=first,
        state=row.get_mode_display(),
        subject_id=str(row.pk),
    )
    if row.settled_at is not None:
        yield Step(
            stage=OUTCOME,
            at=row.settled_at,
            title=_("What became of it"),
            text=str((row.outcome or {}).get("text", "")),
            state=row.get_state_display(),
            tone="success" if row.state == "followed" else "",
            subject_id=str(row.pk),
        )


def _said(one: Feedback) -> Step:
    parts = [
        f"{one.rating}/5" if one.rating else "",
        reason_in_words(one.reason) if one.reason else "",
        f"“{one.text}”" if one.text else "",
    ]
    answer = answer_in_words(one.answer_code, one.answer)
    if answer:
        parts.append(_("Answer: {answer}").format(answer=answer))
    return Step(
        stage=FEEDBACK,
        at=one.given_at,
        title=_("Objection") if one.is_objection else _("Feedback"),
        text=" · ".join(part for part in parts if part),
        state=one.get_status_display(),
        tone="warning" if one.is_objection else "",
        who=_("Driver") if one.driver_id else who(one.person),
        url=row_url(one),
        subject_id=str(one.pk),
    )


def _decided(one: Override) -> Step:
    about = one.stop.order.reference if one.stop is not None else ""
    parts = [about, one.get_reason_display(), one.because]
    return Step(
        stage=OVERRIDE,
        at=one.answered_at or one.asked_at,
        title=_("Decided otherwise: {kind}").format(kind=one.get_kind_display()),
        text=" · ".join(part for part in parts if part),
        state=one.get_state_display(),
        who=one.asked_role,
        url=row_url(one),
        subject_id=str(one.pk),
    )


def _judged(one: Verdict) -> Step:
    return Step(
        stage=VERDICT,
        at=one.judged_at,
        title=_("Verdict: {kind}").format(kind=kind_words(one.kind)),
        text=f"{ruling_words(one.ruling)} {why_words(one)}",
        state=one.get_ruling_display(),
        tone=TONES.get(one.ruling, ""),
        who=one.role,
        url=row_url(one),
        subject_id=str(one.pk),
    )


def _changed(one: Proposal) -> Step:
    return Step(
        stage=CHANGE,
        at=one.in_force_at or one.decided_at or one.proposed_at,
        title=_("Change of a parameter: {topic}").format(topic=in_words(one.topic)),
        text=" ".join(str(text) for text in one.why[:2]),
        state=one.get_status_display(),
        tone="" if one.status in STOOD else "success",
        who=who(one.decided_by) if one.decided_by else "",
        url=row_url(one),
        subject_id=str(one.pk),
    )


def _right(one: RightsProposal) -> Step:
    return Step(
        stage=CHANGE,
        at=one.decided_at or one.made_at,
        title=_("Change of a decision right: {role}").format(role=one.role),
        text=", ".join(limit_words(one)),
        state=one.get_state_display(),
        who=who(one.decided_by) if one.decided_by else "",
        url=row_url(one),
        subject_id=str(one.pk),
    )
