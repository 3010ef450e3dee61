"""What a device says of its clocks, kept for the events that are still to come."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from apps.sync.models import DeviceAnchor
from apps.sync.moments import Anchor

ANCHORS_READ: Final = 400


def keep_anchors(
    *,
    device_id: uuid.UUID,
    boots: Collection[str],
    anchors: Iterable[Anchor],
    now: datetime,
) -> list[Anchor]:
    """Keep the anchors that are not of the future; return those known of `boots`."""
    DeviceAnchor.objects.bulk_create(
        [
            DeviceAnchor(
                device_id=device_id,
                boot_id=anchor.boot_id,
                mono_ms=anchor.mono_ms,
                server_at=anchor.server_at,
                rtt_ms=anchor.rtt_ms,
            )
            for anchor in anchors
            if anchor.server_at <= now + timedelta(seconds=1)
        ],
        ignore_conflicts=True,
    )
    rows = DeviceAnchor.objects.filter(device_id=device_id, boot_id__in=boots)
    columns = ("boot_id", "mono_ms", "server_at", "rtt_ms")
    return [Anchor(*row) for row in rows.values_list(*columns)[:ANCHORS_READ]]
