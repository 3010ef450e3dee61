"""A company's own gateway: SMS, push or email by a small protocol over HTTPS.

It is a second provider of SMS, and the way to an app's push service (FCM, APNs, Web
Push), whose keys and tokens stay with whoever owns the app. `docs/messages.md` has the
protocol. It takes an idempotency key, so that what is in doubt is simply sent again.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.urls import reverse

from apps.notifications import kinds
from apps.notifications.letters import (
    Letter,
    Rejected,
    Taken,
    Unavailable,
    Unsubscribed,
)
from apps.notifications.transports.http import ask, body_of, call, said

OUR_FAULT: Final = frozenset({401, 403, 404})
OLDEST: Final = timedelta(minutes=5)
"""A signed call is good for so long: a recorded one is not played back later."""


class GatewayTransport:
    """Sends by the gateway at `settings.MESSAGE_GATEWAY`."""

    name: ClassVar[str] = "gateway"
    channels: ClassVar[frozenset[str]] = frozenset(kinds.CHANNELS)
    is_idempotent: ClassVar[bool] = True

    def send(self, letter: Letter) -> Taken:
        """Post the message under its key."""
        body = {
            "key": letter.key,
            "attempt": str(letter.attempt_id),
            "channel": letter.channel,
            "to": letter.address,
            "title": letter.title,
            "text": letter.text,
            "language": letter.language,
            "callback": f"{settings.PUBLIC_URL}{reverse('gateway-hook')}",
        }
        headers = {**_headers(), "Idempotency-Key": letter.key}
        answer = call("POST", _url(), json=body, headers=headers)
        if answer.status_code in OUR_FAULT:
            raise Unavailable(f"http_{answer.status_code}", said(answer))
        found = body_of(answer)
        if answer.status_code >= 400:
            code = str(found.get("code", f"http_{answer.status_code}"))
            refusal = Unsubscribed if code == "unsubscribed" else Rejected
            raise refusal(code, said(answer))
        return Taken(str(found.get("id", letter.key)), str(found.get("status", "")))

    def find(self, letter: Letter) -> Taken | None:
        """Ask for the message of this key."""
        answer = ask(f"{_url()}/{letter.key}", headers=_headers())
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise Unavailable(f"http_{answer.status_code}", said(answer))
        found = body_of(answer)
        return Taken(str(found.get("id", letter.key)), str(found.get("status", "")))


def signature_of(call_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature that a call bears (Standard Webhooks, version 1)."""
    content = f"{call_id}.{timestamp}.".encode() + body
    token = settings.MESSAGE_GATEWAY["token"].encode()
    digest = hmac.new(token, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def is_signed(
    call_id: str, timestamp: str, body: bytes, signatures: str, *, now: datetime
) -> bool:
    """Tell whether a call comes from the gateway, and just now."""
    if not timestamp.isdigit() or not call_id:
        return False
    if abs(now.timestamp() - int(timestamp)) > OLDEST.total_seconds():
        return False
    wanted = signature_of(call_id, timestamp, body)
    return any(
        hmac.compare_digest(wanted.encode(), one.encode()) for one in signatures.split()
    )


def _url() -> str:
    return f"{settings.MESSAGE_GATEWAY['url'].rstrip('/')}/messages"


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.MESSAGE_GATEWAY['token']}"}
