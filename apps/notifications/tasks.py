"""Background work of messages: send what is due, clear up what is in doubt."""

import uuid
from datetime import timedelta

import structlog
from django.conf import settings

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.notifications import selectors
from apps.notifications.letters import CannotTell, Letter, SendFailed, Unavailable
from apps.notifications.services import delivering
from apps.notifications.transports.choice import transport

log = structlog.get_logger(__name__)


def deliver(*, message_id: str) -> None:
    """Send one message, unless another worker has it.

    What a provider answers is written down at once. A worker that dies between the two
    leaves the claim behind: `watch` finds it, and the provider is asked.
    """
    letter = delivering.claim(
        uuid.UUID(message_id),
        providers=settings.MESSAGE_PROVIDERS,
        by=SYSTEM,
        now=clock.now(),
    )
    if letter is not None:
        send(letter)


def send(letter: Letter) -> None:
    """Hand a claimed message to its provider, and write down what it says."""
    try:
        taken = transport(letter.provider).send(letter)
    except SendFailed as failure:
        log.info(
            "message_not_sent",
            provider=letter.provider,
            channel=letter.channel,
            code=failure.code,
            how=type(failure).__name__,
        )
        delivering.note_failed(
            letter,
            failure,
            providers=settings.MESSAGE_PROVIDERS,
            by=SYSTEM,
            now=clock.now(),
        )
    else:
        delivering.note_sent(letter, taken, by=SYSTEM, now=clock.now())


def clear_up(*, message_id: str) -> None:
    """Find out from its provider whether a message was sent; only then send it again."""
    letter = delivering.doubted(uuid.UUID(message_id))
    if letter is None:
        return
    provider = transport(letter.provider)
    if provider.is_idempotent:
        # A second sending under the same key is the first one.
        delivering.note_absent(letter, by=SYSTEM, now=clock.now())
        return
    try:
        taken = provider.find(letter)
    except (CannotTell, Unavailable) as failure:
        delivering.note_silence(letter, failure, by=SYSTEM, now=clock.now())
        return
    if taken is None:
        delivering.note_absent(letter, by=SYSTEM, now=clock.now())
    else:
        delivering.note_sent(letter, taken, by=SYSTEM, now=clock.now())


def watch(*, by_the_clock: bool = True) -> None:
    """Queue what has become due, and what a dead worker or a lost answer left in doubt.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    now = clock.now()
    given_up = timedelta(seconds=settings.TASK_TIMEOUT_S * 2)
    for message_id in selectors.abandoned_messages(claimed_before=now - given_up):
        delivering.doubt_abandoned(
            message_id, claimed_before=now - given_up, by=SYSTEM, now=now
        )
    asked = delivering.ask_in_doubt(now=now)
    handed = delivering.hand_over_due(again_after=given_up * 4, now=now)
    if asked or handed:
        log.info("messages_handed_over", due=handed, in_doubt=asked)
