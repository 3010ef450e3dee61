"""The poke socket: hello, pokes, and who may listen. No socket but in memory."""

# asgiref's test double has no types.
# mypy: disable-error-code="no-untyped-call"

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import User

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers.authentication import device_credential
from apps.drivers.models import Token
from apps.drivers.services import open_session, revoke_device
from apps.journal import pokes
from apps.journal.models import FeedHead
from apps.sync import consumers, tailer
from apps.sync.routing import websocket_urlpatterns
from tests.sync.builders import Day, Handheld, add_stop, enrol, publish_day

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/ws/sync/v1"
PATIENCE_S = 120.0
Scenario = Callable[[], Awaitable[None]]


class Talk(ApplicationCommunicator):
    """The other end of a socket."""

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        frame = await self.receive_output(timeout=PATIENCE_S)
        assert frame["type"] == "websocket.send"
        message: dict[str, Any] = json.loads(frame["text"])
        return message

    async def is_silent(self) -> bool:
        return bool(await self.receive_nothing(timeout=0.6))

    async def closing(self) -> int:
        frame = await self.receive_output(timeout=PATIENCE_S)
        assert frame["type"] == "websocket.close"
        code: int = frame["code"]
        return code


def play(scenario: Scenario) -> None:
    """Run a scenario on an event loop of its own, the database in this thread."""
    async_to_sync(scenario)()


@asynccontextmanager
async def socket(
    token: str = "", subprotocols: list[str] | None = None
) -> AsyncIterator[Talk]:
    """Open a socket; close it after the scenario."""
    headers = [(b"authorization", f"Token {token}".encode())] if token else []
    app: Any = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]
    offered = subprotocols or []
    scope = {
        "type": "websocket",
        "path": PATH,
        "query_string": b"",
        "headers": headers,
        "subprotocols": offered,
    }
    talk = Talk(app, scope)
    await talk.send_input({"type": "websocket.connect"})
    accepted = await talk.receive_output(timeout=PATIENCE_S)
    assert accepted["type"] == "websocket.accept"
    chosen = consumers.SUBPROTOCOL if consumers.SUBPROTOCOL in offered else None
    assert accepted["subprotocol"] == chosen
    try:
        yield talk
    finally:
        await talk.send_input({"type": "websocket.disconnect", "code": 1000})
        await talk.wait(timeout=PATIENCE_S)


def test_socket_shows_a_session_as_a_request_does() -> None:
    """Whose a device's own token is follows the newest session that it has shown."""
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    device = enrol(day.driver)
    user = User.objects.get(pk=other.driver.user_id)
    opened = open_session(
        device_id=device.device_id, user=user, by=SYSTEM, now=clock.now()
    )

    def acts_for() -> Any:
        shown = device_credential(device.device_token)
        return shown.driver.pk if shown else None

    async def scenario() -> None:
        assert await sync_to_async(acts_for)() == day.driver.pk
        async with socket(opened.token) as talk:
            assert (await talk.hear())["type"] == "hello"
            assert await sync_to_async(acts_for)() == other.driver.pk

    play(scenario)


def head_of(day: Day) -> int:
    return FeedHead.objects.get(pk=day.driver.pk).head


def test_socket_says_hello_and_pokes_its_own_driver_alone() -> None:
    day, other = publish_day(), publish_day()
    device = enrol(day.driver)

    async def scenario() -> None:
        async with socket(device.session_token) as talk:
            hello = await talk.hear()
            assert hello["type"] == "hello"
            assert hello["ping_s"] == 20.0
            assert hello["head"] == await sync_to_async(head_of)(day)
            assert hello["cursor"] == f"e1.{hello['head']}"
            await sync_to_async(add_stop)(other, clock.now())
            assert await talk.is_silent()
            await sync_to_async(add_stop)(day, clock.now())
            assert await talk.hear() == {"type": "poke", "head": hello["head"] + 1}

    play(scenario)


def test_pokes_are_coalesced() -> None:
    day = publish_day()
    device = enrol(day.driver)

    def burst() -> None:
        for _ in range(6):
            add_stop(day, clock.now())

    async def scenario() -> None:
        async with socket(device.session_token) as talk:
            hello = await talk.hear()
            began = time.monotonic()
            await sync_to_async(burst)()
            heads = [0]
            while heads[-1] < hello["head"] + 6:
                heads.append((await talk.hear())["head"])
            looks = (time.monotonic() - began) / tailer.COALESCE_S
            assert heads == sorted(heads)
            assert len(heads) - 1 <= looks + 1
            assert await talk.is_silent()

    play(scenario)


def test_sockets_of_one_driver_are_both_poked_and_the_tailer_ends_with_them() -> None:
    day = publish_day()
    first, second = enrol(day.driver), enrol(day.driver)

    async def scenario() -> None:
        async with socket(first.session_token) as one:
            await one.hear()
            async with socket(second.session_token) as two:
                await two.hear()
                await sync_to_async(add_stop)(day, clock.now())
                assert (await one.hear())["type"] == "poke"
                assert (await two.hear())["type"] == "poke"
            await sync_to_async(add_stop)(day, clock.now())
            assert (await one.hear())["type"] == "poke"
        running = {str(task.get_coro()) for task in asyncio.all_tasks()}
        assert not any("Tailer._run" in task for task in running)

    play(scenario)


def test_change_of_an_instant_long_ago_is_found_by_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tailer, "SWEEP_S", 0.3)
    day = publish_day()
    device = enrol(day.driver)

    async def scenario() -> None:
        async with socket(device.session_token) as talk:
            await talk.hear()
            long_ago = datetime(2001, 1, 1, tzinfo=UTC)
            await sync_to_async(add_stop)(day, long_ago)
            assert (await talk.hear())["type"] == "poke"

    play(scenario)


def test_first_change_of_all_is_found_where_no_head_had_moved() -> None:
    day = publish_day()
    FeedHead.objects.all().delete()
    heads, since = tailer.read_heads(None, [])
    assert heads == {}
    add_stop(day, clock.now())
    heads, _ = tailer.read_heads(since, [])
    assert heads == {day.driver.pk: head_of(day)}


def test_change_between_the_head_and_its_subscription_is_heard_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pokes, "has_bell", lambda: True)
    monkeypatch.setattr(pokes, "rings", silence)
    monkeypatch.setattr(pokes, "ring", lambda _scopes: None)
    monkeypatch.setattr(tailer, "POLL_WITH_BELL_S", PATIENCE_S)
    day, early = publish_day(), publish_day()
    first = enrol(early.driver)

    async def scenario() -> None:
        async with socket(first.session_token) as talk:
            await talk.hear()
            await asyncio.sleep(2 * tailer.COALESCE_S)  # the tailer rests by now
            heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            head = await sync_to_async(head_of)(day)
            await sync_to_async(add_stop)(day, clock.now())
            ear = tailer.tailer().subscribe(day.driver.pk, head, heard.set_result)
            async with asyncio.timeout(PATIENCE_S / 2):
                assert await heard == head + 1
            await tailer.tailer().unsubscribe(ear)

    play(scenario)


async def silence() -> AsyncIterator[None]:
    """Ring no bell."""
    await asyncio.Event().wait()
    yield


def test_browser_sends_the_token_as_a_subprotocol() -> None:
    device = enrol(publish_day().driver)
    offered = [consumers.SUBPROTOCOL, f"token.{device.session_token}"]

    async def scenario() -> None:
        async with socket(subprotocols=offered) as talk:
            assert (await talk.hear())["type"] == "hello"

    play(scenario)


def test_token_may_come_as_the_first_message() -> None:
    device = enrol(publish_day().driver)

    async def scenario() -> None:
        async with socket() as talk:
            await talk.say("what?")
            await talk.say('{"type": "ping"}')
            assert await talk.hear() == {"type": "pong"}
            await talk.say(json.dumps({"type": "auth", "token": device.session_token}))
            assert (await talk.hear())["type"] == "hello"

    play(scenario)


def test_socket_without_a_token_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "AUTH_WITHIN_S", 0.1)

    async def scenario() -> None:
        async with socket() as talk:
            assert await talk.closing() == consumers.SIGN_IN_AGAIN

    play(scenario)


def refused(device: Handheld, token: str, code: int) -> None:
    async def scenario() -> None:
        async with socket(token) as talk:
            assert await talk.closing() == code

    play(scenario)
    assert device.device_id


def test_socket_wants_a_session_that_lasts() -> None:
    device = enrol(publish_day().driver)
    refused(device, "0" * 64, consumers.SIGN_IN_AGAIN)
    refused(device, device.device_token, consumers.SIGN_IN_AGAIN)
    past = clock.now() - timedelta(seconds=1)
    Token.objects.filter(purpose="session").update(expiry=past)
    refused(device, device.session_token, consumers.SIGN_IN_AGAIN)


def test_socket_of_a_revoked_device_is_closed_also_when_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "CHECK_S", 0.0)
    monkeypatch.setattr(consumers, "PING_S", 0.1)
    device = enrol(publish_day().driver)

    def revoke() -> None:
        revoke_device(
            device_id=device.device_id, action="wipe", by=SYSTEM, now=clock.now()
        )

    async def scenario() -> None:
        async with socket(device.session_token) as talk:
            assert (await talk.hear())["type"] == "hello"
            assert (await talk.hear())["type"] == "ping"
            await sync_to_async(revoke)()
            message = await talk.receive_output(timeout=PATIENCE_S)
            while message["type"] == "websocket.send":
                assert json.loads(message["text"])["type"] == "ping"
                message = await talk.receive_output(timeout=PATIENCE_S)
            assert message["code"] == consumers.REVOKED

    play(scenario)
    refused(device, device.session_token, consumers.REVOKED)
