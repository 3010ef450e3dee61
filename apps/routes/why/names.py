"""How a plan's stops, routes, times and amounts are called. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.core.wording import distance, local_time, money
from apps.routes.solver.solution import Solution

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names behind the ids of a problem: orders' references, drivers of shifts.

    `offsets` say by shift how many stops lie before the plan's first: those that were
    done, or under way, when it was made.
    """

    orders: Mapping[str, str]
    drivers: Mapping[str, str]
    offsets: Mapping[str, int] = field(default_factory=dict)
    zone: str = "UTC"
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells ids, seconds and thousandths as people say them."""

    names: Names
    origin_at: datetime
    numbers: Mapping[str, int]

    def order(self, job_id: str) -> str:
        """Return an order's reference."""
        return self.names.orders.get(job_id, job_id)

    def stop(self, job_id: str) -> str:
        """Return a stop's number with its reference, or this alone where it has no place."""
        number = self.numbers.get(job_id)
        if number is None:
            return self.order(job_id)
        return f"stop {number} ({self.order(job_id)})"

    def driver(self, vehicle_id: str | None) -> str:
        """Return who drives."""
        return self.names.drivers.get(vehicle_id or "", "one more shift")

    def place(self, vehicle_id: str, place: int) -> int:
        """Return the number of a place in a route's plan."""
        return place + self.names.offsets.get(vehicle_id, 0)

    def clock(self, seconds: int) -> str:
        """Return a time of day, with the weekday where it is another day."""
        at = self.origin_at + timedelta(seconds=seconds)
        day = local_time(self.origin_at, self.names.zone, "%Y-%m-%d")
        is_same = local_time(at, self.names.zone, "%Y-%m-%d") == day
        return local_time(at, self.names.zone, "%H:%M" if is_same else "%a %H:%M")

    def added(self, minor: int) -> str:
        """Return an amount with its sign."""
        return signed(minor, money(abs(minor), self.names.currency))

    def amount(self, minor: int) -> str:
        """Return an amount."""
        return money(minor, self.names.currency)


EPOCH = "1970-01-01T00:00:00+00:00"


def teller(solution: Solution, names: Names, origin_at: str = EPOCH) -> Teller:
    """Return the teller of a plan: its stops are numbered as on their routes.

    `origin_at` is what the problem's seconds count from; only times of day need it.
    """
    return Teller(
        names=names,
        origin_at=datetime.fromisoformat(origin_at),
        numbers=dict(_numbers(solution, names)),
    )


def _numbers(solution: Solution, names: Names) -> Iterator[tuple[str, int]]:
    for route in solution.routes:
        before = names.offsets.get(route.vehicle_id, 0)
        for place, visit in enumerate(route.visits, 1):
            yield visit.job_id, before + place


def signed(value: int, text: str) -> str:
    """Put the sign before a text without one; nothing before nought."""
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{text}"


def minutes(seconds: int) -> str:
    """Return a span in whole minutes; what is shorter, but there, is under one."""
    whole = round(abs(seconds) / 60)
    if not whole and seconds:
        return "less than 1 min"
    hours, rest = divmod(whole, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def added_minutes(seconds: int) -> str:
    """Return a difference of time with its sign."""
    if abs(seconds) < 30:
        return "0 min"
    return signed(seconds, minutes(seconds))


def added_distance(metres: int) -> str:
    """Return a difference of distance with its sign."""
    return "0.0 km" if abs(metres) < 50 else signed(metres, distance(abs(metres)))


def sooner_or_later(seconds: int) -> str:
    """Return how a stop's time moves."""
    if abs(seconds) < 30:
        return "at the same time"
    return f"{minutes(seconds)} {'later' if seconds > 0 else 'earlier'}"


def load(dimension: str, amount: int) -> str:
    """Return a load in the units that people use."""
    if dimension == "g":
        return f"{amount / 1000:,.1f} kg"
    if dimension == "ml":
        return f"{amount / 1000:,.1f} l"
    if dimension == "pieces":
        return f"{amount} piece{'s' if amount != 1 else ''}"
    return f"{amount} {dimension}"


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
