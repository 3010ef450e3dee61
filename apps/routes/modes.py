"""How a depot is planned now, and why: who thinks for it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

OPTIMIZER: Final = "optimizer"
RULES: Final = "rules"
USUAL: Final = "usual"
SETTING: Final = "setting"
SWITCHED: Final = "switched"
FELL_BACK: Final = "fell_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeNow:
    """A depot's mode: who thinks, for which cause, and since when.

    `tries_at` says when the engines are tried again, where they have failed.
    """

    mode: str = OPTIMIZER
    cause: str = USUAL
    since: datetime | None = None
    by: str = ""
    why: str = ""
    on_trial: bool = False
    tries_at: datetime | None = None

    @property
    def is_rules(self) -> bool:
        """Tell whether the rules plan alone."""
        return self.mode == RULES

    @property
    def is_trouble(self) -> bool:
        """Tell whether nobody wanted this mode."""
        return self.cause == FELL_BACK

    @property
    def text(self) -> str:
        """Say it in a sentence for people."""
        if self.cause == FELL_BACK:
            return (
                "The optimizer is failing. The rules plan alone until it answers again;"
                " all work goes on."
            )
        if self.is_rules and self.cause == SETTING:
            return "Planned by the rules alone, as this installation is set."
        if self.is_rules:
            return "Planned by the rules alone: somebody switched to them."
        if self.on_trial:
            return "The optimizer answers again, and is on trial."
        return "Planned by the optimizer."
