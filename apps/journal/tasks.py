"""Background work of the journal."""

from apps.core import clock
from apps.journal.services import SEAL_BATCH, seal_entries


def seal() -> None:
    """Chain the entries that have no hash yet, batch by batch."""
    while seal_entries(now=clock.now()) == SEAL_BATCH:
        continue
