"""A request's and a route's recommendation, feedback and verdicts, for their pages."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core.office import row_url
from apps.core.ties import Tie
from apps.feedback.models import Feedback
from apps.overrides.models import Override
from apps.recommendations.models import Recommendation
from apps.recommendations.words import said
from apps.routes.models import Route
from apps.tuning.story import TONES
from apps.verdicts.models import Verdict
from apps.verdicts.showing import kind_words
from apps.verdicts.words import ruling_words

MOST = 20


def ties_of(row: Any, user: Any) -> list[Tie]:
    """Return the ties of a request or a route; other pages have none."""
    if isinstance(row, Override):
        ids = [one for one in (row.recommendation_id, row.priced_as_id) if one]
        ledger = list(Recommendation.objects.filter(pk__in=ids).order_by("pk"))
        verdicts = Verdict.objects.filter(override=row)
        feedback = Feedback.objects.filter(recommendation__in=ids)
    elif isinstance(row, Route):
        ledger = [row.plan.recommendation] if row.plan.recommendation else []
        times = Recommendation.objects.filter(kind="eta", subject_id=str(row.pk))
        verdicts = Verdict.objects.filter(route=row)
        about = Q(recommendation__in=ledger) | Q(recommendation__in=times)
        feedback = Feedback.objects.filter(about)
    else:
        return []
    found: list[Tie] = []
    if user.has_perm("recommendations.view_recommendation"):
        found += _recommended(ledger)
    if user.has_perm("feedback.view_feedback"):
        found += _said(feedback)
    if isinstance(row, Route) and user.has_perm("overrides.view_override"):
        found += _asked(row.overrides.all())
    if user.has_perm("verdicts.view_verdict"):
        found += _judged(verdicts)
    return found


def _recommended(rows: Iterable[Recommendation]) -> Iterator[Tie]:
    for one in rows:
        text = said(one.reasons[0]) if one.reasons else ""
        label = _("Recommendation: {kind}").format(kind=one.get_kind_display())
        yield Tie(label, one.get_state_display(), "", text, row_url(one))


def _said(rows: Any) -> Iterator[Tie]:
    for one in rows.order_by("pk")[:MOST]:
        label = _("Objection") if one.is_objection else _("Feedback")
        yield Tie(label, one.get_status_display(), "", one.text, row_url(one))


def _asked(rows: Any) -> Iterator[Tie]:
    for one in rows.order_by("pk")[:MOST]:
        label = _("Request: {kind}").format(kind=one.get_kind_display())
        yield Tie(label, one.get_state_display(), "", "", row_url(one))


def _judged(rows: Any) -> Iterator[Tie]:
    for one in rows.defer("arithmetic").order_by("pk")[:MOST]:
        label = _("Verdict: {kind}").format(kind=kind_words(one.kind))
        tone = TONES.get(one.ruling, "")
        text = ruling_words(one.ruling)
        yield Tie(label, one.get_ruling_display(), tone, text, row_url(one))
