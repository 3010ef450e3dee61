"""Background work of the device's door."""

import structlog

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.sync.services import uploads

log = structlog.get_logger(__name__)


def store_attachment(*, attachment_id: str) -> None:
    """Look at a file that has come, and keep it."""
    uploads.store_attachment(attachment_id=attachment_id, by=SYSTEM, now=clock.now())


def expire_uploads() -> None:
    """Give up the uploads that nobody goes on with."""
    count = uploads.expire_uploads(now=clock.now())
    if count:
        log.info("uploads_expired", count=count)
