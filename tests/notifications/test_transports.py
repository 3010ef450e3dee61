"""One suite over every transport: what the outbox relies on holds for all of them."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.core import clock
from apps.notifications.letters import (
    CannotTell,
    Letter,
    Rejected,
    SendFailed,
    Unavailable,
    Unclear,
    Unsubscribed,
)
from apps.notifications.transports import gateway, http, mail, memory, twilio
from apps.notifications.transports.base import Transport
from apps.notifications.transports.console import ConsoleTransport
from tests.factories import NOW
from tests.notifications.provider_double import (
    GATEWAY_TOKEN,
    SECRET,
    SID,
    Double,
    GatewayHandler,
    MailServer,
    TwilioHandler,
    serving,
)

TEXT = "Lauf: Lieferung Di 17.3. 10:00-12:00. Größe & 50 % + mehr: https://x.example/t"
SMS, EMAIL = "+4915112345678", "anna@example.com"


def letter(provider: str = "memory", channel: str = "sms") -> Letter:
    return Letter(
        message_id=uuid.uuid4(),
        attempt_id=uuid.uuid4(),
        key=uuid.uuid4().hex,
        channel=channel,
        provider=provider,
        address=EMAIL if channel == "email" else SMS,
        title="Ihre Lieferung",
        text=TEXT,
        about="planned R-1",
        language="de",
        started_at=NOW,
    )


@dataclass
class Rig:
    """A transport with what stands for its provider."""

    transport: Transport
    channel: str
    taken: Any
    fail: Any
    """Makes the next sends fail: `refuse`, `unsubscribed`, `busy`, `lose`, `down`."""
    can: frozenset[str]
    tells: bool = True
    stack: ExitStack = field(default_factory=ExitStack)

    def letter(self) -> Letter:
        return letter(self.transport.name, self.channel)


def twilio_rig(settings: Settings, channel: str) -> Rig:
    double = Double(TwilioHandler)
    stack = ExitStack()
    stack.enter_context(serving(double))
    settings.TWILIO = {
        "account_sid": SID,
        "auth_token": SECRET,
        "from": "+4930123456",
        "whatsapp_from": "+4930123457",
        "url": double.url,
    }

    def fail(how: str) -> None:
        if how == "lose":
            double.loses += 1
        elif how == "down":
            settings.TWILIO = {**settings.TWILIO, "url": "http://127.0.0.1:9"}
        else:
            code, status = {
                "refuse": (21211, 400),
                "unsubscribed": (21610, 400),
                "busy": (20429, 429),
            }[how]
            body = {"code": code, "message": "No.", "status": status}
            double.refusals.append((status, body, {"Retry-After": "7"}))

    def taken() -> list[tuple[str, str]]:
        return [
            (row["to"].removeprefix("whatsapp:"), row["body"]) for row in double.taken
        ]

    can = frozenset({"refuse", "unsubscribed", "busy", "lose", "down"})
    return Rig(twilio.TwilioTransport(), channel, taken, fail, can, stack=stack)


def gateway_rig(settings: Settings) -> Rig:
    double = Double(GatewayHandler)
    stack = ExitStack()
    stack.enter_context(serving(double))
    settings.MESSAGE_GATEWAY = {"url": double.url, "token": GATEWAY_TOKEN}

    def fail(how: str) -> None:
        if how == "lose":
            double.loses += 1
        elif how == "down":
            settings.MESSAGE_GATEWAY = {
                "url": "http://127.0.0.1:9",
                "token": GATEWAY_TOKEN,
            }
        else:
            code, status = {
                "refuse": ("bad_number", 422),
                "unsubscribed": ("unsubscribed", 422),
                "busy": ("later", 503),
            }[how]
            double.refusals.append((status, {"code": code}, {"Retry-After": "7"}))

    def taken() -> list[tuple[str, str]]:
        return [(row["to"], row["text"]) for row in double.taken]

    can = frozenset({"refuse", "unsubscribed", "busy", "lose", "down"})
    return Rig(gateway.GatewayTransport(), "push", taken, fail, can, stack=stack)


def mail_rig(settings: Settings) -> Rig:
    server = MailServer()
    stack = ExitStack()
    stack.enter_context(serving(server))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    def fail(how: str) -> None:
        if how == "lose":
            server.breaks += 1
        elif how == "down":
            settings.EMAIL_PORT = 9
        else:
            code = {"refuse": "550 no such user", "busy": "451 come again"}[how]
            server.replies.append(code)

    def taken() -> list[tuple[str, str]]:
        found = []
        for row in server.taken:
            email = message_from_bytes(row["body"].encode(), policy=policy.default)
            found.append((row["to"], str(email.get_content()).strip()))
        return found

    can = frozenset({"refuse", "busy", "lose", "down"})
    return Rig(
        mail.MailTransport(), "email", taken, fail, can, tells=False, stack=stack
    )


def console_rig(settings: Settings, folder: Path) -> Rig:
    settings.MESSAGE_FILE = folder / "out" / "messages.jsonl"

    def fail(how: str) -> None:
        assert how == "down"
        settings.MESSAGE_FILE = folder  # a directory is no file

    def taken() -> list[tuple[str, str]]:
        lines = (folder / "out" / "messages.jsonl").read_text().splitlines()
        return [(row["to"], row["text"]) for row in map(json.loads, lines)]

    return Rig(ConsoleTransport(), "sms", taken, fail, frozenset({"down"}))


def memory_rig() -> Rig:
    failures: dict[str, SendFailed] = {
        "refuse": Rejected("21211"),
        "unsubscribed": Unsubscribed("21610"),
        "busy": Unavailable("429", after_s=7),
        "lose": Unclear(memory.LOSES_ANSWERS),
        "down": Unavailable("no_connection"),
    }

    def taken() -> list[tuple[str, str]]:
        return [(one.address, one.text) for one in memory.OUTBOX]

    def fail(how: str) -> None:
        memory.FAILURES.append(failures[how])

    return Rig(memory.MemoryTransport(), "sms", taken, fail, frozenset(failures))


@pytest.fixture(
    params=["twilio-sms", "twilio-whatsapp", "gateway", "mail", "console", "memory"]
)
def rig(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Rig]:
    monkeypatch.setattr(http, "TIMEOUT_S", 0.3)
    made = {
        "twilio-sms": lambda: twilio_rig(settings, "sms"),
        "twilio-whatsapp": lambda: twilio_rig(settings, "whatsapp"),
        "gateway": lambda: gateway_rig(settings),
        "mail": lambda: mail_rig(settings),
        "console": lambda: console_rig(settings, tmp_path),
        "memory": memory_rig,
    }[request.param]()
    with made.stack:
        yield made


def make_fail(rig: Rig, how: str) -> None:
    if how not in rig.can:
        pytest.skip("this provider does not fail so")
    rig.fail(how)


def test_send_hands_over_address_and_text(rig: Rig) -> None:
    one = rig.letter()

    taken = rig.transport.send(one)

    assert rig.taken() == [(one.address, TEXT)]
    assert taken.provider_id


def test_refusal_is_final(rig: Rig) -> None:
    make_fail(rig, "refuse")

    with pytest.raises(Rejected) as refusal:
        rig.transport.send(rig.letter())

    assert not isinstance(refusal.value, Unsubscribed)
    assert refusal.value.code


def test_unsubscribed_is_told_apart(rig: Rig) -> None:
    make_fail(rig, "unsubscribed")

    with pytest.raises(Unsubscribed):
        rig.transport.send(rig.letter())


def test_busy_is_unavailable_and_says_when_to_come_again(rig: Rig) -> None:
    make_fail(rig, "busy")

    with pytest.raises(Unavailable) as failure:
        rig.transport.send(rig.letter())

    assert failure.value.after_s == (0 if rig.channel == "email" else 7)


def test_nobody_there_is_unavailable(rig: Rig) -> None:
    make_fail(rig, "down")

    with pytest.raises(Unavailable):
        rig.transport.send(rig.letter())


def test_lost_answer_is_unclear_and_can_be_asked_for(rig: Rig) -> None:
    make_fail(rig, "lose")
    one = rig.letter()

    with pytest.raises(Unclear):
        rig.transport.send(one)

    assert len(rig.taken()) == 1
    if rig.transport.is_idempotent:
        rig.transport.send(one)
        assert len(rig.taken()) == 1
    if rig.tells:
        found = rig.transport.find(one)
        assert found is not None
        assert found.provider_id
    else:
        with pytest.raises(CannotTell):
            rig.transport.find(one)


def test_what_was_never_sent_is_not_found(rig: Rig) -> None:
    rig.transport.send(replace(rig.letter(), text="Another text."))

    if rig.tells:
        assert rig.transport.find(rig.letter()) is None


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (401, {"code": 20003}, Unavailable),
        (500, {}, Unclear),
        (502, {}, Unclear),
        (503, {}, Unavailable),
        (400, {"code": 21614, "message": "not a mobile number"}, Rejected),
        (400, {"code": 21408, "message": "permission for the region"}, Rejected),
        (429, {"code": 20429}, Unavailable),
        (400, {"code": 21611}, Unavailable),
    ],
)
def test_twilio_error_means(
    settings: Settings, status: int, body: dict[str, Any], failure: type[SendFailed]
) -> None:
    rig = twilio_rig(settings, "sms")
    with rig.stack:
        double = _double_of(rig)
        double.refusals.append((status, body, {}))
        with pytest.raises(failure):
            rig.transport.send(rig.letter())


def test_twilio_is_told_where_receipts_go(settings: Settings) -> None:
    rig = twilio_rig(settings, "whatsapp")
    with rig.stack:
        one = rig.letter()
        rig.transport.send(one)
        [row] = _double_of(rig).taken

    assert row["to"] == f"whatsapp:{SMS}"
    assert row["from"] == "whatsapp:+4930123457"
    url = f"{settings.PUBLIC_URL}/hooks/twilio/status?attempt={one.attempt_id}"
    assert row["callback"] == url


def test_twilio_message_before_this_attempt_is_another_one(settings: Settings) -> None:
    rig = twilio_rig(settings, "sms")
    with rig.stack:
        one = rig.letter()
        rig.transport.send(one)
        later = clock.now() + timedelta(minutes=5)
        assert rig.transport.find(replace(one, started_at=later)) is None


def _double_of(rig: Rig) -> Double:
    found: Double = rig.fail.__closure__[0].cell_contents
    assert isinstance(found, Double)
    return found
