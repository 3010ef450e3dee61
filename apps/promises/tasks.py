"""Background work of promises: holds end by the clock."""

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.promises import services


def expire_holds() -> None:
    """Close the holds whose time is over."""
    services.expire_holds(by=SYSTEM, now=clock.now())
