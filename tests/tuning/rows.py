"""Proposals as rows: what a test needs of one, without any day planned for it."""

from datetime import timedelta
from typing import Any

from apps.core.actors import SYSTEM, Actor
from apps.depots.models import Depot
from apps.feedback.models import Feedback
from apps.feedback.services import Opinion, Speaker, record_feedback
from apps.learning.models import Estimate
from apps.tuning.models import Proposal
from apps.tuning.services.proposals import propose_service_factors
from tests.factories import NOW, DepotFactory, DriverFactory, ZoneFactory

OFFICE = Actor("user", "1")
EVENING = NOW + timedelta(hours=15)


def make_estimate(depot: Depot, key: str = "zone:Old town", **more: Any) -> Estimate:
    """Store what was learned of a zone: three times the standard, from 90 services."""
    values = {"n": 90, "mean": 3.0, "spread": 0.05, "parent": "depot"}
    return Estimate.objects.create(
        depot=depot,
        kind="service",
        key=key,
        as_of=NOW - timedelta(hours=1),
        **{**values, **more},
    )


def make_report(depot: Depot, *, stop_id: str = "", **more: Any) -> Feedback:
    """Let a driver say that there is too little time."""
    driver = DriverFactory(depot=depot)
    who = Actor("driver", str(driver.pk))
    values = {"rating": 2, "reason": "too_tight", "text": "Stairs."}
    return record_feedback(
        recommendation_id=None,
        speaker=Speaker(who, "driver", depot.pk, driver.pk, stop_id),
        opinion=Opinion(**{**values, **more}),
        given_at=NOW,
        source_key=f"report/{driver.pk}",
        by=who,
        now=NOW,
    )


def make_proposal(depot: Depot | None = None) -> Proposal:
    """Propose service factors for a depot with one estimate and two reports."""
    depot = depot or DepotFactory()
    ZoneFactory(depot=depot, name="Old town")
    make_estimate(depot)
    for _ in range(2):
        make_report(depot)
    row = propose_service_factors(depot.pk, by=SYSTEM, now=NOW)
    assert row is not None
    return row


def make_tested(verdict: str = "wins", depot: Depot | None = None) -> Proposal:
    """Propose, and say how past days came out."""
    row = make_proposal(depot)
    row.status, row.version, row.tested_at = "shadow_tested", 2, NOW
    row.shadow = {
        "verdict": verdict,
        "days": 6,
        "error": "service_error_s",
        "figures": {},
        "text": "On 6 past days.",
    }
    row.save()
    return row
