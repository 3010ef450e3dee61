"""Questions to the journal; they never write."""

import uuid
from collections.abc import Sequence

from apps.journal.models import Entry, FeedHead


def feed_head(scope: uuid.UUID) -> FeedHead | None:
    """Return the audience's counter, or None when nothing was ever told to it."""
    return FeedHead.objects.filter(pk=scope).first()


def entries_about(subject_type: str, subject_id: object) -> Sequence[Entry]:
    """Return the facts about one row, oldest first."""
    return list(
        Entry.objects.filter(subject_type=subject_type, subject_id=str(subject_id))
    )
