"""Where providers call: replies and receipts, each signed by its sender."""

import json
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.core import clock
from apps.core.actors import Actor
from apps.notifications import kinds, words
from apps.notifications.services.receipts import note_receipt
from apps.notifications.services.replies import Incoming, take_reply
from apps.notifications.transports import gateway, twilio

Hook = Callable[[HttpRequest], HttpResponse]
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
LARGEST = 64 * 1024
BY_TWILIO, BY_GATEWAY = Actor("provider", "twilio"), Actor("provider", "gateway")


def signed_by_twilio(hook: Hook) -> Hook:
    """Let a call pass that bears Twilio's signature over address and form."""

    @wraps(hook)
    def wrapper(request: HttpRequest) -> HttpResponse:
        if not settings.TWILIO["auth_token"]:
            raise Http404
        # The address as Twilio was given it: a proxy may have changed the host.
        url = f"{settings.PUBLIC_URL}{request.get_full_path()}"
        signature = request.headers.get("X-Twilio-Signature", "")
        if not twilio.is_signed(url, request.POST, signature):
            return HttpResponse("The signature is not Twilio's.", status=403)
        return hook(request)

    return wrapper


@csrf_exempt
@require_POST
@signed_by_twilio
def twilio_reply(request: HttpRequest) -> HttpResponse:
    """Take what a person wrote back; an answer goes by the outbox."""
    form = request.POST
    channel, address = twilio.channel_of(form.get("From", ""))
    text = form.get("Body", "")
    incoming = Incoming(
        provider="twilio",
        provider_id=form.get("MessageSid", ""),
        channel=channel,
        address=address,
        text=text,
        is_answered=_twilio_answers(channel, text, form.get("OptOutType", "")),
    )
    take_reply(incoming, by=BY_TWILIO, now=clock.now())
    return HttpResponse(NOTHING_TO_SAY, content_type="text/xml")


@csrf_exempt
@require_POST
@signed_by_twilio
def twilio_status(request: HttpRequest) -> HttpResponse:
    """Take a receipt: how far a message is."""
    form = request.POST
    note_receipt(
        provider="twilio",
        provider_id=form.get("MessageSid", ""),
        attempt_id=_uuid(request.GET.get("attempt", "")),
        status=form.get("MessageStatus", ""),
        code=form.get("ErrorCode", ""),
        providers=settings.MESSAGE_PROVIDERS,
        by=BY_TWILIO,
        now=clock.now(),
    )
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def gateway_hook(request: HttpRequest) -> HttpResponse:
    """Take a reply or a receipt of the company's own gateway."""
    if not settings.MESSAGE_GATEWAY["token"]:
        raise Http404
    signatures = request.headers.get("Webhook-Signature", "")
    call_id = request.headers.get("Webhook-Id", "")
    timestamp = request.headers.get("Webhook-Timestamp", "")
    if len(request.body) > LARGEST:
        return HttpResponse("That is too much.", status=413)
    if not gateway.is_signed(
        call_id, timestamp, request.body, signatures, now=clock.now()
    ):
        return HttpResponse("The signature is not the gateway's.", status=403)
    try:
        body = json.loads(request.body)
        _take_from_gateway(body)
    except (ValueError, KeyError, TypeError):
        return HttpResponse("The call is not as docs/messages.md says.", status=400)
    return HttpResponse(status=204)


def _take_from_gateway(body: dict[str, Any]) -> None:
    now = clock.now()
    if body["type"] == "reply":
        if body["channel"] not in kinds.CHANNELS:
            raise ValueError(body["channel"])
        incoming = Incoming(
            provider="gateway",
            provider_id=str(body["id"]),
            channel=body["channel"],
            address=str(body["from"]),
            text=str(body["text"]),
        )
        take_reply(incoming, by=BY_GATEWAY, now=now)
        return
    note_receipt(
        provider="gateway",
        provider_id=str(body["id"]),
        attempt_id=_uuid(str(body.get("attempt", ""))),
        status=str(body["status"]),
        code=str(body.get("code", "")),
        providers=settings.MESSAGE_PROVIDERS,
        by=BY_GATEWAY,
        now=now,
    )


def _twilio_answers(channel: str, text: str, opt_out: str) -> bool:
    """Tell whether Twilio answers such a word itself, as it does on SMS numbers."""
    plain = words.plain_words(text).replace(" ", "")
    return bool(opt_out) or (channel == kinds.SMS and plain in words.AT_TWILIO)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
