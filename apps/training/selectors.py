"""Questions to the demo; they never write."""

from django.conf import settings
from django.urls import reverse

from apps.training.marking import (
    ADMINISTRATOR,
    STAFF,
    DemoMark,
    read_logins,
    read_mark,
)


def demo_mark() -> DemoMark | None:
    """Return what this installation's demo was made from; None where there is none."""
    return read_mark(settings.DEMO_MARK)


def demo_logins() -> list[str]:
    """Return what the person at the terminal wants to know: log-ins, and where to look."""
    if not settings.DEMO_ALLOWED or demo_mark() is None:
        return []
    roles = {ADMINISTRATOR: "everything", **STAFF}
    held = read_logins(settings.DEMO_LOGINS_FILE)
    logins = [
        f"demo log-in  {name:<12} {password}  ({roles.get(name, '')})"
        for name, password in held.items()
    ]
    messages = (
        f"{settings.PUBLIC_URL}{reverse('admin:notifications_message_changelist')}"
    )
    return [*logins, f"messages     {messages}  (shown, not sent; none at night)"]
