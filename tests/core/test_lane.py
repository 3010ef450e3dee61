"""Quick requests go few at a time, in turn; one that is stuck holds nobody up."""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from config.bridge import Bridge
from config.lane import Lane

PATIENCE_S = 20.0
Log = queue.Queue[str]


def visit(name: str, log: Log, leave: threading.Event) -> Callable[[], None]:
    def work() -> None:
        log.put(f"{name} in")
        assert leave.wait(PATIENCE_S)
        log.put(f"{name} out")

    return work


async def told(log: Log, count: int) -> list[str]:
    """Return so many lines of the log, as soon as they are there."""
    loop = asyncio.get_running_loop()
    return [
        await loop.run_in_executor(None, lambda: log.get(timeout=PATIENCE_S))
        for _ in range(count)
    ]


def play(
    scene: Callable[[Lane], Coroutine[Any, Any, None]], *, width: int, stuck_s: float
) -> None:
    with ThreadPoolExecutor(10) as threads:
        asyncio.run(scene(Lane(threads.submit, width, stuck_s)))


def test_lane_lets_in_so_many_and_the_next_in_order() -> None:
    async def scene(lane: Lane) -> None:
        log: Log = queue.Queue()
        doors = [threading.Event() for _ in range(4)]
        for number, door in enumerate(doors):
            lane.put(visit(str(number), log, door))
        assert sorted(await told(log, 2)) == ["0 in", "1 in"]
        assert log.empty()
        doors[1].set()
        assert await told(log, 2) == ["1 out", "2 in"]
        assert log.empty()
        for door in doors:
            door.set()
        rest = await told(log, 4)
        assert rest[-1].endswith("out")
        assert log.empty()

    play(scene, width=2, stuck_s=60)


def test_lane_overtakes_who_is_stuck() -> None:
    async def scene(lane: Lane) -> None:
        log: Log = queue.Queue()
        stuck, free = threading.Event(), threading.Event()
        free.set()
        lane.put(visit("stuck", log, stuck))
        assert await told(log, 1) == ["stuck in"]
        for name in ("a", "b"):
            lane.put(visit(name, log, free))
        assert await told(log, 4) == ["a in", "a out", "b in", "b out"]
        stuck.set()
        assert await told(log, 1) == ["stuck out"]

    play(scene, width=1, stuck_s=0.01)


def test_lane_is_as_narrow_again_when_what_was_stuck_is_out() -> None:
    async def scene(lane: Lane) -> None:
        log: Log = queue.Queue()
        stuck, second, third = (threading.Event() for _ in range(3))
        lane.put(visit("stuck", log, stuck))
        lane.put(visit("second", log, second))
        assert await told(log, 2) == ["stuck in", "second in"]
        lane._stuck_s = 60  # from here on nobody overtakes
        lane.put(visit("third", log, third))
        second.set()
        assert await told(log, 1) == ["second out"]
        stuck.set()
        assert await told(log, 2) == ["stuck out", "third in"]
        lane.put(visit("fourth", log, third))
        third.set()
        assert await told(log, 3) == ["third out", "fourth in", "fourth out"]

    play(scene, width=1, stuck_s=0.01)


def test_bridge_does_not_answer_who_gave_up_waiting() -> None:
    """The thread is busy with the first request when the second is given up."""
    inside, leave = threading.Event(), threading.Event()
    seen: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        inside.set()
        assert leave.wait(PATIENCE_S)
        start_response("200 OK", [])
        return Whole([b""])

    async def ask(bridge: Bridge, path: str) -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            assert message["type"].startswith("http.response")

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "http_version": "1.1",
            "headers": [],
        }
        await bridge(scope, receive, send)

    async def scene() -> None:
        bridge = Bridge(application, workers=1, quick=("/",))
        first = asyncio.create_task(ask(bridge, "/first"))
        await asyncio.get_running_loop().run_in_executor(None, inside.wait)
        gave_up = asyncio.create_task(ask(bridge, "/gave-up"))
        last = asyncio.create_task(ask(bridge, "/last"))
        await asyncio.sleep(0)  # both are in the lane
        gave_up.cancel()
        leave.set()
        await asyncio.gather(first, last)
        assert gave_up.cancelled()

    asyncio.run(scene())
    assert seen == ["/first", "/last"]


class Whole(list[bytes]):
    """An answer as Django gives it, all of it at hand."""

    streaming = False
