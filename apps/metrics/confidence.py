"""How confident each role is, week by week, beside the weeks' work; reads only.

Nobody is to be recognised: a mean is told only of so many people as the survey wants, and
only where what is told beside it does not give away, by subtraction, a mean of fewer.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from apps.depots.models import Depot
from apps.feedback.models import Survey
from apps.feedback.questions import in_language, read_questions
from apps.feedback.selectors import voices_of, week_begin
from apps.feedback.services.answering import OFFICE as SOMEBODY
from apps.feedback.services.responses import DRIVER
from apps.metrics.models import DailyFigure

WEEKS: Final = 12
MOST_WEEKS: Final = 52
OVERRIDES, ON_TIME = "override_rate", "on_time_rate"

DRIVERS: Final = "Driver"
OFFICE: Final = "Office"
"""All roles of the office together."""
UNNAMED: Final = "Office, role not known"

Cells = Mapping[tuple[str, uuid.UUID], Sequence[float]]
"""What the people of one week said, by role and depot."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One role in one week: its mean, of so many people; both None: too few answers."""

    role: str
    count: int | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the week, of `n` observations."""

    value: float
    n: int

    @property
    def percent(self) -> float:
        """The share in per cent."""
        return round(100 * self.value, 1)


@dataclass(frozen=True, slots=True)
class Week:
    """One week: how confident people were, and what their work was like."""

    begins: date
    voices: tuple[Voice, ...]
    overridden: Share | None
    on_time: Share | None

    def voice(self, role: str) -> Voice:
        """Return what a role said; without a mean where nobody or too few did."""
        return next((v for v in self.voices if v.role == role), Voice(role))


@dataclass(frozen=True, slots=True)
class Confidence:
    """A pulse's trend by role, beside the override rate and the on-time rate."""

    survey: Survey
    text: str
    low: int
    high: int
    roles: tuple[str, ...]
    weeks: tuple[Week, ...]


def span_of_weeks(last: date, weeks: int = WEEKS) -> tuple[date, date]:
    """Return the first day of so many weeks, and the last day of the last one."""
    end = week_begin(last) + timedelta(days=6)
    return end - timedelta(days=7 * weeks - 1), end


def confidence_of(
    survey: Survey, depots: Sequence[Depot], first: date, last: date
) -> Confidence:
    """Return a pulse's trend from the week of the first day to that of the last."""
    question = read_questions(survey.questions)[0]
    zones = {depot.pk: depot.time_zone for depot in depots}
    said: dict[date, dict[tuple[str, uuid.UUID], list[float]]] = defaultdict(dict)
    for (week, role, depot_id), values in voices_of(survey, zones, first, last).items():
        said[week][_title(role), depot_id] = values
    found = {role for cells in said.values() for role, _ in cells}
    roles = tuple(
        sorted(found | ({OFFICE} if found - {DRIVERS} else set()), key=_place)
    )
    work = {name: _by_week(zones, name, first, last) for name in (OVERRIDES, ON_TIME)}
    weeks = tuple(
        Week(
            day,
            tuple(_voices(said.get(day, {}), survey.least_answers)),
            work[OVERRIDES].get(day),
            work[ON_TIME].get(day),
        )
        for day in _mondays(first, last)
    )
    return Confidence(
        survey,
        in_language(question.text, "en"),
        question.low,
        question.high,
        roles,
        weeks,
    )


def _title(role: str) -> str:
    return {DRIVER: DRIVERS, SOMEBODY: UNNAMED}.get(role, role)


def _place(role: str) -> tuple[int, str]:
    return {DRIVERS: 0, OFFICE: 1, UNNAMED: 9}.get(role, 2), role


def _mondays(first: date, last: date) -> Iterator[date]:
    day = week_begin(first)
    while day <= last:
        yield day
        day += timedelta(days=7)


def _voices(cells: Cells, least: int) -> Iterator[Voice]:
    """Yield each role of a week, and the office as a whole."""
    named = {role for role, _ in cells}
    depots = frozenset(depot_id for _, depot_id in cells)
    groups = {role: frozenset([role]) for role in named}
    if office := frozenset(named - {DRIVERS}):
        groups[OFFICE] = office
    for title, roles in sorted(groups.items(), key=lambda item: _place(item[0])):
        if not _may_be_told(cells, roles, depots, least):
            yield Voice(title)
            continue
        values = _values(cells, roles, depots)
        yield Voice(title, len(values), round(sum(values) / len(values), 2))


def _values(
    cells: Cells, roles: frozenset[str], depots: frozenset[uuid.UUID]
) -> list[float]:
    return [
        value
        for (role, depot_id), values in cells.items()
        if role in roles and depot_id in depots
        for value in values
    ]


def _may_be_told(
    cells: Cells, roles: frozenset[str], depots: frozenset[uuid.UUID], least: int
) -> bool:
    """Tell whether a mean names nobody, by itself or less the means of its parts.

    Its parts are told elsewhere, each where it may be; those that may not must together be
    nobody, or as many people as a mean wants.
    """
    if len(_values(cells, roles, depots)) < least:
        return False
    by_role = [(frozenset([role]), depots) for role in roles if len(roles) > 1]
    by_depot = [(roles, frozenset([depot])) for depot in depots if len(depots) > 1]
    for parts in (by_role, by_depot):
        hidden = sum(
            len(_values(cells, *part))
            for part in parts
            if not _may_be_told(cells, *part, least)
        )
        if 0 < hidden < least:
            return False
    return True


def _by_week(
    depots: Mapping[uuid.UUID, str], name: str, first: date, last: date
) -> dict[date, Share]:
    """Return a daily share of some depots by week, each day by its observations."""
    rows = DailyFigure.objects.filter(
        depot__in=list(depots),
        name=name,
        key="",
        day__gte=week_begin(first),
        day__lte=last,
    )
    sums: dict[date, list[float]] = defaultdict(lambda: [0.0, 0])
    for day, value, n in rows.values_list("day", "value", "n"):
        sums[week_begin(day)][0] += value * n
        sums[week_begin(day)][1] += n
    return {week: Share(hits / n, int(n)) for week, (hits, n) in sums.items() if n}
