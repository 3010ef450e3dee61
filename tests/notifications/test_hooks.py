"""What providers call: signed, once, and in four languages."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from apps.core import clock
from apps.journal.models import Entry
from apps.notifications.models import Consent, Message, Reply
from apps.notifications.services import queue_message
from apps.notifications.states import MessageState
from apps.notifications.transports import gateway, memory
from apps.notifications.words import intent_of
from tests.factories import DepotFactory
from tests.notifications.people import ANNA, NOON, OFFICE, draft
from tests.notifications.provider_double import GATEWAY_TOKEN, SECRET, SID
from tests.queueing import drain

pytestmark = pytest.mark.django_db
Form = dict[str, str]


@pytest.fixture(autouse=True)
def keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    settings.TWILIO = {**settings.TWILIO, "account_sid": SID, "auth_token": SECRET}
    settings.MESSAGE_GATEWAY = {"url": "http://127.0.0.1:9", "token": GATEWAY_TOKEN}
    settings.MESSAGE_TRANSPORTS = {
        **settings.MESSAGE_TRANSPORTS,
        "twilio": "apps.notifications.transports.memory.MemoryTransport",
    }
    settings.MESSAGE_PROVIDERS = {"sms": ["twilio"], "whatsapp": ["twilio"]}


def call_twilio(
    settings: Settings, name: str, form: Form, *, query: str = "", secret: str = SECRET
) -> int:
    path = reverse(name) + query
    signature = RequestValidator(secret).compute_signature(
        f"{settings.PUBLIC_URL}{path}", form
    )
    # The cross-site check is on, as it is for browsers: a provider has no cookie.
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path, form, headers={"X-Twilio-Signature": signature})
    return answer.status_code


def reply(settings: Settings, text: str, sid: str = "SM1", **more: str) -> int:
    form = {"MessageSid": sid, "From": ANNA.phone, "Body": text, **more}
    return call_twilio(settings, "twilio-reply", form)


def sent_message() -> Message:
    row = queue_message(draft(DepotFactory(name="Lauf").pk), by=OFFICE, now=NOON)
    assert row is not None
    drain()
    return row


def test_reply_without_twilios_signature_is_refused(settings: Settings) -> None:
    form = {"MessageSid": "SM1", "From": ANNA.phone, "Body": "STOP"}

    assert call_twilio(settings, "twilio-reply", form, secret="another") == 403  # noqa: S106
    assert Client().post(reverse("twilio-reply"), form).status_code == 403
    assert Client().get(reverse("twilio-reply")).status_code == 405
    assert not Reply.objects.exists()


def test_hooks_are_absent_where_no_provider_is_set(settings: Settings) -> None:
    settings.TWILIO = {**settings.TWILIO, "auth_token": ""}
    settings.MESSAGE_GATEWAY = {"url": "", "token": ""}

    assert reply(settings, "STOP") == 404
    assert Client().post(reverse("gateway-hook")).status_code == 404


def test_stop_is_honoured_and_said_once(settings: Settings) -> None:
    first = sent_message()
    waiting = queue_message(
        draft(first.depot_id, reason="planned/2"), by=OFFICE, now=NOON
    )
    assert waiting is not None

    assert reply(settings, "Stopp!") == 200
    assert reply(settings, "Stopp!") == 200
    drain()

    waiting.refresh_from_db()
    assert (waiting.state, waiting.code) == (MessageState.BLOCKED, "no_consent")
    assert Reply.objects.get().message == first
    assert Consent.objects.filter(is_given=False).count() == 3
    assert [one.text for one in memory.OUTBOX[1:]] == [
        "Lauf: Sie erhalten keine Nachrichten mehr. Mit START wieder."
    ]
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert {"message.replied", "consent.withdrawn"} <= kinds


def test_start_gives_messages_back_but_no_marketing(settings: Settings) -> None:
    first = sent_message()
    reply(settings, "STOP", "SM1")
    reply(settings, "start", "SM2")
    drain()

    again = queue_message(
        draft(first.depot_id, reason="planned/2"), by=OFFICE, now=NOON
    )
    offer = queue_message(
        draft(first.depot_id, kind="offer", reason="o/1", values={"text": "Oh!"}),
        by=OFFICE,
        now=NOON,
    )
    assert again is not None
    assert again.state == MessageState.QUEUED
    assert offer is not None
    assert offer.code == "no_consent"
    # Twilio answers STOP and START itself: nobody hears it twice.
    assert len(memory.OUTBOX) == 1


def test_stop_of_a_stranger_counts_too(settings: Settings) -> None:
    reply(settings, "STOP")

    row = queue_message(draft(DepotFactory().pk), by=OFFICE, now=NOON)

    assert row is not None
    assert row.code == "no_consent"


def test_help_is_answered_where_twilio_does_not(settings: Settings) -> None:
    sent_message()
    reply(settings, "HELP", "SM1")
    reply(settings, "Hilfe", "SM2")
    reply(settings, "HELP", "SM3", From=f"whatsapp:{ANNA.phone}")
    drain()

    answers = [(one.channel, one.text[:20]) for one in memory.OUTBOX[1:]]
    assert answers == [
        ("sms", "Lauf: Nachrichten zu"),
        ("whatsapp", "Lauf: Nachrichten zu"),
    ]


def test_question_for_the_order_is_a_fact_of_the_journal(settings: Settings) -> None:
    sent_message()

    reply(settings, "Where is my order??")

    entry = Entry.objects.get(kind="message.asked_where")
    assert entry.payload == {"subject_type": "order", "subject_id": "1"}
    assert "order" not in json.dumps([entry.payload["subject_id"]])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("STOP", "stop"),
        (" stop. ", "stop"),
        ("Bitte stopp", "stop"),
        ("Arrêt", "stop"),
        ("Désabonner", "stop"),
        ("baja", "stop"),
        ("stop at the neighbour's please", "other"),
        ("Please do not stop", "other"),
        ("START", "start"),
        ("weiter", "start"),
        ("Aide", "help"),
        ("ayuda por favor", "help"),
        ("Where's my order?", "where"),
        ("Wo bleibt mein Paket", "where"),
        ("où est ma commande ?", "where"),
        ("¿Dónde está mi pedido?", "where"),
        ("wann", "where"),
        ("Danke!", "other"),
        ("", "other"),
    ],
)
def test_intent_of_a_reply(text: str, intent: str) -> None:
    assert intent_of(text) == intent


def test_receipt_by_twilio_moves_the_message(settings: Settings) -> None:
    row = sent_message()
    attempt = row.attempts.get()
    form = {"MessageSid": "SM77", "MessageStatus": "delivered"}

    status = call_twilio(
        settings, "twilio-status", form, query=f"?attempt={attempt.pk}"
    )

    row.refresh_from_db()
    assert status == 204
    assert row.state == MessageState.DELIVERED
    assert call_twilio(settings, "twilio-status", form, query="?attempt=x") == 204


def call_gateway(body: object, *, age_s: int = 0, token: str = GATEWAY_TOKEN) -> int:
    content = json.dumps(body).encode()
    timestamp = str(int(NOON.timestamp()) - age_s)
    signature = gateway.signature_of("c1", timestamp, content)
    if token != GATEWAY_TOKEN:
        signature = "v1,AAAA"
    answer = Client(enforce_csrf_checks=True).post(
        reverse("gateway-hook"),
        content,
        content_type="application/json",
        headers={
            "Webhook-Id": "c1",
            "Webhook-Timestamp": timestamp,
            "Webhook-Signature": f"v1,BBBB {signature}",
        },
    )
    return answer.status_code


def test_gateway_replies_and_receipts_are_signed_and_fresh(settings: Settings) -> None:
    settings.MESSAGE_PROVIDERS = {"sms": ["gateway"]}
    settings.MESSAGE_TRANSPORTS = {
        "gateway": "apps.notifications.transports.memory.MemoryTransport"
    }
    row = sent_message()
    attempt = row.attempts.get()
    said = {"type": "status", "id": attempt.provider_id, "status": "delivered"}
    stop = {
        "type": "reply",
        "id": "r1",
        "channel": "sms",
        "from": ANNA.phone,
        "text": "STOP",
    }

    assert call_gateway(said, token="another") == 403  # noqa: S106
    assert call_gateway(said, age_s=301) == 403
    assert call_gateway({"type": "status"}) == 400
    assert call_gateway([]) == 400
    assert call_gateway(said) == 204
    assert call_gateway(stop) == 204

    row.refresh_from_db()
    assert row.state == MessageState.DELIVERED
    assert Reply.objects.get().intent == "stop"
