"""A recommendation that does not come again as it was stored reaches a person."""

import pytest

from apps.core.actors import SYSTEM
from apps.incidents.models import Incident
from apps.recommendations import tasks
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft, issue, stored_inputs
from apps.routes.solver.versions import GREEDY
from apps.routes.solving import replay
from tests.factories import NOW
from tests.queueing import drain
from tests.verdicts.days import make_driven

pytestmark = pytest.mark.django_db


def planned(told: bytes, row: Recommendation, subject_id: str) -> Recommendation:
    """Write down a plan with an answer, whoever made that."""
    return issue(
        Draft(
            kind="plan",
            depot_id=row.depot_id,
            subject_type="plan",
            subject_id=subject_id,
            inputs=stored_inputs(row),
            answer=told,
            engine="greedy",
            engine_version=GREEDY,
            seed=7,
            mode="rules",
        ),
        by=SYSTEM,
        now=NOW,
    )


def test_the_audit_of_tampered_answers_raises_one_incident_of_their_engine() -> None:
    source = make_driven().route.plan.recommendation
    assert source is not None
    honest = replay(stored_inputs(source))
    Recommendation.objects.filter(pk=source.pk).update(
        checked_at=NOW, is_identical=False
    )
    good = planned(honest, source, "good")
    tasks.check_one(recommendation_id=str(good.pk))
    drain()
    good.refresh_from_db()
    assert good.is_identical
    assert not Incident.objects.exists()
    tampered = [planned(honest + b" ", source, name) for name in ("a", "b")]
    tasks.audit()
    drain()
    for row in tampered:
        row.refresh_from_db()
        assert row.is_identical is False
    incident = Incident.objects.get()
    assert (incident.kind, incident.role) == ("drift", "Model monitor")
    assert "made again" in incident.title
    assert incident.details["stored"] != incident.details["found"]
