"""Verdicts and proposals as pages show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.core.wording import money
from apps.overrides.states import OverrideKind
from apps.routes.models import Route, Stop
from apps.routes.selectors import parse_id
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.plots import Plot, plot_of
from apps.verdicts.questions import SEQUENCE
from apps.verdicts.selectors import RoleRecord
from apps.verdicts.ways import END, START
from apps.verdicts.words import ruling_words, to_the_driver, why

LIMIT_NAMES = {
    "max_minutes": "minutes more",
    "max_cost_minor": "cost more, in minor units",
    "max_stops": "stops moved",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both ways, and what the choice gained in it."""

    name: str
    recommended: str
    chosen: str
    gained: str


@dataclass(frozen=True, slots=True)
class LegLine:
    """One leg of a way with the stop that it leads to, in words."""

    number: int
    to: str
    leg: str
    is_observed: bool
    wait: str
    service: str
    is_service_observed: bool
    at: str
    note: str


@dataclass(frozen=True, slots=True)
class ShiftShown:
    """Both ways of one shift."""

    name: str
    plot: Plot | None
    recommended: tuple[LegLine, ...]
    chosen: tuple[LegLine, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict as its page shows it."""

    ruling: str
    why: str
    to_the_driver: str
    is_replayed: bool = False
    compared: tuple[Compared, ...] = ()
    shifts: tuple[ShiftShown, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    factors: tuple[str, ...] = ()
    estimated: int = 0
    legs: int = 0
    left_out: tuple[str, ...] = ()


def kind_words(kind: str) -> str:
    """Return a kind of choice in words."""
    if kind == SEQUENCE:
        return "Driven in another sequence"
    return str(OverrideKind(kind).label) if kind in OverrideKind.values else kind


def why_words(row: Verdict) -> str:
    """Return why a verdict is as it is, in a sentence."""
    return why(
        row.ruling,
        gained_minor=row.gained_minor,
        sd_minor=row.sd_minor,
        least_minor=row.least_minor,
        currency=row.depot.currency,
        because=row.because,
    )


def shown(row: Verdict) -> Shown:
    """Return all that a verdict's page shows."""
    told, currency = row.arithmetic, row.depot.currency
    said = Shown(
        ruling=ruling_words(row.ruling),
        why=why_words(row),
        to_the_driver=to_the_driver(row.ruling, row.gained_s, row.because),
    )
    if not told:
        return said
    names = _names(told)
    steps = [step for way in ("recommended", "chosen") for step in told[way]["steps"]]
    keys = {(s["shift_id"], s["here"], s["there"]): s["is_observed"] for s in steps}
    return replace(
        said,
        is_replayed=True,
        compared=tuple(_compared(told, currency)),
        shifts=tuple(_shifts(told, names)),
        parts=tuple(
            (_part_name(part["name"], names), money(round(part["sd_minor"]), currency))
            for part in told["parts"]
        ),
        factors=tuple(_factors(told)),
        estimated=sum(not is_observed for is_observed in keys.values()),
        legs=len(keys),
        left_out=tuple(names.get(one, "a stop") for one in told["left_out"]),
    )


def _names(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what places are called: a stop by its number and order."""
    ids = {
        step[end]
        for way in ("recommended", "chosen")
        for step in told[way]["steps"]
        for end in ("here", "there")
    }
    ids |= set(told["left_out"])
    rows = Stop.objects.filter(pk__in=[parse_id(one) for one in ids])
    names = {START: "depot", END: "depot"}
    for stop in rows.select_related("order"):
        names[str(stop.pk)] = f"{stop.sequence} · {stop.order.reference}"
    return names


def _compared(told: Mapping[str, Any], currency: str) -> Iterator[Compared]:
    """Yield the figures of both ways; those that are nothing in both are left out."""

    def in_minutes(value: int) -> str:
        return f"{value / 60:.1f} min"

    def in_money(value: int) -> str:
        return money(value, currency)

    def in_km(value: int) -> str:
        return f"{value / 1000:.1f} km"

    for name, text, form in (
        ("duration_s", "Time", in_minutes),
        ("distance_m", "Distance", in_km),
        ("window_late_s", "After windows", in_minutes),
        ("promise_late_s", "After what was told", in_minutes),
        ("overtime_s", "Overtime", in_minutes),
        ("time_minor", "Cost of time", in_money),
        ("distance_minor", "Cost of distance", in_money),
        ("late_minor", "Cost of being late", in_money),
        ("overtime_minor", "Cost of overtime", in_money),
        ("total_minor", "Together", in_money),
    ):
        first, second = told["recommended"][name], told["chosen"][name]
        if first or second:
            gained = form(first - second).replace("-", "−")
            yield Compared(text, form(first), form(second), gained)


def _shifts(told: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[ShiftShown]:
    ids = sorted(
        {
            step["shift_id"]
            for way in ("recommended", "chosen")
            for step in told[way]["steps"]
        }
    )
    rows = Route.objects.filter(shift__in=[parse_id(one) for one in ids])
    starts = {
        str(row.shift_id): f"Route from {row.starts_at:%H:%M} UTC" for row in rows
    }
    for shift_id in ids:
        yield ShiftShown(
            name=starts.get(shift_id, "Route") if len(ids) > 1 else "Leg by leg",
            plot=plot_of(told, shift_id, names),
            recommended=tuple(_lines(told["recommended"]["steps"], shift_id, names)),
            chosen=tuple(_lines(told["chosen"]["steps"], shift_id, names)),
        )


def _lines(
    steps: Sequence[Mapping[str, Any]], shift_id: str, names: Mapping[str, str]
) -> Iterator[LegLine]:
    mine = [step for step in steps if step["shift_id"] == shift_id]
    begins = mine[0]["arrives_s"] - mine[0]["leg_s"] if mine else 0
    for number, step in enumerate(mine, 1):
        spread = "" if step["is_observed"] else f" ± {step['leg_sd_s'] / 60:.1f}"
        late = step["window_late_s"] or step["promise_late_s"]
        yield LegLine(
            number=number,
            to=names.get(step["there"], "a stop"),
            leg=f"{step['leg_s'] / 60:.1f}{spread}",
            is_observed=step["is_observed"],
            wait=f"{(step['waits_s'] + step['rests_s']) / 60:.1f}"
            if step["waits_s"] + step["rests_s"]
            else "",
            service=f"{step['service_s'] / 60:.1f}" if step["service_s"] else "",
            is_service_observed=step["is_service_observed"],
            at=_after(step, begins),
            note=f"{late / 60:.0f} min late" if late >= 60 else "",
        )


def _after(step: Mapping[str, Any], begins: int) -> str:
    """Return after how many minutes a stop is done; how unsure that is, if at all."""
    done, sd = (step["leaves_s"] - begins) / 60, step["leaves_sd_s"] / 60
    return f"{done:.0f} ± {sd:.1f}" if sd >= 0.5 else f"{done:.0f}"


def _part_name(name: str, names: Mapping[str, str]) -> str:
    """Say what an uncertain thing is: a leg, its distance, a service, the day."""
    words = name.split(" ")
    if words[0] == "day":
        return "How slow the day was, as far as it is known"
    if words[0] == "vehicle":
        return "How fast the other vehicle is"
    is_distance = words[0] == "m"
    places = [names.get(one, "a stop") for one in words[-2:]]
    if len(words) == 1:
        return f"Service at {names.get(name, 'a stop')}"
    said = f"{places[0]} → {places[1]}"
    return f"Distance {said}" if is_distance else f"Leg {said}"


def _factors(told: Mapping[str, Any]) -> Iterator[str]:
    for factor in told["factors"].values():
        yield (
            f"Travel took {factor['factor']:.2f} times what was thought, ± "
            f"{factor['se']:.2f}, learned from {factor['legs']} legs of the shift and "
            f"{factor['neighbours']} of others; one leg differs by "
            f"{100 * factor['spread']:.0f} %."
        )


def shown_record(one: RoleRecord) -> dict[str, Any]:
    """Return a role's record in words."""
    low, high = one.record.interval
    share = one.record.share
    return {
        "role": one.role,
        "kind": kind_words(one.kind),
        "right": one.record.right,
        "wrong": one.record.wrong,
        "undecidable": one.record.undecidable,
        "share": "–" if share is None else f"{100 * share:.0f} %",
        "interval": f"{100 * low:.0f}–{100 * high:.0f} %"
        if one.record.decided
        else "–",
    }


def limit_words(row: RightsProposal) -> list[str]:
    """Return the limits of a proposal, from and to."""
    return [
        f"{LIMIT_NAMES.get(name, name)}: {first} → {last}"
        for name, (first, last) in row.limits.items()
    ]


def shown_evidence(row: RightsProposal) -> dict[str, Any]:
    """Return the evidence of a proposal in words."""
    told = row.evidence
    is_wider = row.direction == RightsProposal.Direction.WIDEN
    rule = (
        f"A right grows where the lower end is {100 * told['widen_from']:.0f} % or more"
        if is_wider
        else f"A right shrinks where the upper end is {100 * told['narrow_up_to']:.0f} % "
        "or less"
    )
    ids = told["verdicts"]
    return {
        **told,
        "share": f"{100 * told['share']:.0f} %",
        "interval": f"{100 * told['low']:.0f}–{100 * told['high']:.0f} %",
        "rule": f"{rule}, of at least {told['least_decided']} decided verdicts.",
        "rows": Verdict.objects.filter(pk__in=ids)
        .defer("arithmetic")
        .order_by("-id")[:50],
        "count": len(ids),
    }
