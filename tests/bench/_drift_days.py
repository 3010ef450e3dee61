"""Simulated days as the monitor sees them: quiet ones, and ones with a planted drift.

Travel and services as in `_surge_days`; on top each day has some recommendations that
are followed or overridden, each person's yes takes a while, and engines now and then
fail. A drift changes one of these from one day to the next; nothing else differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from apps.metrics.drift import Day, Shape
from tests.bench._surge_days import LAW, ZONES

STOPS = 260
SPREAD_S = 95.0

SHAPES: Mapping[str, Shape] = {
    "eta_bias_s": Shape.LEVEL,
    "eta_error_s": Shape.RATIO,
    "coverage": Shape.SHARE,
    "travel_ratio": Shape.RATIO,
    "service_ratio": Shape.RATIO,
    "override_rate": Shape.SHARE,
    "acceptance_rate": Shape.SHARE,
    "quick_yes_rate": Shape.SHARE,
    "adherence": Shape.SHARE,
    "fallback_rate": Shape.SHARE,
}


@dataclass(frozen=True, slots=True)
class Drift:
    """What is planted: factors on travel, services and noise; chances of what people do."""

    name: str
    travel: float = 1.0
    service: float = 1.0
    noise: float = 1.0
    one_zone: float = 1.0
    override: float = 0.06
    accept: float = 0.88
    quick: float = 0.12
    follow: float = 0.92
    fail: float = 0.02


QUIET = Drift("quiet")
DRIFTS = (
    Drift("travel +25 %", travel=1.25),
    Drift("travel -20 %", travel=0.80),
    Drift("services +40 %", service=1.40),
    Drift("services -30 %", service=0.70),
    Drift("two parts of town +60 %", one_zone=1.6),
    Drift("noise × 1.8", noise=1.8),
    Drift("overrides 6 → 18 %", override=0.18),
    Drift("yes 88 → 60 %", accept=0.60),
    Drift("quick yes 12 → 45 %", quick=0.45),
    Drift("order kept 92 → 76 %", follow=0.76),
    Drift("engines fail 2 → 30 %", fail=0.30),
)
SMALL_DRIFTS = (
    Drift("travel +12 %", travel=1.12),
    Drift("services +15 %", service=1.15),
    Drift("overrides 6 → 11 %", override=0.11),
    Drift("yes 88 → 78 %", accept=0.78),
)
"""Too small for one day's figures: days together must tell."""


def day_of(dice: np.random.Generator, drift: Drift) -> dict[str, Day]:
    """Return the figures of one day."""
    stops = int(STOPS * dice.uniform(0.7, 1.3))
    travel, service, errors, within = _driven(dice, drift, stops)
    advised = int(dice.integers(60, 100))
    plans = int(dice.integers(30, 60))
    people = float(dice.normal(0, 0.015))
    kept = int(dice.binomial(stops, _chance(drift.follow + people)))
    return {
        "eta_bias_s": Day(median(errors), stops),
        "eta_error_s": Day(median(abs(each) for each in errors), stops),
        "coverage": Day(within / stops, stops),
        "travel_ratio": Day(median(travel), stops),
        "service_ratio": Day(median(service), stops),
        "override_rate": _share(dice, stops, drift.override + people / 2),
        "acceptance_rate": _share(dice, advised, drift.accept + people),
        "quick_yes_rate": _share(dice, advised, drift.quick),
        "adherence": Day(kept / stops, stops),
        "fallback_rate": _share(dice, plans, drift.fail),
    }


def _driven(
    dice: np.random.Generator, drift: Drift, stops: int
) -> tuple[list[float], list[float], list[float], int]:
    """Return the ratios of legs and of services, the errors, and how many held."""
    luck = float(np.exp(dice.normal(0, 0.04)))
    pace = float(np.exp(dice.normal(0, 0.03)))
    travel, service, errors = [], [], []
    within = 0
    for _ in range(stops):
        at = int(dice.integers(len(ZONES)))
        zone = ZONES[at]
        here = drift.one_zone if at < 2 else 1.0
        leg = zone.travel * luck * drift.travel * here
        leg *= _lognormal(dice, zone.travel_noise * drift.noise)
        stay = zone.service * pace * drift.service
        stay *= _lognormal(dice, zone.service_noise * drift.noise)
        stay *= float(dice.uniform(3, 6)) if dice.random() < 0.025 else 1.0
        usual_s = LAW.c_s * float(dice.gamma(4, 0.25)) ** LAW.p
        travel.append(leg)
        service.append(stay)
        errors.append(usual_s * (leg - 1))
        within += abs(errors[-1]) <= 1.645 * SPREAD_S
    return travel, service, errors, within


def _lognormal(dice: np.random.Generator, noise: float) -> float:
    return float(np.exp(noise * dice.normal() - noise * noise / 2))


def _share(dice: np.random.Generator, count: int, chance: float) -> Day:
    return Day(int(dice.binomial(count, _chance(chance))) / count, count)


def _chance(value: float) -> float:
    return min(max(value, 0.0), 1.0)
