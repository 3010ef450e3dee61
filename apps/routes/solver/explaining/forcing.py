"""The plan as somebody else would have it: forced, timed all the same, and priced.

What is asked for may break rules: a window missed, a shift overrun, a van too full. The
forced route is timed as early as it goes, and the validator names what it breaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.lateness import drive_anyhow
from apps.routes.solver.explaining.spots import (
    MOST_BENT,
    put,
    settled,
    short_detours,
)
from apps.routes.solver.explaining.standing import (
    CannotExplain,
    Change,
    compare,
    lay,
    left_out,
)
from apps.routes.solver.insertion import price_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBeside:
    """Serve a stop directly before (or after) another one, on that one's route."""

    job_id: str
    other_id: str
    after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnRoute:
    """Serve a stop by this vehicle, wherever on its route it costs least."""

    job_id: str
    vehicle_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOut:
    """Do not serve a stop at all."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Let a vehicle serve its stops in this sequence, as its driver wants."""

    vehicle_id: str
    job_ids: tuple[str, ...]


Wish = PutBeside | PutOnRoute | LeaveOut | Follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """A forced plan: `change` compares it with the plan that stands.

    `fixed` holds the forced sequence of each vehicle; `around` says that the other
    stops were planned anew about it.
    """

    wish: Wish
    fixed: tuple[tuple[str, tuple[str, ...]], ...]
    solution: Solution
    change: Change
    around: bool = False


Sequences = dict[int, tuple[int, ...]]


def force(standing: Standing, wish: Wish) -> Forced:
    """Carry a wish out in the standing plan: every other stop keeps its place.

    Raises:
        CannotExplain: the wish does not fit the plan; the message says what to change.
    """
    sequences = _wanted(standing, wish)
    solution = lay_forced(standing, sequences)
    view = standing.view
    return Forced(
        wish=wish,
        fixed=tuple(
            (
                view.cars[number].vehicle.id,
                tuple(view.jobs[job].id for job in sequence if job < view.job_count),
            )
            for number, sequence in sorted(sequences.items())
        ),
        solution=solution,
        change=compare(standing.problem, standing.stated, solution),
    )


def lay_forced(standing: Standing, sequences: Mapping[int, Sequence[int]]) -> Solution:
    """State the plan with these sequences in the place of those of the same cars.

    Raises:
        CannotExplain: there is no way along a sequence.
    """
    view, routes = standing.view, list(standing.routes)
    for number, sequence in sequences.items():
        if tuple(sequence) != routes[number].sequence:
            routes[number] = drive_anyhow(view, number, sequence)
    return lay(view, routes, left_out(view, routes), standing.solution)


def _wanted(standing: Standing, wish: Wish) -> Sequences:
    """Return the sequences that a wish changes."""
    if isinstance(wish, Follow):
        return _followed(standing, wish)
    job = standing.job(wish.job_id)
    sequences = _without(standing, job)
    if isinstance(wish, LeaveOut):
        if not sequences:
            raise CannotExplain("The plan leaves it out already.")
        return sequences
    if isinstance(wish, PutBeside):
        return _beside(standing, job, wish, sequences)
    return _on_route(standing, job, standing.car(wish.vehicle_id), sequences)


def _without(standing: Standing, job: int) -> Sequences:
    """Return the sequence that loses the job, if any does."""
    home = standing.home(job)
    if home is None:
        return {}
    number, leg = home
    if leg < len(standing.view.cars[number].locked):
        raise CannotExplain(
            "Its driver is bound to this stop already: it can neither move nor go."
        )
    sequence = standing.routes[number].sequence
    return {number: (*sequence[:leg], *sequence[leg + 1 :])}


def _beside(
    standing: Standing, job: int, wish: PutBeside, sequences: Sequences
) -> Sequences:
    other = standing.job(wish.other_id)
    if other == job:
        raise CannotExplain("A stop cannot come before or after itself: name two.")
    home = standing.home(other)
    if home is None:
        raise CannotExplain("The other stop is left out: it has no place in the plan.")
    number = home[0]
    sequence = sequences.get(number, standing.routes[number].sequence)
    leg = sequence.index(other) + wish.after
    locked = len(standing.view.cars[number].locked)
    if leg < locked:
        raise CannotExplain(
            f"The driver is bound to the first {locked} stops of that route: nothing "
            "can come between."
        )
    return {**sequences, number: (*sequence[:leg], job, *sequence[leg:])}


def _followed(standing: Standing, wish: Follow) -> Sequences:
    number = standing.car(wish.vehicle_id)
    view, route = standing.view, standing.routes[number]
    present = tuple(stop for stop in route.sequence if stop < view.job_count)
    if len(present) < len(route.sequence):
        raise CannotExplain("A route that loads again on the way cannot be told so.")
    wanted = tuple(standing.job(job_id) for job_id in wish.job_ids)
    names = view.jobs
    if len({*wanted}) != len(wanted):
        raise CannotExplain("The sequence names a stop twice.")
    if missing := {*present} - {*wanted}:
        raise CannotExplain(
            f"The sequence does not name {len(missing)} of the route's stops: "
            f"{', '.join(sorted(names[job].id for job in missing))}."
        )
    if strange := {*wanted} - {*present}:
        raise CannotExplain(
            "The sequence names stops that are not on the route: "
            f"{', '.join(sorted(names[job].id for job in strange))}."
        )
    locked = view.cars[number].locked
    if wanted[: len(locked)] != locked:
        raise CannotExplain(
            f"The driver is bound to the first {len(locked)} stops: they stay first."
        )
    return {number: wanted}


def _on_route(
    standing: Standing, job: int, number: int, sequences: Sequences
) -> Sequences:
    """Put the job where it costs least, or where it breaks least."""
    if number in sequences:
        raise CannotExplain("The stop is on this route already.")
    arrays, route = standing.arrays, standing.routes[number]
    built = [
        spot
        for _, leg in price_places(arrays, route, job)[:MOST_BENT]
        if (spot := put(arrays, route, job, leg)) is not None
    ]
    if built:
        best = min(built, key=lambda spot: spot.added_milli)
        return {**sequences, number: settled(arrays, best).route.sequence}
    found = []
    for leg in short_detours(standing.view, route, job):
        sequence = (*route.sequence[:leg], job, *route.sequence[leg:])
        solution = lay_forced(standing, {**sequences, number: sequence})
        change = compare(standing.problem, standing.stated, solution)
        found.append((len(change.broken), change.total_milli, sequence))
    return {**sequences, number: min(found)[2]}
