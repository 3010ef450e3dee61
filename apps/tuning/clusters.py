"""Which reports speak of the same: by reason, place, and the parameter they are about. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

SERVICE: Final = "service_factors"
TRAVEL: Final = "travel"

BY_REASON: Final[Mapping[str, str]] = {
    "too_tight": SERVICE,
    "too_slow": SERVICE,
    "parking": SERVICE,
    "access": SERVICE,
    "traffic": TRAVEL,
}
"""Which parameter a reason of feedback speaks of; the others speak of none."""

HINTS: Final[Mapping[str, tuple[str, ...]]] = {
    SERVICE: (
        *("stairs", "lift", "elevator", "park", "reception", "concierge", "gate"),
        *("door", "unload", "wait at", "treppe", "aufzug", "pförtner", "escalier"),
        *("ascenseur", "escalera", "ascensor"),
    ),
    TRAVEL: (
        *("traffic", "jam", "congest", "roadwork", "rush", "stau", "verkehr"),
        *("bouchon", "tráfico", "atasco"),
    ),
}
"""Words that say of what somebody speaks, where the reason does not."""

LEAST_PEOPLE: Final = 2
LEAST_REPORTS: Final = 2


@dataclass(frozen=True, slots=True)
class Report:
    """One feedback as it counts here; `place` is a key as service factors have it."""

    feedback_id: str
    person: str
    reason: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Reports that say the same of one place."""

    parameter: str
    place: str
    reasons: tuple[tuple[str, int], ...]
    people: int
    feedback_ids: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Tell whether so many say it that it lowers what figures have to prove."""
        return self.people >= LEAST_PEOPLE and len(self.feedback_ids) >= LEAST_REPORTS


def clustered(reports: Iterable[Report]) -> tuple[Cluster, ...]:
    """Return the reports that speak of a parameter, by it and by place; largest first."""
    groups: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in reports:
        if parameter := spoken_of(report):
            groups[parameter, report.place].append(report)
    found = [
        Cluster(
            parameter=parameter,
            place=place,
            reasons=_counted(rows),
            people=len({row.person for row in rows}),
            feedback_ids=tuple(sorted(row.feedback_id for row in rows)),
        )
        for (parameter, place), rows in groups.items()
    ]
    return tuple(
        sorted(found, key=lambda c: (-len(c.feedback_ids), c.parameter, c.place))
    )


def spoken_of(report: Report) -> str:
    """Name the parameter that a report speaks of; nothing where it speaks of none."""
    text = report.text.casefold()
    for parameter, words in HINTS.items():
        if any(word in text for word in words):
            return parameter
    return BY_REASON.get(report.reason, "")


def _counted(rows: Iterable[Report]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for row in rows:
        code = row.reason or "text"
        found[code] = found.get(code, 0) + 1
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
