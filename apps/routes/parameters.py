"""Planning parameters: what may be tuned or learned, with first values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from apps.routes.followed import Followed, followed_from
from apps.routes.servicefactors import ServiceFactor, factors_from
from apps.routes.solver.port import RULES, Stop
from apps.routes.zoneorder import Before, order_from

SPREAD, CONFORMAL = "spread", "conformal"
"""Whence ETA intervals: the model's spread, or past errors (`eta_interval`)."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values in force for one planning; stored versions override the defaults."""

    standard_service_s: int = 120
    """Service time of an order that names none."""
    engine: str = "pyvrp"
    """The first engine; `greedy` alone switches the searches off."""
    fallbacks: tuple[str, ...] = ("pyvrp", "ortools")
    """Whom to ask, in turn, where the first engine gives no answer; the rules, `greedy`,
    come after them in every depot."""
    rules_day_rounds: int = 600
    """Rounds of the insertion engine for a day: its answer comes first, within
    seconds, and is the fallback. A count repeats, a clock does not."""
    rules_replan_rounds: int = 300
    rules_time_limit_s: int = 10
    """Cap of time for the insertion engine; all caps together stay below the task's
    timeout."""
    day_rounds: int = 30_000
    """Rounds of PyVRP for a day, from the first answer on. A count repeats."""
    replan_rounds: int = 4_000
    """The same for the search after an event, both halves together: some 4 s of one
    core for 180 stops; what is found later is seldom worth the wait."""
    day_solutions: int = 110
    """The same for OR-Tools, in solutions seen: some 10 s for 400 orders on one core,
    for 3 % of the cost."""
    replan_solutions: int = 100
    day_time_limit_s: int = 36
    """Cap of time for a day's search, whatever the engine; the task's budget may be
    less (see `chain`)."""
    replan_time_limit_s: int = 8
    """Cap of time for the search after an event: drivers drive on meanwhile. Where the
    cap ends it and not the count, its recommendation says so."""
    repair_stops: int = 400
    """An event is first answered among so many of the stops nearest to it."""
    search_stops: int = 240
    """The search that follows looks at so many stops: its drivers' and the nearest."""
    cold_start_stops: int = 20
    """From so many stops on, half of that search starts from nothing: a mended plan can
    be a trap, at 47 stops too. Fewer are searched through from anywhere."""
    seed: int = 7
    disruption_minor: int = 300
    """Price of a stop that changes its driver, in minor units of money."""
    resequence_percent: int = 5
    """Price of a stop that follows another one than before, in per cent of what a leg
    of the running plan costs in the mean. First value: with it 13 % of the legs changed
    at 400 stops for 0.1 % of the cost; twice as much kept 4 % more for three times that."""
    told_late_minor_per_min: int = 5
    """Price of a minute by which a stop comes later than was told, beyond `eta_moved_s`.
    First value: half of what a missed preference costs. Earlier is free: to wait for
    the clock would make every stop behind late; a changed sequence has its own price."""
    unserved_minor: int = 100_000
    """Price of leaving out an order of priority 3, in minor units of money."""
    preference_minor_per_min: int = 10
    """Price of a minute outside of what a customer prefers, in minor units of money.
    First value: a quarter of what a minute of a driver costs at 24.00 an hour."""
    min_gain_minor: int = 200
    """A re-plan that saves less than this over the repaired plan is not worth the
    unrest: the repaired plan stays."""
    eta_moved_s: int = 300
    """A driver is told of an ETA that moves by at least this much."""
    late_s: int = 600
    """Being off the plan by more than this gives cause to re-optimize."""
    travel_c_s: float = 219.0
    """`t = c · d^p`: seconds at 1 km. First value: our fit on OSRM's free flow, Lauf."""
    travel_p: float = 0.70
    """`t = c · d^p`: the exponent. Same source."""
    eta_travel_cv: float = 0.30
    """Spread of a leg's time, as a share of it. First value: our guess from the noise
    of a town's streets; to be learned from the errors of past ETAs, as are the next."""
    eta_service_cv: float = 0.50
    """Spread of a service's time, as a share of it."""
    eta_drift: float = 0.08
    """How much a whole day is slower or faster than thought, as a share."""
    eta_interval: str = SPREAD
    """Whence ETA intervals: "spread", the three above; or "conformal", learned from past
    errors by zone and hour. First value: what is learned waits until people approve."""
    travel_by_hour: tuple[float, ...] = ()
    """How much longer travel takes in each of the 24 hours; empty: the built-in swing."""
    roads_factor: float = 1.0
    """What a road network's free flow is multiplied by; first value: as it is."""
    service_factors: Mapping[str, ServiceFactor] = field(default_factory=dict)
    """How much longer services take than their standard, by place and by parcels (see
    `servicefactors`); first value: everywhere as the standard says."""
    zone_order: Mapping[str, Before] = field(default_factory=dict)
    """Which of two zones had better come first, by pair (see `zoneorder`); first value:
    plans have no opinion."""
    zone_order_minor: int = 200
    """Price of a step between zones that is surely against their order, in minor units
    of money; less where it is less sure. First value: five minutes at 24.00 an hour."""
    followed: Mapping[str, Followed] = field(default_factory=dict)
    """How probably drivers go on to the stop that the plan has next (see `followed`);
    first value: plans are made as if they were followed to the letter."""
    expected_late_minor_per_min: int = 100
    """What a minute too late is worth where a plan is chosen by how it will be followed.
    First value: two and a half times a driver's minute at 24.00 an hour."""
    zone_leave_minor: int = 0
    """Price of each step from a stop of one zone straight to one of another, in minor
    units of money. First value: 0, a zone may be left and entered again as it suits."""

    @property
    def chain(self) -> tuple[str, ...]:
        """Name the engines in the order in which they are asked, the rules last."""
        if self.engine == RULES:
            return (RULES,)
        named = dict.fromkeys((self.engine, *self.fallbacks))
        return (*(name for name in named if name != RULES), RULES)

    def stops(self, kind: str) -> dict[str, Stop]:
        """Say by engine when a search ends: of a `plan`, or of a `replan`."""
        if kind == "replan":
            limit_s = self.replan_time_limit_s
            counts = self.replan_rounds, self.replan_solutions, self.rules_replan_rounds
        else:
            limit_s = self.day_time_limit_s
            counts = self.day_rounds, self.day_solutions, self.rules_day_rounds
        rounds, solutions, by_rules = counts
        return {
            "pyvrp": Stop(solutions=rounds, time_limit_s=limit_s),
            "ortools": Stop(solutions=solutions, time_limit_s=limit_s),
            RULES: Stop(solutions=by_rules, time_limit_s=self.rules_time_limit_s),
        }


DEFAULTS = Parameters()


def with_overrides(values: Mapping[str, Any]) -> Parameters:
    """Return the defaults with stored values in their place.

    Raises:
        KeyError: a value has the name of no parameter.
        BadFactors: service factors name no place, or are out of bounds.
        BadZoneOrder: an order of zones names no pairs, or is out of bounds.
        BadFollowed: probabilities name nothing, or are out of bounds.
    """
    known = {item.name for item in fields(Parameters)}
    if unknown := values.keys() - known:
        raise KeyError(f"No such planning parameter: {', '.join(sorted(unknown))}")
    given = {name: _read(name, value) for name, value in values.items()}
    return Parameters(**{**{f: getattr(DEFAULTS, f) for f in known}, **given})


def _read(name: str, value: Any) -> Any:
    """Return a stored value as planning holds it."""
    if name == "service_factors":
        return factors_from(value)
    if name == "zone_order":
        return order_from(value)
    if name == "followed":
        return followed_from(value)
    return tuple(value) if isinstance(value, list) else value
