"""A customer objects to a time that the machine has moved: the office's inbox has it."""

import hashlib
from datetime import datetime

from apps.core.problems import FieldError, Invalid, NotFound
from apps.customers.changes import time_change
from apps.customers.models import Link
from apps.customers.services.moving import customer_of
from apps.feedback.models import Feedback
from apps.feedback.services import Opinion, Speaker, record_feedback
from apps.feedback.services.opinions import CUSTOMER


class NothingChanged(NotFound):
    """The time stands as it was told, or the delivery is over."""

    type = "/problems/nothing-changed"
    title = "There is no change to object to."


def object_to_change(*, link: Link, words: str, now: datetime) -> Feedback:
    """Keep a customer's objection to the newest change of the time, as feedback.

    The same words twice are one saying; other words take the place of the first.

    Raises:
        NothingChanged: there is no such change.
        Invalid: nothing was said.
    """
    if not words.strip():
        text = "Say what does not suit you."
        raise Invalid(text, errors=[FieldError("/words", "required", text)])
    change = time_change(link, now=now)
    if change is None:
        raise NothingChanged
    about = f"{change.recommendation_id}:{words.strip()}"
    digest = hashlib.sha256(about.encode()).hexdigest()[:24]
    person = customer_of(link)
    return record_feedback(
        recommendation_id=change.recommendation_id,
        speaker=Speaker(
            person, CUSTOMER, link.order.depot_id, stop_id=str(change.stop_id)
        ),
        opinion=Opinion(text=words.strip()[:2000], is_objection=True),
        given_at=now,
        source_key=f"objection:{link.pk}:{digest}",
        by=person,
        now=now,
    )
