"""What the model monitor watches: the figures' names, words and shapes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apps.metrics.drift import Shape


@dataclass(frozen=True, slots=True)
class Monitored:
    """A figure of the whole depot that is looked at every night."""

    title: str
    shape: Shape
    about: str
    wanted: float | None = None

    @property
    def unit(self) -> str:
        """In what its value is told."""
        return {Shape.SHARE: "%", Shape.LEVEL: "s", Shape.RATIO: "×"}[self.shape]


MONITORED: Final[Mapping[str, Monitored]] = {
    "eta_bias_s": Monitored(
        "ETA bias", Shape.LEVEL, "Half of the arrivals came so much later than told.", 0
    ),
    "eta_error_s": Monitored(
        "ETA error", Shape.RATIO, "Half of the arrivals were off by at most so much."
    ),
    "coverage": Monitored(
        "ETA intervals held",
        Shape.SHARE,
        "Service began within the interval that stood when the driver came.",
        0.9,
    ),
    "travel_ratio": Monitored(
        "Travel against plan",
        Shape.RATIO,
        "Driven time by planned time, the median.",
        1,
    ),
    "service_ratio": Monitored(
        "Service against plan",
        Shape.RATIO,
        "Time at the door by planned time, the median.",
        1,
    ),
    "override_rate": Monitored(
        "Overrides", Shape.SHARE, "Changes asked for, by stops that were visited."
    ),
    "acceptance_rate": Monitored(
        "Recommendations followed",
        Shape.SHARE,
        "Of those that were followed, deviated from or overridden.",
    ),
    "quick_yes_rate": Monitored(
        "Yes without a look",
        Shape.SHARE,
        "Accepted in less time than it takes to read.",
    ),
    "adherence": Monitored(
        "Stops as planned",
        Shape.SHARE,
        "Served by the planned driver in the planned order.",
    ),
    "failure_rate": Monitored(
        "Plans that failed", Shape.SHARE, "Of the plans asked for on the day."
    ),
    "rules_rate": Monitored(
        "Plans by the rules", Shape.SHARE, "Of the plans that were made."
    ),
}

ALSO_SHOWN: Final = ("coverage_first", "approval_rate", "on_time_rate")
"""Kept by day too, but not watched: what they tell another figure tells sooner."""

LEAST_SEEN: Final = 10
"""A ratio or level of fewer observations is kept, but not watched."""


def as_text(name: str, value: float) -> str:
    """Return a value of a monitored figure as people read it."""
    shape = MONITORED[name].shape
    if shape is Shape.SHARE:
        return f"{100 * value:.1f} %"
    if shape is Shape.LEVEL or name.endswith("_s"):
        return f"{value:.0f} s"
    return f"{value:.2f} ×"
