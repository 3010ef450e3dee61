"""Events judged in their turn: in the order of `seq`, and what has to wait for it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from apps.core.verdicts import REJECTED, Verdict
from apps.journal.services import Writer
from apps.sync import handlers
from apps.sync.handlers import HELD, RETRY
from apps.sync.lines import Line
from apps.sync.models import DeviceEvent
from apps.sync.services.judging import (
    DEPENDENCY_MISSING,
    FAILED_FOR_LONG,
    OUT_OF_ORDER,
    REPAIR_TIME,
    judge,
    judge_together,
    present,
    was_out_of_service,
    without_its_base,
)


@dataclass(slots=True)
class Candidate:
    """An event that may be judged; `index` is its row in the push, None if it waited."""

    row: DeviceEvent
    checked: msgspec.Struct | None
    fault: str = ""
    index: int | None = None
    since: datetime | None = None
    """Since when its device is asked to send it again; None for what is new."""
    is_overdue: bool = False
    """What it depends on has had its time to come."""
    was_forced: bool = False
    """It was judged without what it depends on."""

    def has_waited(self, now: datetime, patience: timedelta) -> bool:
        """Tell whether it has waited for so long, here or on its device."""
        since = self.row.received_at if self.index is None else self.since
        return since is not None and since <= now - patience

    @property
    def place(self) -> tuple[int, str]:
        """Its place among the events of its device, in whatever order they came."""
        return (self.row.seq, self.row.pk)


def judge_in_turn(
    candidates: Sequence[Candidate], line: Line, journal: Writer
) -> list[tuple[Candidate, Verdict]]:
    """Judge in the order of `seq` all that nothing is missing before.

    What still depends on another event is retried by its device; one that was held, and
    that its device therefore no longer has, goes on waiting. A step of a stop that cannot
    follow is retried as well, while an earlier report of that stop comes again.
    """
    taken = present({each.row.depends_on for each in candidates} - {""})
    taken -= {each.row.pk for each in candidates}
    decided = []
    coming: set[str] = set()
    in_turn = sorted(candidates, key=lambda one: one.place)
    for together, run in groupby(in_turn, key=_company):
        some = list(run)
        found = _judge_run(some, line, taken, journal) if together[0] else None
        for number, each in enumerate(some):
            verdict = found[number] if found else _verdict(each, line, taken, journal)
            is_late = each.is_overdue
            if each.row.stop_id in coming and _cannot_follow(each, verdict):
                verdict = DEPENDENCY_MISSING
            if is_late and each.row.depends_on and each.row.depends_on not in taken:
                each.was_forced = verdict.result not in {RETRY, HELD}
                verdict = without_its_base(each.row, verdict)
            if verdict.code == "internal" and each.has_waited(journal.now, REPAIR_TIME):
                verdict = FAILED_FOR_LONG
            if verdict.result == RETRY and each.row.stop_id:
                coming.add(each.row.stop_id)
            if each.index is None and verdict.result == RETRY:
                verdict = OUT_OF_ORDER
            if verdict.result not in {RETRY, HELD}:
                taken.add(each.row.pk)
            decided.append((each, verdict))
    return decided


def _cannot_follow(each: Candidate, verdict: Verdict) -> bool:
    """Tell whether an event is sound, and does not fit what came before it."""
    is_sound = each.checked is not None and not each.fault
    return is_sound and (verdict.result, verdict.code) == (REJECTED, "invalid")


def _company(each: Candidate) -> tuple[bool, uuid.UUID]:
    """Return what neighbours must have in common to be judged in one go."""
    row = each.row
    together = handlers.go_together(row.kind) and not was_out_of_service(row)
    return together, row.driver_id


def go_in_one(candidates: Sequence[Candidate]) -> bool:
    """Tell whether events are one run: nothing is written before all are judged."""
    alike = all(handlers.go_together(each.row.kind) for each in candidates)
    return alike and len({_company(each) for each in candidates}) <= 1


def _judge_run(
    run: Sequence[Candidate], line: Line, taken: set[str], journal: Writer
) -> list[Verdict] | None:
    """Judge a run of one driver's events of stops in one go; None where that fails."""
    seen, early = set(taken), []
    for each in run:
        verdict = _not_judged(each, line, seen)
        if verdict is None or verdict.result == REJECTED:
            seen.add(each.row.pk)
        early.append(verdict)
    due = [each for each, verdict in zip(run, early, strict=True) if verdict is None]
    late = judge_together([(each.row, each.checked) for each in due], journal)
    if late is None:
        return None
    verdicts = iter(late)
    return [verdict or next(verdicts) for verdict in early]


def _verdict(each: Candidate, line: Line, taken: set[str], journal: Writer) -> Verdict:
    verdict = _not_judged(each, line, taken)
    return verdict or judge(each.row, each.checked, journal)


def _not_judged(each: Candidate, line: Line, taken: set[str]) -> Verdict | None:
    """Return why an event cannot be judged: it is unfit, or waits; None when it can."""
    row = each.row
    if each.checked is None or each.fault:
        return Verdict(REJECTED, "invalid", each.fault)
    if row.depends_on and row.depends_on not in taken and not each.is_overdue:
        return DEPENDENCY_MISSING
    if not line.is_due(row.seq):
        return OUT_OF_ORDER
    return None
