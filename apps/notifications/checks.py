"""What `check --deploy` says of messages."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, register

from apps.notifications import kinds

FIRST = (kinds.SMS, kinds.EMAIL)
"""The channels by which a depot writes unless it decides otherwise."""


@register(Tags.security, deploy=True)
def providers_are_set(
    app_configs: Sequence[Any] | None, **options: Any
) -> list[CheckMessage]:
    """Say where messages only go into a file, and where no second provider stands by."""
    found: list[CheckMessage] = []
    for channel in FIRST:
        names = settings.MESSAGE_PROVIDERS.get(channel, [])
        variable = f"{channel.upper()}_VIA"
        title = kinds.CHANNELS[channel]
        if not names:
            found.append(
                Info(
                    f"{title}: no provider is set; messages are written into a file and"
                    " reach nobody.",
                    hint=f"Set {variable}, or take {channel} off the depots' channels.",
                    id="notifications.I001",
                )
            )
        elif channel == kinds.SMS and len(names) == 1:
            found.append(
                Info(
                    f"{title}: there is one provider; while it fails, people hear late.",
                    hint=f"Name a second one in {variable}, as twilio,gateway.",
                    id="notifications.I002",
                )
            )
    return found
