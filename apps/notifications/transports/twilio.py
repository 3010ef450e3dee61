"""Twilio: SMS and WhatsApp by its Messages resource, API version 2010-04-01.

https://www.twilio.com/docs/messaging/api/message-resource. It has no key of idempotency:
after a lost answer its list of messages is asked before anything is sent again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final

from django.conf import settings
from django.urls import reverse
from twilio.request_validator import RequestValidator

from apps.notifications import kinds
from apps.notifications.letters import (
    Letter,
    Rejected,
    Taken,
    Unavailable,
    Unsubscribed,
)
from apps.notifications.transports.http import ask, body_of, call, said

UNSUBSCRIBED: Final = "21610"
QUEUE_FULL: Final = frozenset({"21611", "20429", "14107", "63018"})
"""Too many at once: of our number, our account, or WhatsApp's rate."""

OUR_FAULT: Final = frozenset({401, 403, 404})
"""Account or key are wrong: mended in the settings, not in the message."""

CLOCKS_APART: Final = timedelta(seconds=30)
WHATSAPP_PREFIX: Final = "whatsapp:"


class TwilioTransport:
    """Sends by Twilio's REST API."""

    name: ClassVar[str] = "twilio"
    channels: ClassVar[frozenset[str]] = kinds.BY_PHONE
    is_idempotent: ClassVar[bool] = False

    def send(self, letter: Letter) -> Taken:
        """Create the message; its receipts name the attempt, whatever becomes of this."""
        callback = f"{settings.PUBLIC_URL}{reverse('twilio-status')}"
        form = {
            "To": _address(letter.channel, letter.address),
            **_sender(letter.channel),
            "Body": letter.text,
            "StatusCallback": f"{callback}?attempt={letter.attempt_id}",
        }
        answer = call("POST", _url(), data=form, auth=_auth())
        if answer.status_code in OUR_FAULT:
            raise Unavailable(f"http_{answer.status_code}", said(answer))
        body = body_of(answer)
        if answer.status_code >= 400:
            raise _refusal(str(body.get("code", answer.status_code)), said(answer))
        return Taken(str(body["sid"]), str(body.get("status", "")))

    def find(self, letter: Letter) -> Taken | None:
        """Look for the text among the newest messages to this number."""
        query = {"To": _address(letter.channel, letter.address), "PageSize": "100"}
        answer = ask(_url(), params=query, auth=_auth())
        if answer.status_code >= 400:
            raise Unavailable(f"http_{answer.status_code}", said(answer))
        since = letter.started_at - CLOCKS_APART
        for row in body_of(answer).get("messages", ()):
            if _is_same(row, letter, since):
                return Taken(str(row["sid"]), str(row.get("status", "")))
        return None


def is_signed(url: str, form: Mapping[str, Any], signature: str) -> bool:
    """Tell whether Twilio signed a request to this address with this form."""
    validator = RequestValidator(settings.TWILIO["auth_token"])
    return bool(validator.validate(url, form, signature))


def channel_of(address: str) -> tuple[str, str]:
    """Return channel and number of an address as Twilio writes it."""
    if address.startswith(WHATSAPP_PREFIX):
        return kinds.WHATSAPP, address.removeprefix(WHATSAPP_PREFIX)
    return kinds.SMS, address


def _url() -> str:
    twilio = settings.TWILIO
    return f"{twilio['url']}/2010-04-01/Accounts/{twilio['account_sid']}/Messages.json"


def _auth() -> tuple[str, str]:
    return settings.TWILIO["account_sid"], settings.TWILIO["auth_token"]


def _address(channel: str, number: str) -> str:
    return f"{WHATSAPP_PREFIX}{number}" if channel == kinds.WHATSAPP else number


def _sender(channel: str) -> dict[str, str]:
    if channel == kinds.WHATSAPP:
        return {"From": f"{WHATSAPP_PREFIX}{settings.TWILIO['whatsapp_from']}"}
    sender = settings.TWILIO["from"]
    name = "MessagingServiceSid" if sender.startswith("MG") else "From"
    return {name: sender}


def _refusal(code: str, detail: str) -> Rejected | Unavailable:
    if code == UNSUBSCRIBED:
        return Unsubscribed(code, detail)
    if code in QUEUE_FULL:
        return Unavailable(code, detail)
    return Rejected(code, detail)


def _is_same(row: Mapping[str, Any], letter: Letter, since: datetime) -> bool:
    if row.get("body") != letter.text or row.get("direction") == "inbound":
        return False
    made_at = row.get("date_created")
    return made_at is None or parsedate_to_datetime(made_at) >= since
