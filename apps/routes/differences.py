"""What changed on a route, as its driver has to hear it. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop in a sequence, with its ETA."""

    stop_id: str
    eta_at: datetime | None


@dataclass(frozen=True, slots=True)
class RouteDifference:
    """Added, removed and moved stops, and ETAs that moved; JSON values."""

    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    eta_moved: list[dict[str, Any]]

    def __bool__(self) -> bool:
        """Tell whether there is anything to hear."""
        return bool(self.added or self.removed or self.moved or self.eta_moved)


def route_difference(
    old: Sequence[PlannedStop], new: Sequence[PlannedStop], *, eta_moved_s: int
) -> RouteDifference:
    """Compare two sequences of a route's open stops.

    A stop has moved when it is not in the longest run of stops that kept their order,
    so that one stop pulled forward is one move and not a move of all behind it.
    """
    was = {stop.stop_id: (place, stop.eta_at) for place, stop in enumerate(old, 1)}
    now = {stop.stop_id: place for place, stop in enumerate(new, 1)}
    kept = [stop for stop in new if stop.stop_id in was]
    steady = _longest_rising([was[stop.stop_id][0] for stop in kept])
    moved = [stop for place, stop in enumerate(kept) if place not in steady]
    return RouteDifference(
        added=[
            {"stop_id": stop.stop_id, "place": now[stop.stop_id], "eta_at": _iso(stop)}
            for stop in new
            if stop.stop_id not in was
        ],
        removed=[{"stop_id": stop.stop_id} for stop in old if stop.stop_id not in now],
        moved=[
            {
                "stop_id": stop.stop_id,
                "from_place": was[stop.stop_id][0],
                "place": now[stop.stop_id],
                "eta_at": _iso(stop),
            }
            for stop in moved
        ],
        eta_moved=[
            {"stop_id": stop.stop_id, "by_s": by_s, "eta_at": _iso(stop)}
            for stop in kept
            if stop not in moved
            and abs(by_s := _shift_s(was[stop.stop_id][1], stop.eta_at)) >= eta_moved_s
        ],
    )


def _shift_s(old: datetime | None, new: datetime | None) -> int:
    return round((new - old).total_seconds()) if old and new else 0


def _iso(stop: PlannedStop) -> str | None:
    return stop.eta_at.isoformat() if stop.eta_at else None


def _longest_rising(places: Sequence[int]) -> set[int]:
    """Return the indices of a longest strictly rising subsequence (patience)."""
    tails: list[int] = []
    tail_index: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        pile = bisect_left(tails, place)
        before.append(tail_index[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(place)
            tail_index.append(index)
        else:
            tails[pile], tail_index[pile] = place, index
    chosen: set[int] = set()
    index = tail_index[-1] if tail_index else -1
    while index >= 0:
        chosen.add(index)
        index = before[index]
    return chosen
