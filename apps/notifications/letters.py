"""What a transport is handed, and what it says of it. Pure."""

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as one provider is given it; `key` is the same for every repeat."""

    message_id: uuid.UUID
    attempt_id: uuid.UUID
    key: str
    channel: str
    provider: str
    address: str
    title: str
    text: str
    about: str
    language: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A provider has the message; its id of it, where it gives one."""

    provider_id: str = ""
    status: str = ""


class SendFailed(Exception):
    """A provider did not take a message; `code` is its own word for why."""

    def __init__(self, code: str, detail: str = "", *, after_s: float = 0.0) -> None:
        """Say why, and after how many seconds the provider wants to be asked again."""
        super().__init__(detail or code)
        self.code, self.detail, self.after_s = code[:40], detail[:300], after_s


class Rejected(SendFailed):
    """It will never take this message to this address."""


class Unsubscribed(Rejected):
    """The person has told the provider to hear nothing more from us."""


class Unavailable(SendFailed):
    """It surely has not taken it; it may, later."""


class Unclear(SendFailed):
    """No answer came: it may have been sent, or not."""


class CannotTell(SendFailed):
    """This provider cannot be asked whether it has sent a message."""
