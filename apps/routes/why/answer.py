"""The answer to a question of a plan: sentences, and the figures behind them. Pure.

Amounts are minor units of the depot's money; ids are those of orders and shifts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a cost, or of its difference."""

    code: str
    name: str
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A stop that is served by another, at another place, or at another time."""

    order: str
    text: str
    later_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that a forced plan breaks, and for whom."""

    code: str
    order: str
    shift: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What another plan would cost, and change, against the one that stands."""

    summary: str
    cost_minor: int
    parts: tuple[Part, ...]
    duration_s: int
    distance_m: int
    overtime_s: int
    moved: tuple[Moved, ...]
    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """What keeps an order from some routes, the same for all of them."""

    shifts: tuple[str, ...]
    drivers: str
    codes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way out, or another place: what it takes, whether it serves, what it costs.

    `cost_minor` is what the routes cost more, None where nothing was to be priced.
    """

    code: str
    outcome: str
    text: str
    cost_minor: int | None = None
    cost: str = ""
    is_cheapest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """One route's cost by part, or that of the plan as a whole."""

    name: str
    shift: str
    amounts: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTable:
    """A plan's cost by route and part; rows and columns add up exactly."""

    codes: tuple[str, ...]
    parts: tuple[str, ...]
    rows: tuple[CostRow, ...]
    total: CostRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer: `summary` alone would do, the rest says more."""

    about: str
    title: str
    summary: str
    facts: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    options: tuple[Option, ...] = ()
    price: Price | None = None
    around: Price | None = None
    table: CostTable | None = None
