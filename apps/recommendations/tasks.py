"""Background work of the ledger: expiry, and the audit of a sample."""

import uuid

import structlog

from apps.core import clock, queue
from apps.core.actors import SYSTEM
from apps.recommendations import services
from apps.recommendations.models import Recommendation
from apps.recommendations.reruns import (
    is_of_earlier_version,
    make_again,
    of_earlier_versions,
    sample,
)

log = structlog.get_logger(__name__)

AUDITED = 24
"""So many recommendations a day are made again."""


def expire() -> None:
    """End what nobody took up in time."""
    now = clock.now()
    while services.expire_due(by=SYSTEM, now=now) == services.EXPIRE_BATCH:
        continue


def audit() -> None:
    """Have a sample made again: those that never were, the newest first.

    What an engine of an earlier version made is passed over, and counted.
    """
    earlier = of_earlier_versions()
    rows = Recommendation.objects.exclude(earlier)
    ids = sample(rows, AUDITED, unchecked_first=True)
    for recommendation_id in ids:
        queue.enqueue(
            "apps.recommendations.tasks.check_one",
            max_attempts=2,
            recommendation_id=str(recommendation_id),
        )
    passed_over = Recommendation.objects.filter(earlier, checked_at=None).count()
    log.info("recommendations_audited", count=len(ids), earlier_version=passed_over)


def check_one(*, recommendation_id: str) -> None:
    """Make one recommendation again, and keep how it came out."""
    rows = Recommendation.objects.select_related("inputs")
    row = rows.filter(pk=uuid.UUID(recommendation_id)).first()
    if row is None or is_of_earlier_version(row):
        return
    found = make_again(row)
    services.note_rerun(
        row.pk,
        is_identical=found.is_identical,
        found=found.found,
        by=SYSTEM,
        now=clock.now(),
    )
