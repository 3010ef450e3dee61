"""What runs in the background: pricing, and what time does to requests."""

import uuid

from apps.core import clock
from apps.core.queue import TryAgain
from apps.overrides.pricing import price_override
from apps.overrides.services import watching
from apps.routes.services.fitting import StaleInput


def price(override_id: str) -> None:
    """Work out what a request costs, and let the table of rights decide."""
    try:
        price_override(uuid.UUID(override_id), now=clock.now())
    except StaleInput as moved:
        raise TryAgain(moved.detail, after_s=2) from moved


def watch() -> None:
    """Expire what nobody answered in time; ask the next role where one is silent."""
    now = clock.now()
    watching.expire_overrides(now=now)
    watching.escalate_overrides(now=now)
