"""Why an order is left out, and why a stop is where it is, in words. Pure."""

from collections.abc import Callable, Iterator, Mapping

from apps.routes.needs import words_of
from apps.routes.solver.explaining.kinds import (
    Kind,
    LeftOutWhy,
    Outcome,
    Relaxation,
)
from apps.routes.solver.explaining.obstacles import Binding, Obstacle
from apps.routes.solver.explaining.placing import Elsewhere, WhyHere
from apps.routes.solver.explaining.standing import Standing
from apps.routes.solver.problem import Job
from apps.routes.solver.solution import Reason
from apps.routes.why.answer import Answer, Blocker, Option
from apps.routes.why.names import Teller, listed, load, minutes, sooner_or_later

REASONS: Mapping[Reason, str] = {
    Reason.NO_CAPABLE_VEHICLE: "nobody who may take it can do all that it requires",
    Reason.EXCEEDS_CAPACITY: "it is larger than any vehicle that could take it",
    Reason.UNREACHABLE: "no way leads there",
    Reason.NO_WINDOW_IN_ANY_SHIFT: "none of its windows can be reached within a shift",
    Reason.NO_ROOM: "all routes are full at its time",
    Reason.NOT_WORTH_IT: "serving it costs more than leaving it out",
}
NAMED_DRIVERS = 3


# ── left out ────────────────────────────────────────────────────────────────
def left_out_answer(found: LeftOutWhy, standing: Standing, tell: Teller) -> Answer:
    """Tell why an order is left out, and what would serve it."""
    order, cheapest = tell.order(found.job_id), found.cheapest
    options = tuple(
        _option(one, tell, is_cheapest=one is cheapest)
        for one in found.relaxations
        if one.outcome != Outcome.DOES_NOT_APPLY
    )
    best = next((one for one in options if one.is_cheapest), None)
    summary = f"{order} is left out: {REASONS[found.reason]}."
    if best is None:
        summary += " Nothing that was tried would serve it."
    else:
        summary += f" What would serve it at the least cost: {_inside(best.text)}"
        summary += f" ({best.cost})." if best.cost else "."
    job = standing.view.jobs[standing.job(found.job_id)]
    return Answer(
        about="left_out",
        title=f"Why {order} is left out",
        summary=summary,
        facts=tuple(_demands(job, standing, tell)),
        blockers=_blockers(found.obstacles, job, tell),
        options=options,
    )


def _inside(text: str) -> str:
    """Let a sentence go on within another one."""
    return text[:1].lower() + text[1:]


def _demands(job: Job, standing: Standing, tell: Teller) -> Iterator[str]:
    windows = [
        f"{tell.clock(window.start_s)}–{tell.clock(window.end_s)}"
        for window in job.windows
    ]
    yield f"Its window: {listed(windows)}." if windows else "It may come at any time."
    if job.required_capabilities:
        needed = listed([words_of(code) for code in job.required_capabilities])
        yield f"Who brings it must {needed}."
    loads = [
        load(name, amount)
        for name, amount in zip(standing.problem.dimensions, job.demands, strict=True)
        if amount
    ]
    if loads:
        yield f"It takes {listed(loads)}."
    worth_milli = standing.view.prize_milli(standing.job(job.id))
    yield f"Leaving it out counts {tell.amount(round(worth_milli / 1000))}."


def _blockers(
    obstacles: tuple[Obstacle, ...], job: Job, tell: Teller
) -> tuple[Blocker, ...]:
    """Tell what keeps it from each route; routes with the same words share a line."""
    lines: dict[str, list[Obstacle]] = {}
    for one in obstacles:
        text = "; ".join(_binding(code, one, job) for code in one.bindings)
        lines.setdefault(text, []).append(one)
    return tuple(
        Blocker(
            shifts=tuple(one.vehicle_id for one in group),
            drivers=_drivers([tell.driver(one.vehicle_id) for one in group]),
            codes=tuple(group[0].bindings),
            text=text,
        )
        for text, group in lines.items()
    )


def _drivers(names: list[str]) -> str:
    if len(names) <= NAMED_DRIVERS + 1:
        return listed(names)
    more = len(names) - NAMED_DRIVERS
    return f"{', '.join(names[:NAMED_DRIVERS])} and {more} others"


def _binding(code: Binding, one: Obstacle, job: Job) -> str:
    if code == Binding.NOT_ALLOWED:
        return _not_allowed(job)
    if code == Binding.LACKS:
        return f"cannot {listed([words_of(need) for need in one.lacks])}"
    short = listed([load(name, amount) for name, amount in one.short])
    return {
        Binding.ON_THE_ROAD: "on the road before the parcel is there",
        Binding.TOO_LARGE: f"vehicle too small for it, by {short}",
        Binding.FULL: f"no room left, {short} short",
        Binding.NO_WAY: "no way leads there",
        Binding.OUTSIDE_SHIFT: "its window cannot be reached within the shift",
        Binding.NO_TIME: "no time for it between the planned stops",
        Binding.NOT_WORTH_IT: "could take it, at a cost beyond its worth",
    }[code]


def _not_allowed(job: Job) -> str:
    if job.pinned_vehicle is not None:
        return "not the route that it is pinned to"
    if job.allowed_vehicles and job.allowed_vehicles == (job.previous_vehicle,):
        return "the parcel is not on board"
    return "left the depot without it"


def _option(one: Relaxation, tell: Teller, *, is_cheapest: bool) -> Option:
    cost_minor, cost = None, ""
    if one.change is not None:
        driven = one.change.total_milli - one.change.part_milli("unserved")
        cost_minor = round(driven / 1000)
        cost = tell.added(cost_minor)
    serves = one.outcome != Outcome.DOES_NOT_HELP
    text = _OPTIONS[one.kind](one, tell) if serves else IN_VAIN[one.kind]
    return Option(
        code=str(one.kind),
        outcome=str(one.outcome),
        text=text,
        cost_minor=cost_minor,
        cost=cost,
        is_cheapest=is_cheapest,
    )


IN_VAIN: Mapping[Kind, str] = {
    Kind.AS_IT_IS: "Put it into the plan as it is",
    Kind.REARRANGE: "Move one other stop to make room",
    Kind.WIDEN_WINDOW: "Widen its window",
    Kind.ALLOW_OVERTIME: "Let a driver work longer",
    Kind.LEND_CAPACITY: "Use a larger vehicle",
    Kind.DROP_CAPABILITY: "Require less of who brings it",
    Kind.UNPIN: "Take its pin off",
    Kind.EXTRA_SHIFT: "Add a shift",
    Kind.EXCHANGE: "Leave out an order of lower priority in its place",
    Kind.RAISE_PRIZE: "Raise its priority",
}
"""What was tried and did not serve it."""


def _on(one: Relaxation, tell: Teller) -> str:
    return f"{tell.driver(one.vehicle_id)} brings it"


def _as_it_is(one: Relaxation, tell: Teller) -> str:
    return f"Put it into the plan as it is; {_on(one, tell)}"


def _rearrange(one: Relaxation, tell: Teller) -> str:
    other = tell.stop(one.other_job_id or "")
    if one.other_vehicle_id == one.vehicle_id:
        return f"Give {other} another place on the same route; {_on(one, tell)}"
    taker = tell.driver(one.other_vehicle_id)
    return f"Move {other} to {taker}’s route; {_on(one, tell)}"


def _widen(one: Relaxation, tell: Teller) -> str:
    if one.window is None:
        return IN_VAIN[Kind.WIDEN_WINDOW]
    after = one.window[1]
    window = f"{tell.clock(after.start_s)}–{tell.clock(after.end_s)}"
    return f"Widen its window by {one.minutes} min, to {window}; {_on(one, tell)}"


def _overtime(one: Relaxation, tell: Teller) -> str:
    driver = tell.driver(one.vehicle_id)
    return f"Let {driver} work {minutes(60 * one.minutes)} beyond what the shift allows"


def _lend(one: Relaxation, tell: Teller) -> str:
    room = listed([load(name, amount) for name, amount in one.lent])
    return f"Give {tell.driver(one.vehicle_id)} a vehicle with {room} more room"


def _drop(one: Relaxation, tell: Teller) -> str:
    needs = listed([words_of(code) for code in one.dropped])
    return f"Do not ask the driver to {needs}; {_on(one, tell)}"


def _unpin(one: Relaxation, tell: Teller) -> str:
    return f"Take its pin off; {_on(one, tell)}"


def _extra(one: Relaxation, tell: Teller) -> str:
    if one.shift_s is None:
        return IN_VAIN[Kind.EXTRA_SHIFT]
    text = (
        f"Add a shift from {tell.clock(one.shift_s[0])} to {tell.clock(one.shift_s[1])}"
    )
    if not one.dropped:
        return text
    needs = listed([words_of(code) for code in one.dropped])
    return f"{text} of somebody who can {needs}"


def _exchange(one: Relaxation, tell: Teller) -> str:
    other = tell.stop(one.other_job_id or "")
    return f"Leave out {other}, which counts less; {_on(one, tell)}"


def _raise(one: Relaxation, tell: Teller) -> str:
    more = tell.amount(round(one.prize_milli / 1000))
    return f"Raise its priority, so that leaving it out counts {more} more"


_OPTIONS: Mapping[Kind, Callable[[Relaxation, Teller], str]] = {
    Kind.AS_IT_IS: _as_it_is,
    Kind.REARRANGE: _rearrange,
    Kind.WIDEN_WINDOW: _widen,
    Kind.ALLOW_OVERTIME: _overtime,
    Kind.LEND_CAPACITY: _lend,
    Kind.DROP_CAPABILITY: _drop,
    Kind.UNPIN: _unpin,
    Kind.EXTRA_SHIFT: _extra,
    Kind.EXCHANGE: _exchange,
    Kind.RAISE_PRIZE: _raise,
}


# ── where it is ─────────────────────────────────────────────────────────────
def here_answer(found: WhyHere, standing: Standing, tell: Teller) -> Answer:
    """Tell why a stop is where it is: what every other place would cost."""
    places = [found.same_route, *found.other_routes]
    elsewhere = [one for one in places if one is not None]
    best = min(elsewhere, key=lambda one: one.added_milli, default=None)
    options = tuple(
        _elsewhere(one, found, tell, is_cheapest=one is best) for one in elsewhere
    )
    lead = tell.stop(found.job_id)
    return Answer(
        about="stop",
        title=f"Why {lead} is there",
        summary=f"{lead[:1].upper()}{lead[1:]} {_verdict(found, best, tell)}",
        facts=tuple(_facts(found, standing, tell)),
        options=options,
    )


def _verdict(found: WhyHere, best: Elsewhere | None, tell: Teller) -> str:
    route = f"{tell.driver(found.vehicle_id)}’s route"
    if found.committed:
        return f"stays on {route}: the driver is bound to it already."
    if best is None:
        return f"is on {route} because there is no other place for it."
    minor = round(best.added_milli / 1000)
    where = _where(best, found, tell)
    if minor > 0:
        return (
            f"is on {route} because every other place costs more: the next best, "
            f"{where}, {tell.added(minor)}."
        )
    if minor == 0:
        return f"is on {route}; {where} would cost the same."
    return (
        f"would be cheaper {where}: {tell.added(minor)}. The search that made the plan "
        "did not find that."
    )


def _where(one: Elsewhere, found: WhyHere, tell: Teller) -> str:
    number = tell.place(one.vehicle_id, one.place)
    if one.vehicle_id == found.vehicle_id:
        return f"as stop {number} of the same route"
    return f"as stop {number} on {tell.driver(one.vehicle_id)}’s route"


def _elsewhere(
    one: Elsewhere, found: WhyHere, tell: Teller, *, is_cheapest: bool
) -> Option:
    where = _where(one, found, tell)
    minor = round(one.added_milli / 1000)
    return Option(
        code="same_route" if one.vehicle_id == found.vehicle_id else "other_route",
        outcome="dearer" if minor > 0 else "cheaper" if minor < 0 else "same",
        text=f"{where[:1].upper()}{where[1:]}, {sooner_or_later(one.later_s)}",
        cost_minor=minor,
        cost=tell.added(minor),
        is_cheapest=is_cheapest,
    )


def _facts(found: WhyHere, standing: Standing, tell: Teller) -> Iterator[str]:
    around = [one for one in (found.previous_job_id, found.next_job_id) if one]
    number = tell.place(found.vehicle_id, found.place)
    last = tell.place(found.vehicle_id, found.visits)
    route = f"{tell.driver(found.vehicle_id)}’s route"
    text = f"Number {number} of {last} on {route}"
    if len(around) == 2:
        text += f", between {tell.stop(around[0])} and {tell.stop(around[1])}"
    elif found.next_job_id:
        text += f", before {tell.stop(found.next_job_id)}"
    elif found.previous_job_id:
        text += f", after {tell.stop(found.previous_job_id)}"
    yield f"{text}."
    yield f"Service begins at {tell.clock(found.visit.start_s)}{_slack(found)}."
    if found.visit.wait_s >= 60:
        yield f"The driver waits {minutes(found.visit.wait_s)} there for its window."
    if not found.committed:
        saved = round(found.saved_milli / 1000)
        yield (
            f"It adds {tell.amount(saved)} to the route; leaving it out counts "
            f"{tell.amount(round((found.without_milli + found.saved_milli) / 1000))}."
        )
    full = found.routes_without_place
    if full and not found.committed:
        yield f"{full} other route{'s have' if full != 1 else ' has'} no place for it."
    yield from _zone_facts(found, standing, tell)
    job = standing.view.jobs[standing.job(found.job_id)]
    if job.required_capabilities:
        needed = listed([words_of(code) for code in job.required_capabilities])
        yield f"Who brings it must {needed}."


def _zone_facts(found: WhyHere, standing: Standing, tell: Teller) -> Iterator[str]:
    """Tell what the learned order of zones and hours makes of it and its neighbours."""
    if standing.view.steps is None:
        return
    jobs = {one.id: one for one in standing.problem.jobs}
    price_of = {
        (one.from_zone, one.to_zone): one.price_milli
        for one in standing.problem.zone_steps
    }
    mine = jobs[found.job_id]
    if mine.zone:
        yield f"It is in the zone {mine.zone}."
    ways = ((found.previous_job_id, False), (found.next_job_id, True))
    for other, is_next in ways:
        if not other:
            continue
        near = jobs[other]
        for one, two in ((mine.zone, near.zone), (mine.wave, near.wave)):
            if not one or not two or one == two:
                continue
            step = (one, two) if is_next else (two, one)
            where = f"{tell.stop(other)} {'after' if is_next else 'before'} it: {two}"
            against = price_of.get(step, 0)
            if against:
                yield (
                    f"{where}. Drivers had better drive {step[1]} before {step[0]}, as"
                    f" was learned; that counts {tell.amount(round(against / 1000))}"
                    " against it, and is no money."
                )
            elif price_of.get((step[1], step[0])):
                yield f"{where}. Drivers had better drive {step[0]} first, as was learned."


def _slack(found: WhyHere) -> str:
    if found.slack_s is None:
        return "; it may come at any time"
    if found.slack_s < 0:
        return "; its window is over by then"
    return f"; its window stays open for {minutes(found.slack_s)} more"
