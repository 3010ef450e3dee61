"""Quick requests go few at a time, in turn; one that is stuck holds nobody up."""

import asyncio

import pytest

from config.lane import Lane


async def visit(lane: Lane, name: str, log: list[str], leave: asyncio.Event) -> None:
    async with lane:
        log.append(f"{name} in")
        await leave.wait()
    log.append(f"{name} out")


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_lane_lets_in_so_many_and_the_next_in_order() -> None:
    async def scene() -> list[str]:
        log: list[str] = []
        lane = Lane(width=2, stuck_s=60)
        doors = [asyncio.Event() for _ in range(4)]
        visits = [
            asyncio.create_task(visit(lane, str(n), log, door))
            for n, door in enumerate(doors)
        ]
        await settle()
        assert log == ["0 in", "1 in"]
        doors[1].set()
        await settle()
        assert log == ["0 in", "1 in", "1 out", "2 in"]
        for door in doors:
            door.set()
        await asyncio.gather(*visits)
        return log

    assert asyncio.run(scene())[-1].endswith("out")


def test_lane_overtakes_who_is_stuck() -> None:
    async def scene() -> list[str]:
        log: list[str] = []
        lane = Lane(width=1, stuck_s=0.01)
        stuck, free = asyncio.Event(), asyncio.Event()
        free.set()
        first = asyncio.create_task(visit(lane, "stuck", log, stuck))
        await settle()
        others = [
            asyncio.create_task(visit(lane, name, log, free)) for name in ("a", "b")
        ]
        await asyncio.gather(*others)
        assert not first.done()
        stuck.set()
        await first
        return log

    log = asyncio.run(scene())
    assert log == ["stuck in", "a in", "a out", "b in", "b out", "stuck out"]


def test_lane_forgets_who_gave_up_waiting() -> None:
    async def scene() -> None:
        log: list[str] = []
        lane = Lane(width=1, stuck_s=60)
        first_door, last_door = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(visit(lane, "first", log, first_door))
        await settle()
        gave_up = asyncio.create_task(visit(lane, "gave up", log, last_door))
        last = asyncio.create_task(visit(lane, "last", log, last_door))
        await settle()
        gave_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gave_up
        first_door.set()
        last_door.set()
        await asyncio.gather(first, last)
        assert log == ["first in", "first out", "last in", "last out"]

    asyncio.run(scene())
