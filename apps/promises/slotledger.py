"""A slot that is held as the ledger keeps it: its price made again from its inputs. Pure.

On a day with a plan the inputs are the route as the judge times it, and where the visit
goes; on a day without one, the way there and back from the nearest place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from apps.promises.standing import Laid, Price, priced_between
from apps.routes.solver.codec import decode_problem, encode_problem
from apps.routes.solver.view import View

PLACED: Final = "placed"
ESTIMATED: Final = "estimated"
ENGINE_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit put into a live route: jobs are numbers of the problem's jobs."""

    problem: msgspec.Raw
    sequence: tuple[int, ...]
    job: int
    leg: int
    origin_at: datetime


@dataclass(frozen=True, slots=True)
class Estimated:
    """A visit on a day without a plan: the way to it from the nearest place, and back."""

    there_s: int
    back_s: int
    there_m: int
    back_m: int
    service_s: int
    per_hour_minor: int
    per_km_minor: int
    opens_at: datetime


Basis = Placed | Estimated


@dataclass(frozen=True, slots=True)
class _Shape:
    """What tells the two apart: only a placed one has a leg."""

    leg: int | None = None


def placed(laid: Laid, job: int, leg: int, origin_at: datetime) -> Placed:
    """Write down what the price of a visit in a live route follows from."""
    problem = msgspec.Raw(encode_problem(laid.view.problem))
    return Placed(problem, tuple(laid.state.sequence), job, leg, origin_at)


def estimate(basis: Estimated) -> Price:
    """Price a visit by the way there and back, and its service."""
    travel_s = basis.there_s + basis.back_s
    metres = basis.there_m + basis.back_m
    longer_s = travel_s + basis.service_s
    cost = round(longer_s * basis.per_hour_minor * 1000 / 3600)
    cost += metres * basis.per_km_minor
    return Price(travel_s, metres, longer_s, cost, basis.opens_at)


def engine_of(basis: Basis) -> str:
    """Name what made the price."""
    return PLACED if isinstance(basis, Placed) else ESTIMATED


def encode_basis(basis: Basis) -> bytes:
    """Write down what a price follows from, as canonical JSON."""
    return msgspec.json.encode(basis, order="sorted")


def encode_price(price: Price) -> bytes:
    """Write down a price, as canonical JSON."""
    return msgspec.json.encode(price, order="sorted")


def rerun(inputs: bytes) -> bytes:
    """Price a slot again from what it followed from.

    Raises:
        ValueError: the visit has no place there.
    """
    if msgspec.json.decode(inputs, type=_Shape).leg is None:
        return encode_price(estimate(msgspec.json.decode(inputs, type=Estimated)))
    basis = msgspec.json.decode(inputs, type=Placed)
    view = View(decode_problem(bytes(basis.problem)))
    price = priced_between(view, basis.sequence, basis.job, basis.leg, basis.origin_at)
    if price is None:
        raise ValueError("The visit has no place in this route.")
    return encode_price(price)


def engine_versions() -> dict[str, frozenset[str]]:
    """Say by engine which versions' prices can be made again."""
    return dict.fromkeys((PLACED, ESTIMATED), frozenset({ENGINE_VERSION}))
