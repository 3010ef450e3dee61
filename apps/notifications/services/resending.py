"""A person's word that a message shall be sent after all."""

import uuid
from datetime import datetime

from apps.core import queue
from apps.core.actors import Actor
from apps.core.problems import Conflict
from apps.journal.services import writing
from apps.notifications import selectors
from apps.notifications.models import Message
from apps.notifications.selectors import MessageNotFound
from apps.notifications.services.queueing import DELIVER
from apps.notifications.states import RESENDABLE, MessageState


class NotToResend(Conflict):
    """The message is on its way, was sent, or the person does not want it."""

    type = "/problems/message-not-to-resend"
    title = "Only what is dead, held back or in doubt can be sent again."


def resend(*, message_id: uuid.UUID, by: Actor, now: datetime) -> Message:
    """Send what is dead, held back or in doubt, with its tries counted anew.

    A person's no stays a no: only a new yes lets the message go.

    Raises:
        MessageNotFound: there is no such message.
        NotToResend: it is in no such state, has nowhere to go, or is not wanted.
    """
    with writing(by=by, now=now) as journal:
        row = Message.objects.select_for_update().filter(pk=message_id).first()
        if row is None:
            raise MessageNotFound
        if row.state not in RESENDABLE:
            raise NotToResend(f"It is: {row.get_state_display().lower()}.")
        if not row.ways:
            raise NotToResend("There is neither phone nor address to write to.")
        theirs = {address for _, address in row.ways}
        answers = selectors.answers_of(theirs)
        if any(answers.get((one, row.purpose)) is False for one in theirs):
            raise NotToResend("The person does not want messages for this purpose.")
        was = row.state
        row.state, row.code, row.detail = MessageState.QUEUED, "", ""
        row.resent_at, row.resent_by, row.due_at, row.handed_at = now, str(by), now, now
        row.expires_at = None
        row.save()
        queue.enqueue(DELIVER, message_id=str(row.pk))
        journal.record(
            "message.resent", row, depot_id=row.depot_id, kind=row.kind, was=was
        )
    return row
