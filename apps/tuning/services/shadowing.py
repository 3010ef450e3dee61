"""The replay of a proposal on past days: begun, noted day by day, judged."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.tuning.judging import (
    LEAST_DAYS,
    Paired,
    paired,
    verdict_of,
    verdict_of_nearness,
)
from apps.tuning.models import Proposal, ShadowDay
from apps.tuning.parted import PartFigures
from apps.tuning.shadow import Replayed
from apps.tuning.states import PROPOSAL_STEPS, ProposalState, ShadowState
from apps.tuning.topics import FIGURES, INTERVAL_SCORE, error_of

SHOWN = (
    *("late_min", "broken", "unserved", "overtime_min", "cost_minor", "loss_minor"),
    *("start_error_s", "service_error_s", "leg_error_s"),
    *("order_error_pct", "driven_loss_minor"),
    *(INTERVAL_SCORE, "interval_width_s", "interval_held_pct"),
)
"""The figures of a day that are compared, before and after."""
LOSS: Final = "loss_minor"
DRIVEN_LOSS: Final = "driven_loss_minor"
"""Where plans are to come nearer to what is driven, the old plan is not what it was
instead of: nobody drove it. The new one is held against the day as it was driven."""
ALWAYS: Final = frozenset(SHOWN[:9])
"""Figures of every plan; the others came later, or are of some topics."""


def begin_shadow(
    proposal_id: uuid.UUID, dates: Sequence[date], *, by: Actor, now: datetime
) -> Proposal | None:
    """Set down which past days are to be replayed; None where it is no longer wanted."""
    with writing(by=by, now=now):
        row = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
        if row is None or row.status != ProposalState.PROPOSED:
            return None
        known = set(row.shadow_days.values_list("service_date", flat=True))
        ShadowDay.objects.bulk_create(
            ShadowDay(proposal=row, service_date=day)
            for day in dates
            if day not in known
        )
    return row


def note_replay(day_id: int, found: Replayed, *, by: Actor, now: datetime) -> None:
    """Keep what a past day came to under both sets of values."""
    with writing(by=by, now=now):
        ShadowDay.objects.filter(pk=day_id, status=ShadowState.WAITING).update(
            status=ShadowState.DONE,
            before=found.before,
            after=found.after,
            seen_services=found.seen_services,
            seen_legs=found.seen_legs,
            engine=found.engine,
        )
        _note_progress(day_id)


PARTS: Final = "parts"
"""Where a large day keeps the parts of it that were replayed, until all are."""


def parts_done(day: ShadowDay) -> list[PartFigures]:
    """Return the parts of a large day that were replayed already, in their order."""
    return [PartFigures(**each) for each in day.before.get(PARTS, [])]


def note_part(
    day_id: int, number: int, found: Replayed, *, by: Actor, now: datetime
) -> list[PartFigures]:
    """Keep what a part of a large day came to; return all that are known.

    Noted twice, by a task that runs twice, it counts once.
    """
    with writing(by=by, now=now):
        day = ShadowDay.objects.select_for_update().get(pk=day_id)
        parts = list(day.before.get(PARTS, []))
        if day.status == ShadowState.WAITING and len(parts) == number:
            part = PartFigures(
                before=found.before,
                after=found.after,
                services=found.seen_services,
                seen_legs=found.seen_legs,
                engine=found.engine,
            )
            day.before = {PARTS: [*parts, asdict(part)]}
            day.save(update_fields=["before"])
    return parts_done(day)


def skip_replay(day_id: int, *, why: str, by: Actor, now: datetime) -> None:
    """Leave a past day out, and say why."""
    with writing(by=by, now=now):
        ShadowDay.objects.filter(pk=day_id, status=ShadowState.WAITING).update(
            status=ShadowState.SKIPPED, skipped_because=why[:200]
        )
        _note_progress(day_id)


def _note_progress(day_id: int) -> None:
    day = ShadowDay.objects.get(pk=day_id)
    rows = ShadowDay.objects.filter(proposal_id=day.proposal_id)
    done = rows.exclude(status=ShadowState.WAITING).count()
    Proposal.objects.filter(pk=day.proposal_id).update(
        progress_percent=100 * done // max(1, rows.count())
    )


def settle_shadow(
    proposal_id: uuid.UUID, *, by: Actor, now: datetime
) -> Proposal | None:
    """Judge a proposal by its replayed days, once none of them waits."""
    with writing(by=by, now=now) as journal:
        row = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
        if row is None or row.status != ProposalState.PROPOSED:
            return None
        if row.shadow_days.filter(status=ShadowState.WAITING).exists():
            return None
        PROPOSAL_STEPS.check(row.status, ProposalState.SHADOW_TESTED)
        days = list(row.shadow_days.filter(status=ShadowState.DONE))
        row.shadow = judged(row.topic, days)
        row.status, row.tested_at = ProposalState.SHADOW_TESTED, now
        row.version += 1
        row.progress_percent = 100
        row.save()
        journal.record(
            "proposal.tested",
            row,
            depot_id=row.depot_id,
            verdict=row.shadow["verdict"],
            days=len(days),
        )
    return row


def judged(topic: str, days: Sequence[ShadowDay]) -> dict[str, Any]:
    """Return the verdict over replayed days, with each figure before and after."""
    figures = {
        name: paired(
            [float(day.before[name]) for day in days],
            [float(day.after[name]) for day in days],
        )
        for name in SHOWN
        if (name in ALWAYS and not days)
        or (days and all(name in each for day in days for each in _sides(day)))
    }
    error = error_of(topic)
    loss = DRIVEN_LOSS if DRIVEN_LOSS in figures else LOSS
    judge = verdict_of_nearness if loss == DRIVEN_LOSS else verdict_of
    nothing = paired([], [])
    verdict = judge(figures.get(error, nothing), figures.get(loss, nothing))
    return {
        "verdict": verdict,
        "days": len(days),
        "error": error,
        "loss": loss,
        "figures": {
            name: {
                "before": each.before,
                "after": each.after,
                "mean": each.mean,
                "low": each.low,
                "high": each.high,
            }
            for name, each in figures.items()
        },
        "text": _text(verdict, error, figures, len(days)),
    }


def _sides(day: ShadowDay) -> tuple[dict[str, Any], dict[str, Any]]:
    return day.before, day.after


def _text(verdict: str, error: str, figures: dict[str, Paired], days: int) -> str:
    if days < LEAST_DAYS:
        return (
            f"{days} past days could be replayed; {LEAST_DAYS} are needed to tell"
            " anything."
        )
    name = DRIVEN_LOSS if DRIVEN_LOSS in figures else LOSS
    words = {
        "wins": "It would have been better.",
        "loses": "It would have been worse.",
        "undecided": "It cannot be told from chance.",
    }
    if name not in figures:
        return _text_of_intervals(words[verdict], figures, days)
    each, loss = figures[error], figures[name]
    of_what = "loss a day"
    if name == DRIVEN_LOSS:
        of_what = "loss a day as it was really driven and as it is planned now"
    late = figures["late_min"]
    return (
        f"{words[verdict]} On {days} past days: {FIGURES[error].lower()}"
        f" {each.before:.1f} → {each.after:.1f} (difference {each.low:+.1f} to"
        f" {each.high:+.1f}), late {late.before:.1f} → {late.after:.1f} min a day, {of_what}"
        f" {loss.before / 100:.2f} → {loss.after / 100:.2f} (difference"
        f" {loss.low / 100:+.2f} to {loss.high / 100:+.2f})."
    )


def _text_of_intervals(said: str, figures: dict[str, Paired], days: int) -> str:
    """Say how told times came out: no plan is another by them."""
    score, width = figures[INTERVAL_SCORE], figures["interval_width_s"]
    held = figures["interval_held_pct"]
    return (
        f"{said} On {days} past days: told times held {held.before:.1f} % →"
        f" {held.after:.1f} % (90 are wanted), {width.before / 60:.1f} →"
        f" {width.after / 60:.1f} min wide, interval score {score.before:.0f} →"
        f" {score.after:.0f} s (difference {score.low:+.0f} to {score.high:+.0f})."
    )
