"""Background work of feedback: who is asked what after an event, and until when."""

import uuid

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.feedback.services import ask_driver, ask_office, expire_asks


def ask_after(*, driver_id: str, because: str, about: str) -> None:
    """Put the survey that an event calls for before its driver, if it is time for one."""
    ask_driver(
        driver_id=uuid.UUID(driver_id),
        because=because,
        about=about,
        by=SYSTEM,
        now=clock.now(),
    )


def ask_due() -> None:
    """Put the surveys that are due before the people of the office."""
    ask_office(by=SYSTEM, now=clock.now())


def expire_surveys() -> None:
    """Take back the surveys that nobody answered in time."""
    expire_asks(by=SYSTEM, now=clock.now())
