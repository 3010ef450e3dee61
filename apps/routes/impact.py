"""What a change would do to the plan that runs: solved before anybody decides.

It is solved as a forced alternative against the live plan: what is done or under way
stays, drivers are where they are, roads are as they are. Nothing is written, and no
transaction is open.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from apps.core.actors import Actor
from apps.core.ids import uuid7
from apps.orders.models import Order
from apps.recommendations.services import Draft
from apps.routes import intake, wishing
from apps.routes.chain import NoAnswer
from apps.routes.changes import (
    Change,
    GiveStop,
    Impact,
    LockRoute,
    MoveStop,
    PinStop,
    SkipStop,
    TakeOff,
    UnlockRoute,
    kind_of,
)
from apps.routes.dayinputs import DayInput
from apps.routes.dayversions import present_jobs
from apps.routes.effects import around_closures
from apps.routes.legs import legs_of
from apps.routes.models import Route
from apps.routes.replanning import Touched, only
from apps.routes.services.changing import Prepared, store_change
from apps.routes.services.fitting import Answer, LeftOut
from apps.routes.solver.codec import SolveRequest, encode_request, encode_solution
from apps.routes.solver.follow import follow
from apps.routes.solver.port import FOLLOWER, EngineRefused, Stop
from apps.routes.solver.solution import Solution
from apps.routes.solving import as_start
from apps.routes.steps import Roads, mended_answer, on_the_roads
from apps.routes.subjects import (
    CannotChange,
    Subject,
    known_id,
    shown_numbers,
    subject_of,
)
from apps.routes.told import told_times
from apps.routes.wanted import Live, Unfit, Wanted
from apps.routes.weighed import (
    Compared,
    Labels,
    Stood,
    reasons_of,
    state_version,
    summary_of,
)

ALONE = (MoveStop, PinStop, TakeOff, SkipStop, LockRoute, UnlockRoute)
"""What touches one route only, unless a time is pinned."""
_ROUTE = ("shift_id", "pk", "starts_at")
TAKEN_OFF = "taken_off"
TAKEN_OFF_TEXT = "Taken off today: give it to a driver, or serve it on another day."
IMPOSSIBLE = frozenset(
    {"capability_missing", "capacity_exceeded", "vehicle_not_allowed"}
)
"""What no decision can bring about; `refusals` has what to do instead."""


def impact_of(change: Change, *, now: datetime) -> Impact:
    """Work out what a change would do, without changing anything.

    Raises:
        NotFound: there is no such stop, route, shift, vehicle or recommendation.
        CannotChange: the change is impossible; the sentence says what would be possible.
    """
    return prepare_change(change, now=now).impact


def prepare_change(change: Change, *, now: datetime) -> Prepared:
    """Work a change out, with the plan that it makes.

    Raises:
        NotFound: there is no such stop, route, shift, vehicle or recommendation.
        CannotChange: the change is impossible; the sentence says what would be possible.
    """
    subject = subject_of(change)
    day = intake.running_input(
        subject.depot_id,
        subject.service_date,
        route_ids=_looked_at(change, subject),
        now=now,
        locked_too=True,
    )
    numbers = shown_numbers(subject.depot_id, subject.service_date)
    live = Live(_without_strangers(day, subject), numbers)
    try:
        wanted = wishing.wanted(change, subject, live, now)
        before, after, answer = _solved(live.day, wanted)
    except Unfit as error:
        raise CannotChange.of(error.code, **error.figures) from error
    except (EngineRefused, NoAnswer) as error:
        text = f"No plan was found with it: {error}"
        raise CannotChange(text, refusal={"code": "no_plan"}) from error
    compared = Compared(before, after, Labels(numbers, _references(after.day)))
    _refuse_impossible(compared)
    draft = answer.draft
    impact = replace(
        _impact(subject, wanted, compared, now),
        kind=kind_of(change),
        inputs=draft.inputs if draft else b"",
        answer=draft.answer if draft else b"",
        engine=answer.solution.engine,
        engine_version=answer.solution.engine_version,
        seed=answer.solution.seed,
    )
    moves = bool(compared.changed_shifts() or compared.moved() or impact.left_out)
    looked_at = {one.shift_id for one in compared.after.day.shifts} | wanted.home
    rows = Route.objects.filter(shift__in=looked_at)
    versions = dict(rows.values_list("pk", "version"))
    return Prepared(change, impact, subject, answer if moves else None, versions)


def apply_change(
    change: Change, *, expected_version: str, by: Actor, now: datetime
) -> Impact:
    """Let a change take effect, if the plan is as it was when its impact was shown.

    Call it outside any transaction: travel times may come over the network. Whoever has
    one open works the change out before (`prepare_change`), and stores it inside it by
    `services.changing.store_change`.

    Raises:
        NotFound, CannotChange: as for `prepare_change`.
        StaleInput: the plan has moved on; `version` is that of the new impact.
        Problem: the shift, vehicle or order does not allow it any more.
    """
    ready = prepare_change(change, now=now)
    return store_change(ready, expected_version=expected_version, by=by, now=now)


def _looked_at(change: Change, subject: Subject) -> list[uuid.UUID] | None:
    """Return the routes that a change can touch at all, None: any of the day's."""
    if subject.route is None:
        return None
    if isinstance(change, GiveStop):
        taker = Route.objects.filter(shift=known_id(change.shift_id)).first()
        return None if taker is None else [subject.route.pk, taker.pk]
    has_time = isinstance(change, PinStop) and (change.from_at or change.until_at)
    return [subject.route.pk] if isinstance(change, ALONE) and not has_time else None


def _without_strangers(day: DayInput, subject: Subject) -> DayInput:
    """Leave out the orders without a driver that the change is not about."""
    mine = subject.stop.order_id if subject.stop is not None else None
    orders = tuple(
        one for one in day.orders if one.shift_id is not None or one.order_id == mine
    )
    return replace(day, orders=orders)


def _solved(day: DayInput, wanted: Wanted) -> tuple[Stood, Stood, Answer]:
    """Return the plan before and after, timed, and the answer to be stored."""
    if wanted.sequences is None:
        return _mended(day, wanted)
    shifts = wanted.home | wanted.sequences.keys()
    part = _unheld(only(wanted.day, shifts))
    roads = on_the_roads(part)
    present = {str(one): tuple(jobs) for one, jobs in present_jobs(part).items()}
    sequences = present | {str(one): jobs for one, jobs in wanted.sequences.items()}
    request = SolveRequest(
        problem=roads.problem(),
        engine=FOLLOWER,
        stop=Stop(),
        seed=0,
        warm_start=as_start(sequences),
    )
    solution = follow(request.problem, request.warm_start)
    answer = _answer(part, roads, request, solution)
    before = _present(_unheld(only(day, shifts)), roads)
    after = Stood(part, request.problem, solution, answer.told)
    return before, after, answer


def _mended(day: DayInput, wanted: Wanted) -> tuple[Stood, Stood, Answer]:
    """Mend the day as it is changed; what does not fit any more goes elsewhere."""
    answer = mended_answer(
        wanted.day,
        Touched(wanted.home, wanted.orders),
        plan_id=uuid7(),
        on_progress=lambda percent, text: None,
    )
    part = only(wanted.day, {shift.shift_id for shift in answer.day.shifts})
    shifts = {shift.shift_id for shift in part.shifts}
    problem = replace(on_the_roads(part), day=answer.day).problem()
    before = _present(only(day, shifts), on_the_roads(only(day, shifts)))
    after = Stood(part, problem, answer.solution, answer.told)
    return before, after, replace(answer, leaves="")


def _present(part: DayInput, roads: Roads) -> Stood:
    """Time the plan that runs, as it stands."""
    roads = replace(roads, day=around_closures(part) if part.shifts else part)
    problem = roads.problem()
    sequences = {str(one): jobs for one, jobs in present_jobs(part).items()}
    solution = follow(problem, as_start(sequences))
    legs = legs_of(part, solution, roads.clear, part.local_hour)
    return Stood(part, problem, solution, told_times(roads.day, solution, legs))


def _unheld(part: DayInput) -> DayInput:
    """Return a part without its pinned places: people may move what they have pinned."""
    shifts = tuple(replace(shift, held=0) for shift in part.shifts)
    return replace(part, shifts=shifts)


def _answer(
    part: DayInput, roads: Roads, request: SolveRequest, solution: Solution
) -> Answer:
    """State a forced plan as any other answer."""
    legs = legs_of(part, solution, roads.clear, part.local_hour)
    left = {item.job_id for item in solution.unserved}
    return Answer(
        part,
        solution,
        Draft(
            kind="change",
            depot_id=part.depot_id,
            subject_type="plan",
            subject_id="",
            inputs=encode_request(request),
            answer=encode_solution(solution),
            engine=solution.engine,
            engine_version=solution.engine_version,
            seed=solution.seed,
            mode="rules",
        ),
        tuple(
            LeftOut(order.order_id, TAKEN_OFF, TAKEN_OFF_TEXT)
            for order in part.orders
            if str(order.order_id) in left
        ),
        legs=legs,
        told=told_times(roads.day, solution, legs),
        travel_quality=roads.matrix.quality,
    )


def _refuse_impossible(compared: Compared) -> None:
    orders = {str(order.order_id): order for order in compared.after.day.orders}
    for one in compared.broken:
        if one.code in IMPOSSIBLE:
            order = orders.get(one.order_id)
            which = compared.labels.stop(order) if order is not None else ""
            which = which[:1].upper() + which[1:]
            lacks = compared.lacking(order, one.shift_id) if order is not None else ""
            raise CannotChange.of(one.code, which=which, lacks=lacks)


def _references(day: DayInput) -> Mapping[uuid.UUID, str]:
    rows = Order.objects.filter(pk__in=[order.order_id for order in day.orders])
    return dict(rows.values_list("pk", "reference"))


def _impact(
    subject: Subject, wanted: Wanted, compared: Compared, now: datetime
) -> Impact:
    """State what a change does; of which kind it is, who asks adds."""
    touched = wanted.home | compared.changed_shifts()
    rows = Route.objects.filter(shift__in=touched)
    routes = {shift_id: (pk, at) for shift_id, pk, at in rows.values_list(*_ROUTE)}
    drivers = {shift.shift_id: shift.driver_id for shift in compared.after.day.shifts}
    own = subject.home or next(iter(sorted(wanted.home)), None)
    touched_drivers = {one: str(drivers[one]) for one in touched if one in drivers}
    others = tuple(sorted(name for one, name in touched_drivers.items() if one != own))
    duration_s, distance_m, milli = compared.figures()
    before, after = compared.sketches(
        touched, {shift_id: pk for shift_id, (pk, _) in routes.items()}
    )
    broken = compared.broken
    return Impact(
        kind="",
        summary=summary_of(wanted.lead, compared, subject.currency),
        minutes=round(duration_s / 60),
        distance_m=distance_m,
        cost_minor=round(milli / 1000),
        currency=subject.currency,
        left_out=tuple(str(order.order_id) for order in compared.left_out()),
        moved=compared.moved(),
        broken=broken,
        drivers=tuple(sorted(touched_drivers.values())),
        other_drivers=others,
        before=before,
        after=after,
        version=state_version(compared.before.day, touched),
        is_feasible=all(one.is_promise for one in broken),
        reasons=reasons_of(compared, len(others)),
        depot_id=str(subject.depot_id),
        worked_out_at=now,
        departs_at=min((at for _, at in routes.values()), default=None),
    )
