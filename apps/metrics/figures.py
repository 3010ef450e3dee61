"""Reads a depot's day out of the tables into figures; never writes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Q

from apps.depots.models import Depot
from apps.incidents.reliance import QUICK_S
from apps.incidents.reliancefacts import decisions_between
from apps.overrides.models import Override
from apps.overrides.states import OverrideState
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState
from apps.routes.calibrating import tellings_in
from apps.routes.calibrationrows import StopTelling
from apps.routes.coverage import service_begins
from apps.routes.driven import driven_legs
from apps.routes.hours import hour_factor
from apps.routes.intervaltrial import holds
from apps.routes.models import Plan, Stop
from apps.routes.selectors import parameters_in_force
from apps.routes.states import PlanState, StopState
from apps.routes.tellings import FIRST_IS_KEPT

JUDGED: Final = (
    RecommendationState.FOLLOWED,
    RecommendationState.DEVIATED,
    RecommendationState.OVERRIDDEN,
)
SERVED: Final = (StopState.SUCCEEDED, StopState.PARTIAL, StopState.FAILED)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a day: of `n` observations, of the part that `key` names."""

    name: str
    value: float
    n: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A depot's day by its own clock, as instants; half-open."""

    depot: Depot
    day: date
    from_at: datetime
    until_at: datetime


def span_of(depot: Depot, day: date) -> Span:
    """Return when a depot's day begins and ends."""
    zone = ZoneInfo(depot.time_zone)
    begins = datetime.combine(day, time(), zone)
    ends = datetime.combine(day + timedelta(days=1), time(), zone)
    return Span(depot, day, begins, ends)


def figures_of_day(depot: Depot, day: date) -> list[Figure]:
    """Return all figures of a depot's day; of what did not happen there is none."""
    span = span_of(depot, day)
    return [figure for source in SOURCES for figure in source(span) if figure.n]


# ── ETAs ────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Arrival:
    zone: str
    hour: int
    error_s: float
    is_within: bool


def _etas(span: Span) -> Iterator[Figure]:
    """Yield error, bias and coverage of what stood when drivers came."""
    rows = StopTelling.objects.filter(
        depot=span.depot, arrived_at__gte=span.from_at, arrived_at__lt=span.until_at
    )
    nearest: list[_Arrival] = []
    first: list[bool] = []
    for row in rows:
        if row.arrived_at is None or row.began_at is None or not row.told:
            continue
        told, *others = tellings_in(row.told)
        at_s, began_s = row.arrived_at.timestamp(), row.began_at.timestamp()
        held = holds(told, began_s)
        nearest.append(_Arrival(row.zone, told.hour, at_s - told.arrives_s, held))
        first += [
            holds(each, began_s)
            for each in (told, *others)
            if each.band == FIRST_IS_KEPT
        ]
    errors = [each.error_s for each in nearest]
    yield _middle("eta_bias_s", errors)
    yield _middle("eta_error_s", [abs(each) for each in errors])
    yield _part("coverage_first", sum(first), len(first))
    yield from _coverages(nearest)


def _coverages(arrivals: Sequence[_Arrival]) -> Iterator[Figure]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for each in arrivals:
        for key in (
            "",
            f"zone:{each.zone}",
            f"hour:{each.hour}",
            f"cell:{each.zone}@{each.hour}",
        ):
            groups[key].append(each.is_within)
    for key, held in groups.items():
        yield _part("coverage", sum(held), len(held), key)


# ── travel and services ─────────────────────────────────────────────────────
def _travel(span: Span) -> Iterator[Figure]:
    """Yield driven time by what the parameters in force make of the same legs."""
    law = parameters_in_force(span.depot.pk, span.until_at)
    ratios = []
    for leg in driven_legs(span.depot, span.from_at, span.until_at):
        free_s = law.travel_c_s * leg.crow_km**law.travel_p
        if leg.free_s is not None:
            free_s = leg.free_s * law.roads_factor
        usual_s = free_s * hour_factor(leg.hour, by_hour=law.travel_by_hour)
        ratios.append(leg.took_s / max(usual_s, 1.0))
    yield _middle("travel_ratio", ratios)


def _services(span: Span) -> Iterator[Figure]:
    """Yield time at the door by planned time."""
    rows = Stop.objects.filter(
        route__depot=span.depot,
        status__in=SERVED,
        completed_at__gte=span.from_at,
        completed_at__lt=span.until_at,
        arrived_at__isnull=False,
        service_s__gt=0,
    )
    stops = list(rows)
    begins = service_begins(stops)
    ratios = [
        (stop.completed_at - begins[stop.pk]).total_seconds() / stop.service_s
        for stop in stops
        if stop.completed_at is not None and stop.completed_at > begins[stop.pk]
    ]
    yield _middle("service_ratio", ratios)


# ── what people made of it ──────────────────────────────────────────────────
def _overrides(span: Span) -> Iterator[Figure]:
    """Yield changes asked for by visited stops, by kind and by the role that asked."""
    visited = Stop.objects.filter(
        route__depot=span.depot,
        arrived_at__gte=span.from_at,
        arrived_at__lt=span.until_at,
    ).count()
    asked = list(
        Override.objects.filter(depot=span.depot, service_date=span.day).values_list(
            "kind", "asked_role", "state"
        )
    )
    # More changes than stops can be asked for; a share is at most the whole.
    yield _part("override_rate", min(len(asked), visited), visited)
    for what, place in (("kind", 0), ("role", 1)):
        for name in sorted({row[place] for row in asked}):
            mine = [row for row in asked if row[place] == name]
            count = min(len(mine), visited)
            yield _part("override_rate", count, visited, f"{what}:{name}")
            answers = [
                row[2]
                for row in mine
                if row[2] in {OverrideState.APPLIED, OverrideState.REJECTED}
            ]
            yes = answers.count(OverrideState.APPLIED)
            yield _part("approval_rate", yes, len(answers), f"{what}:{name}")


def _acceptance(span: Span) -> Iterator[Figure]:
    """Yield the share of recommendations that were followed, and that by kind."""
    rows = Recommendation.objects.filter(
        depot=span.depot,
        settled_at__gte=span.from_at,
        settled_at__lt=span.until_at,
        state__in=JUDGED,
    )
    followed = Count("pk", filter=Q(state=RecommendationState.FOLLOWED))
    by_kind = rows.order_by("kind").values_list("kind")
    counts = list(by_kind.annotate(yes=followed, all=Count("pk")))
    yield _part("acceptance_rate", *(sum(row[at] for row in counts) for at in (1, 2)))
    for kind, yes, count in counts:
        yield _part("acceptance_rate", yes, count, f"kind:{kind}")


def _quick_yes(span: Span) -> Iterator[Figure]:
    """Yield the share of a day's yeses that came sooner than one can read."""
    made = decisions_between(span.depot.pk, span.from_at, span.until_at)
    took_s = [each.took_s for each in made if each.accepted]
    yield _part("quick_yes_rate", sum(s < QUICK_S for s in took_s), len(took_s))


def _adherence(span: Span) -> Iterator[Figure]:
    """Yield the share of served stops that came as planned, of plans settled that day."""
    outcomes = Recommendation.objects.filter(
        depot=span.depot,
        kind__in=[Recommendation.Kind.PLAN, Recommendation.Kind.REPLAN],
        settled_at__gte=span.from_at,
        settled_at__lt=span.until_at,
        state__in=[RecommendationState.FOLLOWED, RecommendationState.DEVIATED],
    ).values_list("outcome", flat=True)
    known = [each for each in outcomes if each and "served" in each]
    served = sum(each["served"] for each in known)
    off = sum(each["out_of_order"] + each["elsewhere"] for each in known)
    yield _part("adherence", max(0, served - off), served)


def _on_time(span: Span) -> Iterator[Figure]:
    """Yield the share of visits that began in a time window, of those that had one.

    Who comes before a window waits: late is only who comes after the last one's end.
    """
    last = Max(
        "order__windows__closes_at",
        filter=Q(order__windows__opens_at__lt=span.until_at),
    )
    visits = Stop.objects.filter(
        route__depot=span.depot,
        arrived_at__gte=span.from_at,
        arrived_at__lt=span.until_at,
    )
    timed = visits.order_by().annotate(last=last).filter(last__isnull=False)
    counts = timed.aggregate(
        all=Count("pk"), kept=Count("pk", filter=Q(arrived_at__lte=F("last")))
    )
    yield _part("on_time_rate", counts["kept"], counts["all"])


# ── engines ─────────────────────────────────────────────────────────────────
def _solving(span: Span) -> Iterator[Figure]:
    """Yield how many plans failed, and how many the rules made."""
    counts = Plan.objects.filter(
        depot=span.depot,
        requested_at__gte=span.from_at,
        requested_at__lt=span.until_at,
    ).aggregate(
        failed=Count("pk", filter=Q(status=PlanState.FAILED)),
        made=Count("pk", filter=Q(solved_at__isnull=False)),
        by_rules=Count("pk", filter=Q(solved_at__isnull=False, mode="rules")),
    )
    failed, made = counts["failed"], counts["made"]
    yield _part("failure_rate", failed, failed + made)
    yield _part("rules_rate", counts["by_rules"], made)


def _part(name: str, count: int, of: int, key: str = "") -> Figure:
    return Figure(name, count / of if of else 0.0, of, key)


def _middle(name: str, values: Sequence[float]) -> Figure:
    return Figure(name, float(median(values)) if values else 0.0, len(values))


Source = Callable[[Span], Iterable[Figure]]
SOURCES: Final[tuple[Source, ...]] = (
    _etas,
    _travel,
    _services,
    _overrides,
    _acceptance,
    _quick_yes,
    _adherence,
    _on_time,
    _solving,
)
