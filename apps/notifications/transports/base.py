"""The port to providers: send a message; tell whether one was sent."""

from typing import ClassVar, Protocol

from apps.notifications.letters import Letter, Taken

TIMEOUT_S = 10.0
"""How long a provider may take to answer: far less than a task may."""


class Transport(Protocol):
    """A provider of one or several channels."""

    name: ClassVar[str]
    channels: ClassVar[frozenset[str]]
    is_idempotent: ClassVar[bool]
    """A repeat with the same key is one message: it may be sent again when in doubt."""

    def send(self, letter: Letter) -> Taken:
        """Hand a message over.

        Raises:
            Rejected: never, to this address; Unsubscribed where the person said so.
            Unavailable: surely not taken; later perhaps.
            Unclear: it may have been taken.
        """

    def find(self, letter: Letter) -> Taken | None:
        """Tell whether the provider has this message; None: surely not.

        Raises:
            CannotTell: this provider cannot be asked.
            Unavailable: it did not answer just now.
        """
