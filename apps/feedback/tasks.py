"""Background work of feedback: who is asked what after an event, and until when."""

import uuid

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.feedback.services.surveys import ask_driver, expire_asks


def ask_after(*, driver_id: str, because: str, about: str) -> None:
    """Put the survey that an event calls for before its driver, if it is time for one."""
    ask_driver(
        driver_id=uuid.UUID(driver_id),
        because=because,
        about=about,
        by=SYSTEM,
        now=clock.now(),
    )


def expire_surveys() -> None:
    """Take back the surveys that nobody answered in time."""
    expire_asks(by=SYSTEM, now=clock.now())
