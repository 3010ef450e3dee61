"""Messages go to the memory twin."""

from collections.abc import Iterator

import pytest
import time_machine
from pytest_django import Settings

from apps.notifications.letters import Letter
from apps.notifications.transports import memory
from tests.notifications.people import NOON


@pytest.fixture(autouse=True)
def _by_day() -> Iterator[None]:
    """Let it be noon: at night messages wait, whenever the tests run."""
    with time_machine.travel(NOON):
        yield


@pytest.fixture(autouse=True)
def outbox(settings: Settings) -> Iterator[list[Letter]]:
    """Give what was sent; every channel has the memory twin, twice by another name."""
    settings.MESSAGE_TRANSPORTS = {
        "memory": "apps.notifications.transports.memory.MemoryTransport",
        "second": "apps.notifications.transports.memory.SecondTransport",
    }
    every = ("sms", "whatsapp", "email", "push")
    settings.MESSAGE_PROVIDERS = {channel: ["memory", "second"] for channel in every}
    memory.forget()
    yield memory.OUTBOX
    memory.forget()
