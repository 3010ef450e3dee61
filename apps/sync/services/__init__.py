"""The device's door, its verbs: take events and positions in, open a feed."""

from apps.sync.services.answering import rejected_ids, set_aside_push
from apps.sync.services.holding import Busy
from apps.sync.services.pushed import Accepted, Answer, Sender
from apps.sync.services.pushing import accept_events, open_feed
from apps.sync.services.tracking import Tracked, accept_tracks

__all__ = [
    "Accepted",
    "Answer",
    "Busy",
    "Sender",
    "Tracked",
    "accept_events",
    "accept_tracks",
    "open_feed",
    "rejected_ids",
    "set_aside_push",
]
