"""Background work of tuning: proposals made, replayed on past days, and watched."""

import uuid
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from apps.core import clock, queue
from apps.core.actors import SYSTEM
from apps.routes.chain import NoAnswer
from apps.routes.parameters import Parameters, with_overrides
from apps.routes.selectors import parameters_in_force
from apps.tuning.intervals import replay_intervals
from apps.tuning.models import Proposal, ShadowDay
from apps.tuning.parted import together
from apps.tuning.pastdays import CannotReplay, driven_dates, past_parts
from apps.tuning.sequencing import FOLLOWED, LEAVE, ORDER
from apps.tuning.services import proposals, shadowing, watching
from apps.tuning.shadow import Replayed, replay_day
from apps.tuning.states import ShadowState
from apps.tuning.topics import INTERVAL

log = structlog.get_logger(__name__)

REPLAY_DAY = "apps.tuning.tasks.replay_next"
SHADOW_DAYS = 8
"""So many of the newest driven days are replayed."""


def propose_learned(*, recommendation_id: str) -> None:
    """Make a proposal of what another room has learned of parameters."""
    proposals.propose_learned(uuid.UUID(recommendation_id), by=SYSTEM, now=clock.now())


def propose_service(*, depot_id: str) -> None:
    """Propose service factors of a depot, where its estimates prove them wrong."""
    proposals.propose_service_factors(uuid.UUID(depot_id), by=SYSTEM, now=clock.now())


def propose_sequences(*, depot_id: str) -> None:
    """Propose what plans of a depot take of how its drivers drive, where proved wrong."""
    now = clock.now()
    for name in (ORDER, LEAVE, FOLLOWED):
        proposals.propose_sequences(uuid.UUID(depot_id), name, by=SYSTEM, now=now)


def watch() -> None:
    """Recompute the figures of what is in force; take back what has fallen.

    What would change values that somebody has changed meanwhile is closed.
    """
    watching.watch_all(by=SYSTEM, now=clock.now())
    proposals.expire_stale(by=SYSTEM, now=clock.now())


def begin_shadow(*, proposal_id: str) -> None:
    """Choose the past days on which a proposal is tried, and begin with the first."""
    row = Proposal.objects.select_related("depot").filter(pk=proposal_id).first()
    if row is None:
        return
    today = clock.now().astimezone(ZoneInfo(row.depot.time_zone)).date()
    dates = driven_dates(row.depot_id, until=today, most=SHADOW_DAYS)
    if shadowing.begin_shadow(row.pk, dates, by=SYSTEM, now=clock.now()) is not None:
        queue.enqueue(REPLAY_DAY, proposal_id=proposal_id)


def replay_next(*, proposal_id: str) -> None:
    """Replay a proposal's next past day; the last one ends with the verdict.

    A day a task, or a part of a large day: each has the time of two searches, and a killed
    worker loses one of them.
    """
    waiting = ShadowDay.objects.filter(
        proposal_id=proposal_id, status=ShadowState.WAITING
    )
    day = waiting.select_related("proposal__depot").first()
    if day is None:
        shadowing.settle_shadow(uuid.UUID(proposal_id), by=SYSTEM, now=clock.now())
        return
    try:
        found = _replayed(day)
    except (CannotReplay, NoAnswer) as trouble:
        shadowing.skip_replay(day.pk, why=str(trouble), by=SYSTEM, now=clock.now())
    else:
        if found is not None:
            shadowing.note_replay(day.pk, found, by=SYSTEM, now=clock.now())
    queue.enqueue(REPLAY_DAY, proposal_id=proposal_id)


def _replayed(day: ShadowDay) -> Replayed | None:
    """Replay a past day, or the next part of a large one; None: more of its parts wait."""
    row = day.proposal
    old, new = values_of(row)
    changed = {name for name in row.values if getattr(old, name) != getattr(new, name)}
    told: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    if INTERVAL in changed:
        told = replay_intervals(row.depot, day.service_date, old, new)
    if changed == {INTERVAL}:
        return Replayed(*told, 0, 0, "")
    parts = past_parts(row.depot, day.service_date)
    if len(parts) == 1:
        return replay_day(parts[0], old, new).with_figures(*told)
    done = shadowing.parts_done(day)
    if len(done) < len(parts):
        found = replay_day(parts[len(done)], old, new)
        done = shadowing.note_part(day.pk, len(done), found, by=SYSTEM, now=clock.now())
    if len(done) < len(parts):
        return None
    before, after = together(done)
    return Replayed(
        before,
        after,
        sum(part.services for part in done),
        sum(part.seen_legs for part in done),
        done[0].engine,
    ).with_figures(*told)


def values_of(row: Proposal) -> tuple[Parameters, Parameters]:
    """Return the parameters in force before a proposal, and with it."""
    held = parameters_in_force(row.depot_id, row.proposed_at)
    old = {name: getattr(with_overrides(row.before), name) for name in row.before}
    new = {name: getattr(with_overrides(row.values), name) for name in row.values}
    return replace(held, **old), replace(held, **new)
