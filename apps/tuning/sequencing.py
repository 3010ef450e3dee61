"""From estimates to what plans take of drivers' sequences, made again from the same. Pure.

Three parameters: `zone_order` (which zone first), `zone_leave_minor` (how dear it is to
leave a zone) and `followed` (how probably the next stop is gone to).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from apps.learning.shapes import ADHERENCE, ZONE_ORDER
from apps.routes import followed, zoneorder
from apps.routes.followed import Followed, followed_from
from apps.routes.zoneorder import SEP, Before, order_from

SOURCE: Final = "tuning.sequence"

ORDER, LEAVE, FOLLOWED = "zone_order", "zone_leave_minor", "followed"
KIND_OF: Final[Mapping[str, str]] = {
    ORDER: ZONE_ORDER,
    LEAVE: ZONE_ORDER,
    FOLLOWED: ADHERENCE,
}
"""Parameter → the kind of estimates that speaks of it."""

LEAST_ROUTES: Final = 10
"""So many routes must have had both zones of a pair."""
LEAST_SURE: Final = 0.60
"""A pair whose first zone comes first less often than that has no order."""
MOST_SURE: Final = 0.99
SPREADS: Final = 2.0
CHANGED: Final = 0.10
"""A pair that is in force changes by this much of its share at least."""

LEAST_STEPS: Final = 100
LEAST_MORE: Final = 0.05
"""Drivers must stay in a zone so much oftener than the plans do."""
NOTCH_MINOR: Final = 80
"""By so much leaving a zone becomes dearer at once: two minutes at 24.00 an hour. First
value, ours; the next notch needs days that were driven with this one."""
DEAREST_MINOR: Final = 400

LEAST_FOLLOWED: Final = 20
LEAST_OFF: Final = 0.05
"""Shares that differ by less from those in force stay."""

DRIVEN, PLANNED = "stays:driven", "stays:planned"
NEXT: Final = "kind:next"


@dataclass(frozen=True, slots=True)
class Seen:
    """One learned share as a proposal rests on it."""

    key: str
    n: int
    mean: float
    spread: float
    as_of: str

    @property
    def error(self) -> float:
        """Its error, no less than that of so many draws (after Laplace's rule).

        What is shrunk onto a line of zones may claim to know it exactly.
        """
        share = (self.mean * self.n + 1) / (self.n + 2)
        return max(self.spread, math.sqrt(share * (1 - share) / max(1, self.n)))


@dataclass(frozen=True, slots=True)
class SequenceRequest:
    """All that a proposal is made of: its parameter, its value in force, estimates."""

    source: str
    name: str
    in_force: Any
    estimates: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class SequenceFinding:
    """One thing that is to change, with what speaks for it; `before` None: there was none."""

    key: str
    before: float | None
    after: float | None
    n: int
    mean: float
    spread: float
    as_of: str
    text: str


@dataclass(frozen=True, slots=True)
class SequenceProposal:
    """The value to be in force, whole, and what is new in it."""

    value: Any
    findings: tuple[SequenceFinding, ...]


def propose_sequence(request: SequenceRequest) -> SequenceProposal:
    """Return what the estimates prove; nothing new where they prove nothing."""
    if request.name == ORDER:
        return _order(request)
    if request.name == LEAVE:
        return _leave(request)
    return _followed(request)


def _order(request: SequenceRequest) -> SequenceProposal:
    """Take each pair that is sure enough; what is no longer sure has no order again."""
    held = order_from(request.in_force)
    sure = {each.key: each for each in request.estimates if _is_order(each)}
    order = dict(held)
    findings: list[SequenceFinding] = []
    for each in request.estimates:
        if SEP not in each.key:
            continue
        before, known = held.get(each.key), sure.get(each.key)
        share = round(min(MOST_SURE, each.mean), 2)
        if known is None:
            if before is not None and each.n >= LEAST_ROUTES:
                del order[each.key]
                findings.append(_pair(each, before.share, None))
        elif before is None or abs(before.share - share) >= CHANGED * before.share:
            one, _, other = each.key.partition(SEP)
            order.pop(f"{other}{SEP}{one}", None)
            order[each.key] = Before(share, each.n, each.as_of)
            findings.append(_pair(each, before.share if before else None, share))
    return SequenceProposal(zoneorder.stored(order), tuple(findings))


def _is_order(each: Seen) -> bool:
    return (
        SEP in each.key
        and each.n >= LEAST_ROUTES
        and each.mean >= LEAST_SURE
        and each.mean - 0.5 >= SPREADS * each.error
    )


def _pair(each: Seen, before: float | None, after: float | None) -> SequenceFinding:
    one, _, other = each.key.partition(SEP)
    seen = (
        f"{one} was rightly driven before {other} in {100 * each.mean:.0f} ±"
        f" {100 * each.error:.0f} % of {each.n} routes until {each.as_of}"
    )
    text = f"{seen}; until now plans have no opinion."
    if before is not None:
        text = f"{seen}; plans take {100 * before:.0f} %."
    if after is None:
        text = f"{seen}; that is no order any more."
    return SequenceFinding(
        each.key,
        before,
        after,
        each.n,
        each.mean,
        round(each.error, 4),
        each.as_of,
        text,
    )


def _leave(request: SequenceRequest) -> SequenceProposal:
    """Make leaving a zone dearer by a notch where drivers stay oftener than plans do."""
    held_minor = int(request.in_force)
    known = {each.key: each for each in request.estimates}
    driven, planned = known.get(DRIVEN), known.get(PLANNED)
    after = min(DEAREST_MINOR, held_minor + NOTCH_MINOR)
    if driven is None or planned is None or after == held_minor:
        return SequenceProposal(held_minor, ())
    more = driven.mean - planned.mean
    noise = SPREADS * math.hypot(driven.error, planned.error)
    if min(driven.n, planned.n) < LEAST_STEPS or more < max(LEAST_MORE, noise):
        return SequenceProposal(held_minor, ())
    text = (
        f"Where stops of a zone are left, drivers stay in it {100 * driven.mean:.0f} % of"
        f" {driven.n} times, plans {100 * planned.mean:.0f} %."
    )
    finding = SequenceFinding(
        DRIVEN,
        held_minor / 100,
        after / 100,
        driven.n,
        driven.mean,
        round(driven.error, 4),
        driven.as_of,
        text,
    )
    return SequenceProposal(after, (finding,))


def _followed(request: SequenceRequest) -> SequenceProposal:
    """Take the share of the depot and of each zone that differs from what holds for it."""
    held = followed_from(request.in_force)
    shares = dict(held)
    findings: list[SequenceFinding] = []
    for each in sorted(request.estimates, key=lambda one: one.key):
        kind, _, zone = each.key.partition("@")
        if kind != NEXT:
            continue
        key = f"{followed.ZONE}{zone}" if zone else followed.DEPOT
        usual = shares.get(key) or shares.get(followed.DEPOT)
        before = 1.0 if usual is None else usual.share
        off = abs(each.mean - before)
        if each.n < LEAST_FOLLOWED or off < max(LEAST_OFF, SPREADS * each.error):
            continue
        share = round(each.mean, 2)
        shares[key] = Followed(share, each.n, each.as_of)
        where = f"Stops in {zone}" if zone else "Stops"
        text = (
            f"{where} were gone to when they were next in {100 * each.mean:.0f} ±"
            f" {100 * each.error:.0f} % of {each.n} times until {each.as_of}; plans expect"
            f" {100 * before:.0f} %."
        )
        findings.append(
            SequenceFinding(
                key,
                before,
                share,
                each.n,
                each.mean,
                round(each.error, 4),
                each.as_of,
                text,
            )
        )
    return SequenceProposal(followed.stored(shares), tuple(findings))


def encode_request(request: SequenceRequest) -> bytes:
    """Write down what a proposal was made of, as canonical JSON."""
    return msgspec.json.encode(request, order="sorted")


def encode_proposal(proposal: SequenceProposal) -> bytes:
    """Write down a proposal, as canonical JSON."""
    return msgspec.json.encode(proposal, order="sorted")


@dataclass(frozen=True, slots=True)
class _Shape:
    source: str = ""


def is_ours(inputs: bytes) -> bool:
    """Tell whether stored inputs are those of a proposal of sequences."""
    return msgspec.json.decode(inputs, type=_Shape).source == SOURCE


def rerun_sequence(inputs: bytes) -> bytes:
    """Propose again from the same."""
    request = msgspec.json.decode(inputs, type=SequenceRequest)
    return encode_proposal(propose_sequence(request))
