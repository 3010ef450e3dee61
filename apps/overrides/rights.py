"""Who may change a plan, and who has to agree: a table of rules and one example. Pure.

Order of precedence, in which every example has exactly one winner:

1. Only rules of the example's kind and role count, in force at its instant.
2. Where the depot has rules of its own for this kind and role, those of the house are
   not looked at.
3. A denial wins wherever its hours hold: it has no other limits.
4. Of the rules whose limits all hold, the one that gives the most liberty: allowed,
   then an approval, by the lowest role of the ladder first.
5. Of equals, the one that was written last.
6. Where no rule holds, it is denied.

A larger impact only ever makes fewer rules hold (4), and nothing before it looks at the
impact: more liberty never comes of it. A figure that is unknown passes no limit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Final

ADMINISTRATOR: Final = "Administrator"
"""Who has every permission of the house (a superuser); not a group."""

LADDER: Final = ("Driver", "Coordinator", "Route planner", "Supervisor", ADMINISTRATOR)
"""Who answers for whom, the highest last: a request escalates upwards."""

APPROVERS: Final = LADDER[1:]
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Outcome(StrEnum):
    """What a rule, or a decision, says."""

    ALLOWED = "allowed"
    APPROVAL = "approval"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a change costs, as far as limits look at it; None where it is not known.

    `minutes` and `cost_minor` are what the routes take more, `stops` how many stops are
    served by another, at another place or time, `windows_broken` how many windows and
    promises of customers, and rules of shift, load or skill, it breaks.
    """

    minutes: int | None = None
    cost_minor: int | None = None
    stops: int | None = None
    windows_broken: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Up to where a rule holds; None is no limit.

    `hours` is half-open on the depot's clock and may run over midnight; `weekdays` counts
    from Monday as 0, and is every day where it is empty. `minutes_to_departure` is the
    least: minutes until the route leaves, negative once it is on the road.
    """

    minutes: int | None = None
    cost_minor: int | None = None
    stops: int | None = None
    windows_broken: int | None = None
    minutes_to_departure: int | None = None
    hours: tuple[time, time] | None = None
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table; `order` grows with each row that is written."""

    id: str
    order: int
    kind: str
    role: str
    depot: str
    """The depot's id; empty for a rule of the whole house."""
    outcome: Outcome
    approver: str = ""
    limits: Limits
    valid_from: datetime
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what would break the order of precedence.

        Raises:
            ValueError: a denial has limits beside its hours, or an approval no approver.
        """
        limits = self.limits
        bare = Limits(hours=limits.hours, weekdays=limits.weekdays)
        if self.outcome == Outcome.DENIED and limits != bare:
            raise ValueError("A denial has no limits but its hours.")
        if (self.outcome == Outcome.APPROVAL) != (self.approver in APPROVERS):
            raise ValueError("An approval names who approves, and nothing else does.")

    def is_in_force(self, at: datetime) -> bool:
        """Tell whether the rule is in force at an instant; half-open."""
        begun = self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Who wants to do what, when, and what it costs; `at` is on the depot's clock."""

    kind: str
    role: str
    depot: str
    at: datetime
    minutes_to_departure: int | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Miss:
    """A limit that does not hold: which, where it lies, and what there is instead."""

    name: str
    limit: int | str
    actual: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided, by which rule, and why.

    `misses` are the limits of the next more liberal rule that were not kept, if any.
    """

    outcome: Outcome
    approver: str = ""
    rule: Rule | None = None
    role: str = ""
    misses: tuple[Miss, ...] = ()
    why: tuple[str, ...] = ()


UPPER: Final = {
    "minutes": "min more",
    "cost_minor": "minor units of cost",
    "stops": "stops moved",
    "windows_broken": "broken",
}
"""The limits from above, as people read them."""


def rank(role: str) -> int:
    """Return how high a role stands on the ladder; −1 for one that is not on it."""
    return LADDER.index(role) if role in LADDER else -1


def next_role(role: str) -> str | None:
    """Return to whom a request goes on; None from the top."""
    place = rank(role) + 1
    return LADDER[place] if 0 < place < len(LADDER) else None


def stands_for(role: str, approver: str) -> bool:
    """Tell whether a role may decide what an approver is asked: it, and all above it."""
    return rank(role) >= rank(approver) >= 0


def liberty(decision: Decision | Rule) -> int:
    """Return how much a decision gives: the more the larger, none as 0."""
    if decision.outcome == Outcome.ALLOWED:
        return len(LADDER) + 1
    if decision.outcome == Outcome.APPROVAL:
        return len(LADDER) - rank(decision.approver)
    return 0


def decide(rules: Iterable[Rule], example: Example) -> Decision:
    """Return what the table says of an example; see the order of precedence above."""
    scope = _in_scope(rules, example)
    denials = [
        rule
        for rule in scope
        if rule.outcome == Outcome.DENIED and not misses(rule.limits, example)
    ]
    if denials:
        won = max(denials, key=lambda rule: rule.order)
        why = (f"A rule denies it {hours_words(won.limits)}.",)
        return Decision(outcome=won.outcome, rule=won, role=example.role, why=why)
    rest = sorted(
        (rule for rule in scope if rule.outcome != Outcome.DENIED),
        key=lambda rule: (-liberty(rule), -rule.order),
    )
    failed: list[tuple[Rule, tuple[Miss, ...]]] = []
    for rule in rest:
        missed = misses(rule.limits, example)
        if not missed:
            return _won(rule, failed, example)
        failed.append((rule, missed))
    return _uncovered(failed, example)


def decide_for(
    roles: Sequence[str], rules: Iterable[Rule], example: Example
) -> Decision:
    """Return what somebody with several roles may: the most that one of them gives."""
    table = list(rules)
    found = [decide(table, replace(example, role=role)) for role in roles]
    if not found:
        return decide(table, replace(example, role=""))
    return max(found, key=lambda one: (liberty(one), rank(one.role)))


def misses(limits: Limits, example: Example) -> tuple[Miss, ...]:
    """Return the limits that an example does not keep."""
    found = []
    for name in (field.name for field in fields(Figures)):
        limit: int | None = getattr(limits, name)
        actual: int | None = getattr(example.figures, name)
        if limit is not None and (actual is None or actual > limit):
            found.append(Miss(name, limit, actual))
    least, left = limits.minutes_to_departure, example.minutes_to_departure
    if least is not None and (left is None or left < least):
        found.append(Miss("minutes_to_departure", least, left))
    if limits.hours is not None and not _within(limits.hours, example.at.time()):
        found.append(Miss("hours", _span(limits.hours), f"{example.at:%H:%M}"))
    if limits.weekdays and example.at.weekday() not in limits.weekdays:
        days = _days(limits.weekdays)
        found.append(Miss("weekdays", days, WEEKDAYS[example.at.weekday()]))
    return tuple(found)


def miss_words(miss: Miss) -> str:
    """Say in English which limit is not kept."""
    if miss.name in UPPER:
        actual = "not known" if miss.actual is None else miss.actual
        return f"{UPPER[miss.name]}: {actual}, limit {miss.limit}"
    if miss.name == "minutes_to_departure":
        if miss.actual is None:
            return f"departure not known, limit {miss.limit} min before it"
        if int(miss.actual) < 0:
            return f"on the road, limit {miss.limit} min before departure"
        return f"{miss.actual} min to departure, at least {miss.limit} needed"
    return f"{miss.actual}, holds {miss.limit}"


def limits_words(limits: Limits) -> str:
    """Say in English up to where a rule holds."""
    said = [
        f"≤ {limit} {UPPER[name]}"
        for name in UPPER
        if (limit := getattr(limits, name)) is not None
    ]
    if limits.minutes_to_departure is not None:
        said.append(f"≥ {limits.minutes_to_departure} min before departure")
    if limits.hours is not None or limits.weekdays:
        said.append(hours_words(limits))
    return ", ".join(said) or "without limit"


def hours_words(limits: Limits) -> str:
    """Say in English when a rule holds."""
    if limits.hours is None and not limits.weekdays:
        return "at all times"
    span = _span(limits.hours) if limits.hours else ""
    return " ".join(part for part in (_days(limits.weekdays), span) if part)


def _in_scope(rules: Iterable[Rule], example: Example) -> list[Rule]:
    meant = [
        rule
        for rule in rules
        if rule.kind == example.kind
        and rule.role == example.role
        and rule.depot in ("", example.depot)
        and rule.is_in_force(example.at)
    ]
    own = [rule for rule in meant if rule.depot]
    return own or meant


def _won(
    rule: Rule, failed: Sequence[tuple[Rule, tuple[Miss, ...]]], example: Example
) -> Decision:
    said = f"The rule for {example.role} holds: {limits_words(rule.limits)}."
    nearest = failed[-1][1] if failed else ()
    why = [said]
    if nearest:
        told = "; ".join(map(miss_words, nearest))
        why.insert(0, f"More would be allowed but for: {told}.")
    return Decision(
        outcome=rule.outcome,
        approver=rule.approver,
        rule=rule,
        role=example.role,
        misses=nearest,
        why=tuple(why),
    )


def _uncovered(
    failed: Sequence[tuple[Rule, tuple[Miss, ...]]], example: Example
) -> Decision:
    if not failed:
        who = example.role or "somebody without a role"
        why = f"No rule lets {who} do this."
        return Decision(outcome=Outcome.DENIED, role=example.role, why=(why,))
    nearest = min((missed for _, missed in failed), key=len)
    told = "; ".join(map(miss_words, nearest))
    why = f"No rule reaches so far. The nearest stops at: {told}."
    return Decision(
        outcome=Outcome.DENIED, role=example.role, misses=nearest, why=(why,)
    )


def _within(hours: tuple[time, time], at: time) -> bool:
    opens, closes = hours
    if opens <= closes:
        return opens <= at < closes
    return at >= opens or at < closes


def _span(hours: tuple[time, time]) -> str:
    return f"{hours[0]:%H:%M}–{hours[1]:%H:%M}"


def _days(weekdays: frozenset[int]) -> str:
    return ", ".join(WEEKDAYS[day] for day in sorted(weekdays))
