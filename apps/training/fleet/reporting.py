"""What a driven day amounts to: figures, a digest, words."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.training.fleet.checking import OUTCOMES, Verdict
from apps.training.fleet.driving import Drive
from apps.training.fleet.journey import Fact, Journey

DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Report:
    """A day's figures. `digest` is the same when the same happened at the same time."""

    figures: dict[str, Any]
    lines: tuple[str, ...]
    is_clean: bool

    def json(self) -> str:
        """Return the figures as one line."""
        return json.dumps(self.figures)


def digest_of(facts: Iterable[Fact]) -> str:
    """Return the SHA-256 over the facts in their order, shortened."""
    text = "\n".join(sorted(fact.text() for fact in facts))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def report_on(
    drive: Drive, verdict: Verdict, *, left_out: int, seconds: float
) -> Report:
    """Add up what happened."""
    journeys = drive.journeys
    facts = [*drive.facts, *(fact for journey in journeys for fact in journey.facts)]
    ends = Counter(fact.kind for fact in facts if fact.kind in OUTCOMES)
    on_time, timed = _on_time(journeys)
    devices = [journey.device for journey in journeys]
    counts = [device.count for device in devices]
    figures: dict[str, Any] = {
        "drivers": len(journeys),
        "events": sum(len(device.outbox.made) for device in devices),
        "resent": sum(count.resent for count in counts),
        "offline_s": round(sum(count.offline_s for count in counts)),
        "views_equal": not verdict.unequal,
        "lost": len(verdict.lost),
        "duplicated": len(verdict.duplicated),
        **{OUTCOMES[kind]: ends[kind] for kind in OUTCOMES},
        "left_out": left_out,
        "on_time": on_time,
        "timed": timed,
        "plan_changes": len(drive.latency.seconds),
        "acknowledged_after_s": round(drive.latency.median_s()),
        "lost_answers": sum(count.lost_answers for count in counts),
        "shuffled": sum(count.shuffled for count in counts),
        "missed_pokes": sum(count.missed_pokes for count in counts),
        "pushes": sum(count.pushes for count in counts),
        "pulls": sum(count.pulls for count in counts),
        "results": dict(sorted(verdict.results.items())),
        "digest": digest_of(facts),
        "seconds": round(seconds, 1),
        "speed": round(drive.pace.reached(), 1),
    }
    lines = tuple(_lines(figures, verdict))
    return Report(figures, lines, verdict.is_clean())


def _on_time(journeys: Sequence[Journey]) -> tuple[int, int]:
    """Return how many visits began inside a window, and how many had one."""
    visits = [visit for journey in journeys for visit in journey.begun]
    timed = [(visit, at) for visit, at in visits if visit.windows]
    return sum(visit.is_open(at) for visit, at in timed), len(timed)


def _lines(figures: dict[str, Any], verdict: Verdict) -> Iterable[str]:
    done = ", ".join(f"{figures[name]} {name}" for name in OUTCOMES.values())
    yield f"Stops: {done}; {figures['left_out']} orders left out"
    yield f"On time: {figures['on_time']} of {figures['timed']} visits with a window"
    yield (
        f"Plan changes: {figures['plan_changes']}, acknowledged after "
        f"{figures['acknowledged_after_s']} s in the median; "
        f"{figures['missed_pokes']} pokes missed"
    )
    yield (
        f"Events: {figures['events']} in {figures['pushes']} pushes, "
        f"{figures['resent']} sent again, {figures['lost_answers']} answers lost, "
        f"{figures['shuffled']} batches shuffled, {figures['offline_s']} s offline"
    )
    results = ", ".join(f"{n} {name}" for name, n in figures["results"].items())
    yield f"Results: {results}"
    yield f"Took {figures['seconds']} s, {figures['speed']} times as fast as life"
    yield f"Digest of the day: {figures['digest']}"
    for title, found in (
        ("VIEWS DIFFER", verdict.unequal),
        ("LOST", verdict.lost),
        ("DUPLICATED", verdict.duplicated),
    ):
        for line in found[:20]:
            yield f"{title}: {line}"
    if verdict.is_clean():
        yield "Every device's view equals the server's; nothing lost, nothing twice."
