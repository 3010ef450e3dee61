"""Decision points: where the machine may act on its own, and its refusal (C20)."""

import uuid
from datetime import datetime, timedelta

import structlog

from apps.core.actors import Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.routes.moderows import DecisionPoint
from apps.routes.planners import decision_point, may_act
from apps.routes.states import Act, Leave

log = structlog.get_logger(__name__)

LET_FOR = timedelta(minutes=15)
"""How long a person's yes holds for an act that is to be asked for."""

REPEATED_AFTER = timedelta(hours=1)
"""A refusal of the same act is written down again after this."""


class MachineMayNot(Conflict):
    """The machine was about to act where no decision point lets it."""

    type = "/problems/machine-may-not"
    title = "The machine may not do this on its own here."

    def __init__(self, act: Act) -> None:
        """Name the act."""
        super().__init__(f"The machine may not do this here: {act.label}.", act=act)
        self.act = act


def check_leave(
    act: Act, depot_id: uuid.UUID, *, by: Actor, now: datetime, was_asked: bool = False
) -> None:
    """Let people pass, and the machine where a decision point lets it.

    Raises:
        MachineMayNot: no decision point lets it; the caller has it written down.
    """
    if by.kind != "system":
        return
    if not may_act(act, depot_id, now, was_asked=was_asked):
        log.warning("machine_refused", act=str(act), depot=str(depot_id))
        raise MachineMayNot(act)


def note_refusal(
    act: Act,
    depot_id: uuid.UUID,
    *,
    plan_id: str = "",
    at_most_hourly: bool = False,
    by: Actor,
    now: datetime,
) -> None:
    """Write down that the machine was refused an act, or the plan that it made."""
    with writing(by=by, now=now) as journal:
        known = Entry.objects.filter(
            kind="machine.refused",
            depot_id=depot_id,
            payload__act=str(act),
            at__gt=now - REPEATED_AFTER,
        )
        if at_most_hourly and known.exists():
            return
        point = decision_point(act, depot_id)
        journal.record(
            "machine.refused",
            Depot.objects.get(pk=depot_id),
            depot_id=depot_id,
            act=str(act),
            leave=point.leave if point else str(Leave.NO),
            point_id=str(point.pk) if point else "",
            plan_id=plan_id,
        )


def set_leave(
    *,
    act: str,
    depot_id: uuid.UUID | None,
    leave: str,
    why: str,
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> DecisionPoint:
    """Say how far the machine may go with an act, in a depot or (None) in all others.

    Raises:
        Invalid: there is no such act or leave, or nobody says why.
        PreconditionFailed: it was changed since the caller read it.
    """
    if act not in Act.values or leave not in Leave.values:
        raise Invalid("There is no such act, or no such leave.")
    if not why.strip():
        fault = FieldError("/why", "required", "Say why: others will want to know.")
        raise Invalid(fault.detail, errors=[fault])
    with writing(by=by, now=now) as journal:
        # In no order: that of the depots' names would join their rows in, and lock them.
        rows = DecisionPoint.objects.order_by("pk").select_for_update()
        point = rows.filter(act=act, depot=depot_id).first()
        if point is None:
            point = DecisionPoint(act=act, depot_id=depot_id, version=0)
        elif expected_version is not None and point.version != expected_version:
            raise PreconditionFailed
        before = point.leave
        point.leave, point.why = leave, why.strip()[:300]
        point.changed_at, point.changed_by = now, str(by)
        point.let_until, point.let_by = None, ""
        point.version += 1
        point.save()
        journal.record(
            "decision_point.set",
            point,
            depot_id=depot_id,
            act=act,
            before=before,
            leave=leave,
            why=point.why,
        )
    return point


def let_once(point_id: uuid.UUID, *, by: Actor, now: datetime) -> DecisionPoint:
    """Say yes for a quarter of an hour to an act that is to be asked for.

    Raises:
        NotFound: there is no such decision point.
        Invalid: it is not one that asks.
    """
    with writing(by=by, now=now) as journal:
        rows = DecisionPoint.objects.order_by("pk").select_for_update()
        point = rows.filter(pk=point_id).first()
        if point is None:
            raise NotFound
        if point.leave != Leave.ASK:
            raise Invalid("Only an act that is to be asked for can be let once.")
        point.let_until, point.let_by = now + LET_FOR, str(by)
        point.save(update_fields=["let_until", "let_by"])
        journal.record(
            "decision_point.let",
            point,
            depot_id=point.depot_id,
            act=point.act,
            until=point.let_until.isoformat(),
        )
    return point
