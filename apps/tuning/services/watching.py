"""The watch over what is in force: kept, or taken back when its figures fall."""

from datetime import datetime
from typing import Any

import structlog

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.routes.services.leaves import MachineMayNot, note_refusal
from apps.tuning.judging import Against, Watched
from apps.tuning.models import Proposal
from apps.tuning.selectors import in_force, newest_versions
from apps.tuning.services.deciding import keep_for_good, revert
from apps.tuning.states import ProposalState
from apps.tuning.topics import FIGURES, LATE, error_of
from apps.tuning.watchdays import RECENT_DAYS, DayFigures, Watch, watch_of

log = structlog.get_logger(__name__)

REPLACED = "Another version has taken its place: there is nothing left to watch."


def watch_all(*, by: Actor, now: datetime) -> int:
    """Recompute every watched figure; return how many changes were taken back."""
    count = 0
    for row in in_force():
        found = watch_of(row, now=now)
        with writing(by=by, now=now):
            Proposal.objects.filter(pk=row.pk, status=ProposalState.IN_FORCE).update(
                watch=_kept(row, found, now)
            )
        count += _judge(row, found, by=by, now=now)
    return count


def _judge(row: Proposal, found: Watch, *, by: Actor, now: datetime) -> bool:
    """Keep a change, take it back, or go on watching; tell whether it was taken back."""
    if newest_versions(row.depot_id, row.versions) != row.versions:
        keep_for_good(row.pk, words=REPLACED, by=by, now=now)
        return False
    if found.has_fallen:
        try:
            revert(row.pk, reason=in_words(row.topic, found), by=by, now=now)
        except MachineMayNot as refusal:
            note_refusal(refusal.act, row.depot_id, at_most_hourly=True, by=by, now=now)
            return False
        log.info("proposal_reverted", proposal=str(row.pk))
        return True
    if row.watch_until is not None and now.date() >= row.watch_until:
        keep_for_good(row.pk, words=in_words(row.topic, found), by=by, now=now)
    return False


def _kept(row: Proposal, found: Watch, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "error_name": error_of(row.topic),
        "error": _watched(found.error),
        "late": _watched(found.late),
        "against": _against(found.against),
        "has_fallen": found.has_fallen,
        "text": in_words(row.topic, found),
        "days": [
            *(_day(day, "before") for day in found.base),
            *(_day(day, "after") for day in found.days),
        ],
    }


def _day(day: DayFigures, phase: str) -> dict[str, Any]:
    return {
        "date": day.service_date.isoformat(),
        "phase": phase,
        "error": day.mean(day.error),
        "late": day.mean(day.late),
        "services": sum(pair[0] for pair in day.late.values()),
    }


def _watched(each: Watched) -> dict[str, Any]:
    return {
        "days": each.days,
        "before": each.before,
        "after": each.after,
        "band": each.band,
        "has_fallen": each.has_fallen,
    }


def _against(each: Against) -> dict[str, Any]:
    return {
        "count": each.count,
        "days": each.days,
        "old": each.old,
        "new": each.new,
        "mean": each.mean,
        "error": each.error,
        "has_fallen": each.has_fallen,
    }


def in_words(topic: str, found: Watch) -> str:
    """Say how a change does."""
    days = len(found.days)
    if not days:
        return "No day was planned and driven with it yet."
    recent = min(days, RECENT_DAYS)
    said = [f"{days} days planned with it; of the newest {recent}:"]
    for name, each in ((error_of(topic), found.error), (LATE, found.late)):
        words = f"{FIGURES[name]}: {each.before:g} in the same hours before, now {each.after:g}"
        if each.band is None:
            words += "; too few days before to know the noise."
        else:
            words += f" (noise ± {each.band:g})."
        said.append(words + (" It has fallen." if each.has_fallen else ""))
    if found.against.count:
        against = found.against
        words = (
            f"On the same {against.count} stops or legs the values before would have been"
            f" off by {against.old:g} s, those in force are by {against.new:g} s."
        )
        said.append(words + (" It has fallen." if against.has_fallen else ""))
    return " ".join(said)
