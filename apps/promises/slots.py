"""Which gap of all live routes takes one more visit at least cost, slot by slot. Pure.

All gaps of all routes stand side by side in arrays; a visit is tried in every one of
them for every slot at once. What comes out is a short list: each place on it is then
timed exactly (`standing.price_at`). Times are whole seconds after one common instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from apps.core.units import Point
from apps.promises.standing import Gaps, Standing
from apps.routes.gateways.base import Entries, Spokes
from apps.routes.solver.problem import UNREACHABLE

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = 1 << 60

TRIED = 2
"""Places a slot that are timed exactly; the first is nearly always the one."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is to be brought, for pricing."""

    point: Point
    service_s: int
    demands: tuple[int, ...]
    requires: frozenset[str]
    is_pickup: bool
    on_board_of: int | None = None
    """The route whose van carries it already, by its place in the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """One gap of one route, and what a visit there is reckoned to cost."""

    route: int
    leg: int
    cost_milli: int


@dataclass(frozen=True, slots=True)
class Table:
    """All gaps of all routes; `points` are their places, the rest are columns.

    `route` says whose each gap is. `spare_s` is how long that route may still get before
    overtime; `base_s` is its end less its departure less its duration: what a route that
    has not left saves by leaving late.
    """

    points: tuple[Point, ...]
    gaps: Gaps
    route: Integers
    second: Integers
    metre: Integers
    overtime: Integers
    spare_s: Integers
    base_s: Integers
    is_out: Integers
    percent: Integers


def table_of(routes: Sequence[Standing], since: datetime) -> Table:
    """Lay the gaps of routes side by side, in seconds after `since`."""
    parts: list[tuple[int, Gaps]] = []
    points: list[Point] = []
    firsts: list[int] = []
    for number, one in enumerate(routes):
        firsts.append(len(points))
        points.extend(one.points)
        if one.gaps is not None:
            parts.append((number, one.gaps))
    owner = _joined(
        [np.full(len(gaps.legs), number, dtype=np.int64) for number, gaps in parts]
    )
    shifts = [round((one.day.origin_at - since).total_seconds()) for one in routes]
    rows = np.array([_of_route(one) for one in routes], dtype=np.int64)
    columns = rows.reshape(-1, 7)[owner].T
    return Table(tuple(points), _side_by_side(parts, shifts, firsts), owner, *columns)


def _of_route(one: Standing) -> tuple[int, ...]:
    return (
        one.second_milli,
        one.metre_milli,
        one.overtime_milli,
        max(0, one.shift_ends_s - one.ends_s),
        one.ends_s - one.departs_s - one.lasts_s,
        one.departed,
        one.travel_percent,
    )


def _joined(parts: Sequence[Integers]) -> Integers:
    if not parts:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate(parts, axis=-1)


def _side_by_side(
    parts: Sequence[tuple[int, Gaps]], shifts: Sequence[int], firsts: Sequence[int]
) -> Gaps:
    """Join gaps, their seconds and places counted through."""
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        rests = np.zeros((1, 0), dtype=np.int64)
        names = [one.name for one in fields(Gaps)][:-2]
        columns = dict.fromkeys(names, none)
        return Gaps(**columns, rests_from_s=rests, rests_s=rests)
    return Gaps(
        ready_s=_joined([gaps.ready_s + shifts[i] for i, gaps in parts]),
        latest_s=_joined([gaps.latest_s + shifts[i] for i, gaps in parts]),
        before=_joined([gaps.before + firsts[i] for i, gaps in parts]),
        after=_joined(
            [np.where(gaps.after < 0, -1, gaps.after + firsts[i]) for i, gaps in parts]
        ),
        legs=_joined([gaps.legs for _, gaps in parts]),
        direct_s=_joined([gaps.direct_s for _, gaps in parts]),
        direct_m=_joined([gaps.direct_m for _, gaps in parts]),
        waits_before_s=_joined([gaps.waits_before_s for _, gaps in parts]),
        waits_after_s=_joined([gaps.waits_after_s for _, gaps in parts]),
        slips_before_s=_joined([gaps.slips_before_s for _, gaps in parts]),
        slips_after_s=_joined([gaps.slips_after_s for _, gaps in parts]),
        rests_from_s=_joined([gaps.rests_from_s + shifts[i] for i, gaps in parts]),
        rests_s=_joined([gaps.rests_s for _, gaps in parts]),
    )


def able(routes: Sequence[Standing], visit: Visit) -> Flags:
    """Say which routes may bring it: skills, room, and whether it can still get aboard."""
    found = []
    for number, one in enumerate(routes):
        aboard = visit.on_board_of == number
        fits = all(
            need <= room for need, room in zip(visit.demands, one.room, strict=False)
        )
        reaches = visit.is_pickup or aboard or not one.departed
        if visit.on_board_of is not None and not visit.is_pickup:
            reaches = aboard
        found.append(
            one.gaps is not None
            and fits
            and reaches
            and visit.requires <= one.capabilities
        )
    return np.array(found, dtype=bool)


def short_list(  # noqa: PLR0917  (parallel arrays)
    table: Table,
    visit: Visit,
    spokes: Spokes,
    may: Flags,
    slots: Sequence[tuple[int, int]],
    now_s: int,
) -> list[list[Place]]:
    """List the cheapest places of each slot (opens, closes), `TRIED` at the most."""
    if not len(table.route) or not slots:
        return [[] for _ in slots]
    costs = _costs(table, visit, spokes, slots, now_s)
    costs[:, ~may[table.route]] = NEVER
    most = min(TRIED, costs.shape[1])
    best = np.argpartition(costs, most - 1, axis=1)[:, :most]
    found = []
    for row, columns in enumerate(best):
        ranked = sorted((int(costs[row, one]), int(one)) for one in columns)
        found.append(
            [
                Place(int(table.route[one]), int(table.gaps.legs[one]), cost)
                for cost, one in ranked
                if cost < NEVER
            ]
        )
    return found


def _costs(
    table: Table,
    visit: Visit,
    spokes: Spokes,
    slots: Sequence[tuple[int, int]],
    now_s: int,
) -> Integers:
    """Price every slot (rows) in every gap (columns); NEVER where it is too late."""
    gaps = table.gaps
    closed = gaps.after >= 0
    after = np.maximum(gaps.after, 0)
    there_s = _scaled(spokes.there_s[gaps.before], table.percent)
    back_s = np.where(closed, _scaled(spokes.back_s[after], table.percent), 0)
    arrive_s = np.maximum(gaps.ready_s, now_s) + there_s
    opens_s = np.array([one[0] for one in slots], dtype=np.int64)[:, None]
    closes_s = np.array([one[1] for one in slots], dtype=np.int64)[:, None]
    begin_s = np.maximum(arrive_s[None, :], opens_s)
    onward_s = begin_s + visit.service_s
    for from_s, rest_s in zip(gaps.rests_from_s, gaps.rests_s, strict=True):
        onward_s = np.where(rest_s > 0, np.maximum(onward_s, from_s) + rest_s, onward_s)
    there_by_s = onward_s + back_s
    feasible = (
        (begin_s < closes_s)
        & (there_by_s <= gaps.latest_s)
        & ((there_s < UNREACHABLE) & (back_s < UNREACHABLE))[None, :]
    )
    delay_s = there_by_s - gaps.rests_s.sum(axis=0) - (gaps.ready_s + gaps.direct_s)
    way_s = there_s + back_s + visit.service_s - gaps.direct_s
    slip_s = closes_s - 1 - (arrive_s - gaps.waits_before_s)
    longer_s = _longer(table, way_s, begin_s - arrive_s, delay_s, slip_s)
    over_s = np.maximum(0, delay_s - gaps.waits_after_s - table.spare_s)
    added_m = spokes.there_m[gaps.before] - gaps.direct_m
    added_m = added_m + np.where(closed, spokes.back_m[after], 0)
    costs = longer_s * table.second + over_s * table.overtime + added_m * table.metre
    found: Integers = np.where(feasible, costs, NEVER)
    return found


def _longer(
    table: Table, way_s: Integers, wait_s: Integers, delay_s: Integers, slip_s: Integers
) -> Integers:
    """Return by how much a route gets longer, from its latest departure to its end.

    A visit takes its way and service and waits `wait_s` for its slot; what it delays
    has to wait less. A route that has not left leaves later instead of waiting, as far
    as every stop's window lets it: those before the visit (`slips_before_s`), the visit
    itself (`slip_s`), and those after it, which begin later by the visit's own time.
    """
    gaps = table.gaps
    waits_s = gaps.waits_before_s + wait_s
    waits_s = waits_s + np.maximum(0, gaps.waits_after_s - np.maximum(0, delay_s))
    before_s = gaps.waits_before_s + gaps.waits_after_s
    slips_s = np.minimum(gaps.slips_before_s, gaps.slips_after_s - way_s)
    saved_s = np.maximum(0, np.minimum(np.minimum(slips_s, slip_s), waits_s))
    saved_s = np.where(table.is_out > 0, 0, saved_s)
    longer_s: Integers = way_s + waits_s - before_s + table.base_s - saved_s
    return longer_s


def _scaled(entries: Entries, percent: Integers) -> Integers:
    """Return travel times for vans that take `percent` of them, rounded."""
    seconds = entries.astype(np.int64)
    far = seconds >= UNREACHABLE
    return np.where(far, UNREACHABLE, (seconds * percent + 50) // 100)
