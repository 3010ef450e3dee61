"""Who changed what was planned, and why: told apart by who gave cause to it. Pure (C31)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

AI, CUSTOMER, DRIVER, OFFICE = "ai", "customer", "driver", "office"
WHO: Final = {
    AI: "The machine",
    CUSTOMER: "Customers",
    DRIVER: "Drivers",
    OFFICE: "The office",
}

_BY_ACTOR: Final = {
    "system": AI,
    "customer": CUSTOMER,
    "link": CUSTOMER,
    "driver": DRIVER,
    "device": DRIVER,
    "user": OFFICE,
    "command": OFFICE,
}
_BY_CAUSE: Final = {
    "stop": DRIVER,
    "shift": DRIVER,
    "exception": DRIVER,
    "running_late": DRIVER,
    "decision_point": OFFICE,
}
"""Who gives cause to a re-plan where nothing else is known."""


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Something that was planned has become another: when, by whom, why, how much."""

    day: date
    who: str
    cause: str
    campaign: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """Reschedules counted: by who, by day and who, by cause and who, by campaign."""

    total: int
    by_who: dict[str, int]
    by_day: dict[date, dict[str, int]]
    by_cause: dict[str, dict[str, int]]
    by_campaign: dict[str, int]


def who_acts(actor: str) -> str:
    """Return whose act a journal's actor is."""
    return _BY_ACTOR.get(actor.partition(":")[0], OFFICE)


def who_caused(cause: str, step: str, actor: str) -> str:
    """Return who gave cause to a re-plan.

    A search is the machine's own; the mending belongs to the fact that it answers: that
    of the `actor` who wrote it, where it is known.
    """
    if step == "search":
        return AI
    by_kind = _BY_CAUSE.get(cause.partition(".")[0])
    if by_kind is not None:
        return by_kind
    return who_acts(actor) if actor else AI


def tally(rows: Iterable[Reschedule]) -> Tally:
    """Count reschedules in every way that is shown."""
    by_who: Counter[str] = Counter()
    by_day: dict[date, Counter[str]] = {}
    by_cause: dict[str, Counter[str]] = {}
    by_campaign: Counter[str] = Counter()
    for row in rows:
        by_who[row.who] += row.count
        by_day.setdefault(row.day, Counter())[row.who] += row.count
        by_cause.setdefault(row.cause, Counter())[row.who] += row.count
        by_campaign[row.campaign] += row.count
    return Tally(
        total=by_who.total(),
        by_who=dict(by_who),
        by_day={day: dict(counts) for day, counts in sorted(by_day.items())},
        by_cause={
            cause: dict(counts)
            for cause, counts in sorted(
                by_cause.items(), key=lambda item: -item[1].total()
            )
        },
        by_campaign=dict(by_campaign.most_common()),
    )
