"""A shift as it is worked: started, paused, resumed, ended."""

import uuid
from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.core.problems import NotFound
from apps.core.states import IllegalStep
from apps.drivers.models import Shift
from apps.drivers.states import SHIFT_STEPS, ShiftState
from apps.journal.services import Writer, writing

BREAK_EARLY = timedelta(minutes=15)
"""A pause that begins so much before a break may begin counts as that break."""


def start_shift(
    *, shift_id: uuid.UUID, occurred_at: datetime, by: Actor, now: datetime
) -> Shift:
    """Begin a planned shift at `occurred_at`; the journal tells how late it was.

    Raises:
        NotFound: there is no such shift.
        IllegalStep: it is not planned any more.
    """
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        if shift.status != ShiftState.PLANNED:
            raise _not_from(shift, ShiftState.PLANNED)
        shift.started_at = occurred_at
        late_s = max(0, int((occurred_at - shift.starts_at).total_seconds()))
        _step(shift, ShiftState.STARTED)
        _record(journal, "shift.started", shift, occurred_at, late_s=late_s)
    return shift


def pause_shift(
    *, shift_id: uuid.UUID, occurred_at: datetime, by: Actor, now: datetime
) -> Shift:
    """Pause a running shift.

    Raises:
        NotFound: there is no such shift.
        IllegalStep: it is not running.
    """
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        SHIFT_STEPS.check(shift.status, ShiftState.PAUSED)
        _take_break(shift, occurred_at)
        _step(shift, ShiftState.PAUSED)
        _record(journal, "shift.paused", shift, occurred_at)
    return shift


def resume_shift(
    *, shift_id: uuid.UUID, occurred_at: datetime, by: Actor, now: datetime
) -> Shift:
    """Go on with a paused shift.

    Raises:
        NotFound: there is no such shift.
        IllegalStep: it is not paused.
    """
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        if shift.status != ShiftState.PAUSED:
            raise _not_from(shift, ShiftState.PAUSED)
        _step(shift, ShiftState.STARTED)
        _record(journal, "shift.resumed", shift, occurred_at)
    return shift


def end_shift(
    *, shift_id: uuid.UUID, occurred_at: datetime, by: Actor, now: datetime
) -> Shift:
    """End a running or paused shift at `occurred_at`.

    Raises:
        NotFound: there is no such shift.
        IllegalStep: it never started, or is over.
    """
    with writing(by=by, now=now) as journal:
        shift = locked_shift(journal, shift_id)
        SHIFT_STEPS.check(shift.status, ShiftState.ENDED)
        shift.ended_at = occurred_at
        _step(shift, ShiftState.ENDED)
        _record(journal, "shift.ended", shift, occurred_at)
    return shift


def locked_shift(journal: Writer, shift_id: uuid.UUID) -> Shift:
    """Return a shift under its driver's lock and its own.

    Raises:
        NotFound: there is no such shift.
    """
    driver_id = (
        Shift.objects.filter(pk=shift_id).values_list("driver_id", flat=True).first()
    )
    if driver_id is None:
        raise NotFound("There is no such shift.")
    journal.lock([driver_id])
    return Shift.objects.select_for_update(of=("self",)).get(pk=shift_id)


def _not_from(shift: Shift, needed: ShiftState) -> IllegalStep:
    """Return the refusal of a step that the table has for two verbs."""
    return IllegalStep(
        f"The shift is {shift.status}; this needs it to be {needed}.",
        allowed=SHIFT_STEPS.allowed(shift.status),
    )


def _take_break(shift: Shift, occurred_at: datetime) -> None:
    """Note that the pause is the shift's next break, where one may begin by now."""
    due = shift.breaks.filter(taken_at=None, opens_at__lte=occurred_at + BREAK_EARLY)
    rest = due.order_by("opens_at").first()
    if rest is not None:
        rest.taken_at = occurred_at
        rest.save(update_fields=["taken_at"])


def _step(shift: Shift, status: ShiftState) -> None:
    shift.status = status
    shift.version += 1
    shift.save(update_fields=["status", "started_at", "ended_at", "version"])


def _record(
    journal: Writer, kind: str, shift: Shift, occurred_at: datetime, **extra: int
) -> None:
    journal.record(
        kind,
        shift,
        depot_id=shift.depot_id,
        shift_id=str(shift.pk),
        driver_id=str(shift.driver_id),
        service_date=shift.service_date.isoformat(),
        occurred_at=occurred_at.isoformat(),
        **extra,
    )
