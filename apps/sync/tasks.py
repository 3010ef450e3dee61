"""Background work of the device's door."""

import uuid
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from apps.core import clock, queue
from apps.core.actors import SYSTEM
from apps.sync.services import compacting, holding, uploads

log = structlog.get_logger(__name__)


def store_attachment(*, attachment_id: str) -> None:
    """Look at a file that has come, and keep it."""
    uploads.store_attachment(attachment_id=attachment_id, by=SYSTEM, now=clock.now())


def expire_uploads() -> None:
    """Give up the uploads that nobody goes on with."""
    count = uploads.expire_uploads(now=clock.now())
    if count:
        log.info("uploads_expired", count=count)


def release_held() -> None:
    """Have the events applied that waited long enough for earlier ones."""
    overdue = holding.devices_overdue(now=clock.now(), patience=_patience())
    for device_id in overdue:
        queue.enqueue("apps.sync.tasks.release_device", device_id=str(device_id))


def release_device(*, device_id: str) -> None:
    """Have one device's overdue events applied, whatever is missing before them."""
    holding.release_held(
        device_id=uuid.UUID(device_id),
        by=SYSTEM,
        now=clock.now(),
        patience=_patience(),
    )


def compact_feeds() -> None:
    """Have every feed rid of what is over, each in a transaction of its own."""
    for driver_id in compacting.feeds_to_compact(before=_keep_from()):
        queue.enqueue("apps.sync.tasks.compact_feed", driver_id=str(driver_id))


def compact_feed(*, driver_id: str) -> None:
    """Rid one feed of what is over."""
    done = compacting.compact_feed(
        driver_id=uuid.UUID(driver_id),
        before=_keep_from(),
        by=SYSTEM,
        now=clock.now(),
    )
    log.info("feed_compacted", retired=done.retired, forgotten=done.forgotten)


def _keep_from() -> datetime:
    return clock.now() - timedelta(days=settings.SYNC_KEEP_DAYS)


def _patience() -> timedelta:
    return timedelta(minutes=settings.SYNC_HOLD_MINUTES)
