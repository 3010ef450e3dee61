"""Who plans a depot: switched by hand, and by how the engines fare (C24, C27, C28)."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from apps.core.actors import Actor
from apps.core.breaker import Circuit
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.depots.models import Depot
from apps.journal.services import Writer, writing
from apps.routes.chain import Failure
from apps.routes.models import Route
from apps.routes.moderows import DepotMode
from apps.routes.modes import RULES
from apps.routes.planners import circuit_of, limits_of, mode_in
from apps.routes.readiness import blockers
from apps.routes.readyfacts import readiness_of
from apps.routes.states import PlanningMode, RouteState

log = structlog.get_logger(__name__)

ENGINES_AT_FAULT = frozenset({"late", "died", "infeasible"})
"""How an engine fails by itself: one that was passed over, or not asked, has not."""

TRIAL_S = 60
"""How long a trial of the engines may take before another one is begun."""

RUNNING = (RouteState.PUBLISHED, RouteState.STARTED)


class NotReady(Conflict):
    """A red check stops the optimizer, until it is mended or signed off."""

    type = "/problems/not-ready"
    title = "The depot is not ready for the optimizer."


def switch_mode(
    *,
    depot_id: uuid.UUID,
    to: str,
    why: str,
    signed_off: str = "",
    by: Actor,
    now: datetime,
) -> DepotMode:
    """Let the optimizer plan a depot, or the rules alone; empty: as the house is set.

    To switch the optimizer on clears what is known of its failures.

    Raises:
        NotFound: there is no such depot.
        Invalid: there is no such mode, or nobody says why.
        NotReady: a check is red, and nobody signs it off; `blockers` names them.
    """
    if to and to not in PlanningMode.values:
        known = ", ".join(PlanningMode.values)
        raise _invalid("/mode", "unknown", f"A mode is one of: {known}; or empty.")
    if not why.strip():
        raise _invalid("/why", "required", "Say why: others will want to know.")
    with writing(by=by, now=now, scopes=_on_the_road(depot_id)) as journal:
        row = _locked(depot_id)
        before = mode_in(row)
        row.chosen, row.why = to, why.strip()[:300]
        row.chosen_at, row.chosen_by = now, str(by)
        row.signed_off = ""
        if before.is_rules and to != RULES:
            row.signed_off = _signed_off(row.depot, signed_off, now)
            _keep_circuit(row, circuit_of(row).answered())
            row.failure = ""
        row.save()
        after = mode_in(row)
        _record(row, "mode.switched", journal, signed_off=row.signed_off)
        if after.mode != before.mode:
            _tell(depot_id, journal)
    return row


def _signed_off(depot: Depot, reason: str, now: datetime) -> str:
    red = blockers(readiness_of(depot, now))
    if not red:
        return ""
    if not reason.strip():
        raise NotReady(
            " ".join(f"{check.title}: {check.found}" for check in red),
            blockers=[check.code for check in red],
        )
    return reason.strip()[:300]


def set_limits(
    *,
    depot_id: uuid.UUID,
    most_failures: int,
    window_s: int,
    pause_s: int,
    by: Actor,
    now: datetime,
) -> DepotMode:
    """Say what the engines of a depot may fail before the rules take over.

    Raises:
        NotFound: there is no such depot.
        Invalid: a limit is nothing.
    """
    if min(most_failures, window_s, pause_s) < 1:
        raise _invalid("/most_failures", "out_of_range", "A limit is 1 or more.")
    with writing(by=by, now=now) as journal:
        row = _locked(depot_id)
        row.most_failures, row.window_s, row.pause_s = most_failures, window_s, pause_s
        row.save()
        limits = {"most_failures": most_failures, "window_s": window_s}
        _record(row, "mode.limits_set", journal, **limits, pause_s=pause_s)
    return row


def note_search(
    depot_id: uuid.UUID,
    *,
    answered: bool,
    failures: Sequence[Failure],
    by: Actor,
    now: datetime,
) -> None:
    """Count how the engines fared in one answer; too many failures put the rules in.

    An answer by any engine of the chain makes good what others failed.
    """
    at_fault = [failure for failure in failures if failure.code in ENGINES_AT_FAULT]
    if not answered and not at_fault:
        return
    if answered and not _is_burdened(depot_id):
        return
    with writing(by=by, now=now, scopes=_on_the_road(depot_id)) as journal:
        row = _locked(depot_id)
        before = circuit_of(row)
        if before.open_until_s is not None:
            return  # Begun before it opened: the trial decides.
        if answered:
            _keep_circuit(row, before.answered())
            row.save()
            if before.on_trial:
                _record(row, "mode.trial_passed", journal)
            return
        row.failure = at_fault[-1].text[:300]
        after = before
        for _ in at_fault:
            if after.open_until_s is None:
                after = after.failed(now.timestamp(), limits_of(row))
        _keep_circuit(row, after)
        if after.open_until_s is not None:
            _fall_back(row, journal)
        row.save()


def _is_burdened(depot_id: uuid.UUID) -> bool:
    """Tell whether there is anything that an answer would make good."""
    row = DepotMode.objects.filter(pk=depot_id).first()
    return row is not None and circuit_of(row) != Circuit()


def claim_trial(depot_id: uuid.UUID, *, now: datetime) -> bool:
    """Take the trial of a depot's engines that is due; one worker gets it."""
    due = DepotMode.objects.filter(pk=depot_id, open_until__lte=now)
    return bool(due.update(open_until=now + timedelta(seconds=TRIAL_S)))


def note_trial(
    depot_id: uuid.UUID, *, failure: str = "", by: Actor, now: datetime
) -> None:
    """Let the optimizer plan again after a trial that it passed, or wait longer."""
    with writing(by=by, now=now, scopes=_on_the_road(depot_id)) as journal:
        row = _locked(depot_id)
        circuit = circuit_of(row)
        if circuit.open_until_s is None:
            return
        if failure:
            row.failure = failure[:300]
            _keep_circuit(row, circuit.failed(now.timestamp(), limits_of(row)))
            row.save()
            return
        _keep_circuit(row, circuit.on_its_way_back())
        row.save()
        _record(row, "mode.came_back", journal, fell_back_at=_text(row.fell_back_at))
        _tell(depot_id, journal)


def _fall_back(row: DepotMode, journal: Writer) -> None:
    row.fell_back_at = journal.now
    log.warning("optimizer_lost", depot=str(row.pk))
    _record(row, "mode.fell_back", journal, until=_text(row.open_until))
    _tell(row.pk, journal)


def _locked(depot_id: uuid.UUID) -> DepotMode:
    depot = Depot.objects.filter(pk=depot_id).first()
    if depot is None:
        raise NotFound("There is no such depot.")
    DepotMode.objects.get_or_create(depot=depot)
    return DepotMode.objects.select_for_update().get(pk=depot_id)


def _keep_circuit(row: DepotMode, circuit: Circuit) -> None:
    until_s = circuit.open_until_s
    row.failed_at_s = list(circuit.failed_at_s)
    row.open_until = None if until_s is None else datetime.fromtimestamp(until_s, UTC)
    row.on_trial, row.openings = circuit.on_trial, circuit.openings


def _record(row: DepotMode, kind: str, journal: Writer, **more: Any) -> None:
    mode = mode_in(row)
    journal.record(
        kind,
        row,
        depot_id=row.pk,
        mode=mode.mode,
        cause=mode.cause,
        why=row.failure if mode.is_trouble else row.why,
        **more,
    )


def _on_the_road(depot_id: uuid.UUID) -> list[uuid.UUID]:
    routes = Route.objects.filter(depot=depot_id, status__in=RUNNING)
    return list(routes.values_list("driver_id", flat=True).distinct())


def _tell(depot_id: uuid.UUID, journal: Writer) -> None:
    """Let the devices of running routes hear who plans now."""
    routes = Route.objects.filter(depot=depot_id, status__in=RUNNING)
    for route_id, driver_id in routes.values_list("pk", "driver_id"):
        journal.changed(driver_id, "routes", route_id)


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])
