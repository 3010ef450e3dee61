"""From estimates and reports to proposed service factors, made again from the same. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from apps.routes.servicefactors import (
    DEPOT,
    LEAST,
    MOST,
    ServiceFactor,
    key_in_words,
    stored,
)

ENGINE: Final = "tuning"
ENGINE_VERSION: Final = "1"
SOURCE: Final = "tuning.service"

LEAST_N: Final = 20
"""So many services must stand behind an estimate."""
LEAST_N_REPORTED: Final = 10
"""So many where two people or more have said the same of the place."""
LEAST_EFFECT: Final = 0.10
"""An estimate must differ by this share of what is planned now."""
SPREADS: Final = 2.0
"""And by so many standard errors."""
PLACE_KINDS: Final = ("depot", "zone", "building", "address")
"""From the broadest to the narrowest."""


@dataclass(frozen=True, slots=True)
class Known:
    """One learned estimate as a proposal rests on it."""

    key: str
    n: int
    mean: float
    spread: float
    parent: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Said:
    """How many people said in how many reports that a place is planned wrongly."""

    place: str
    people: int
    reports: int


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """All that a proposal of service factors is made of."""

    source: str
    in_force: dict[str, ServiceFactor]
    estimates: tuple[Known, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One factor that is to change, with what speaks for it."""

    key: str
    before: float
    after: float
    n: int
    mean: float
    spread: float
    as_of: str
    people: int
    reports: int

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        said = (
            f" {self.people} people said so in {self.reports} reports."
            if self.reports
            else ""
        )
        return (
            f"Services at {key_in_words(self.key)} took {self.mean:.2f} ± {self.spread:.2f}"
            f" times their standard ({self.n} services until {self.as_of}); planned are"
            f" {self.before:.2f} times.{said}"
        )


@dataclass(frozen=True, slots=True)
class ServiceProposal:
    """The factors to be in force, whole, and what is new in them."""

    factors: dict[str, ServiceFactor]
    findings: tuple[Finding, ...]


def propose_service(request: ServiceRequest) -> ServiceProposal:
    """Return the factors that the estimates prove; nothing new where they prove none.

    Broad places come first: a narrow one is named only where it differs from the factor
    of the broader one that would hold for it. Where the zones alone explain what the
    whole depot shows, with fewer factors, the depot's own stays as it is.
    """
    whole = _walked(request, request.estimates)
    without = [each for each in request.estimates if each.key != DEPOT]
    if len(without) == len(request.estimates):
        return whole
    parts = _walked(request, without)
    fewer = len(parts.findings) < len(whole.findings)
    return parts if fewer and _explains(parts, request) else whole


def _walked(request: ServiceRequest, estimates: Sequence[Known]) -> ServiceProposal:
    known = {each.key: each for each in request.estimates}
    said = {each.place: each for each in request.said}
    factors = dict(request.in_force)
    findings: list[Finding] = []
    for each in sorted(estimates, key=_broad_first):
        found = _finding(each, known, factors, said.get(each.key))
        if found is not None:
            factors[each.key] = ServiceFactor(found.after, each.n, each.as_of)
            findings.append(found)
    return ServiceProposal(factors, tuple(findings))


def _explains(parts: ServiceProposal, request: ServiceRequest) -> bool:
    """Tell whether the zones' factors come to what the depot shows in the mean."""
    known = {each.key: each for each in request.estimates}
    zones = [each for key, each in known.items() if key.startswith("zone:")]
    count = sum(each.n for each in zones)
    depot = known[DEPOT]
    if not count:
        return False
    rest = max(0, depot.n - count)
    usual = parts.factors[DEPOT].factor if DEPOT in parts.factors else 1.0
    total = sum(each.n * _planned(each, known, parts.factors) for each in zones)
    mean = (total + rest * usual) / (count + rest)
    return abs(depot.mean - mean) < max(LEAST_EFFECT * mean, SPREADS * depot.spread)


def _broad_first(known: Known) -> tuple[int, str]:
    kind = known.key.partition(":")[0]
    place = PLACE_KINDS.index(kind) if kind in PLACE_KINDS else len(PLACE_KINDS)
    return place, known.key


def _finding(
    each: Known,
    known: Mapping[str, Known],
    factors: Mapping[str, ServiceFactor],
    said: Said | None,
) -> Finding | None:
    kind = each.key.partition(":")[0]
    if kind not in (*PLACE_KINDS, "parcels"):
        return None
    mean, before = each.mean, _planned(each, known, factors)
    if kind == "parcels" and DEPOT in known:
        mean /= max(LEAST, known[DEPOT].mean)
    reported = said is not None and said.people >= 2
    off = abs(mean - before)
    if (
        each.n < (LEAST_N_REPORTED if reported else LEAST_N)
        or off < LEAST_EFFECT * before
        or off < SPREADS * each.spread
    ):
        return None
    after = round(min(MOST, max(LEAST, mean)), 2)
    return Finding(
        each.key,
        round(before, 2),
        after,
        each.n,
        round(mean, 3),
        round(each.spread, 3),
        each.as_of,
        said.people if said else 0,
        said.reports if said else 0,
    )


def _planned(
    each: Known, known: Mapping[str, Known], factors: Mapping[str, ServiceFactor]
) -> float:
    """Return the factor that would hold: its own, else the next broader one's."""
    key = each.key
    if key.startswith("parcels:"):
        return factors[key].factor if key in factors else 1.0
    seen: set[str] = set()
    while key and key not in seen:
        if key in factors:
            return factors[key].factor
        seen.add(key)
        key = known[key].parent if key in known else ""
    return factors[DEPOT].factor if DEPOT in factors else 1.0


def values_of(proposal: ServiceProposal) -> dict[str, Any]:
    """Return a proposal as parameter values are stored."""
    return {"service_factors": stored(proposal.factors)}


def encode_request(request: ServiceRequest) -> bytes:
    """Write down what a proposal was made of, as canonical JSON."""
    return msgspec.json.encode(request, order="sorted")


def encode_proposal(proposal: ServiceProposal) -> bytes:
    """Write down a proposal, as canonical JSON."""
    return msgspec.json.encode(proposal, order="sorted")


@dataclass(frozen=True, slots=True)
class _Shape:
    source: str = ""


def is_ours(inputs: bytes) -> bool:
    """Tell whether stored inputs are those of a proposal of service factors."""
    return msgspec.json.decode(inputs, type=_Shape).source == SOURCE


def rerun_service(inputs: bytes) -> bytes:
    """Propose again from the same."""
    request = msgspec.json.decode(inputs, type=ServiceRequest)
    return encode_proposal(propose_service(request))
