"""State tables: which step may follow which, and a refusal that names the legal."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.core.problems import Conflict


class IllegalStep(Conflict):
    """A step that the state table does not have; names the allowed ones."""

    type = "/problems/illegal-step"
    title = "This step is not allowed from the present state."


class Transitions:
    """A transition table, kept beside its `TextChoices`."""

    def __init__(self, table: Mapping[Any, Iterable[Any]]) -> None:
        """Take the table: each state with the states that may follow it."""
        self._table = {str(a): frozenset(map(str, b)) for a, b in table.items()}

    def allowed(self, old: str) -> list[str]:
        """Return the states that may follow `old`, sorted."""
        return sorted(self._table.get(str(old), ()))

    def sources(self, new: str) -> list[str]:
        """Return the states from which `new` may be reached, sorted."""
        return sorted(a for a, after in self._table.items() if str(new) in after)

    def check(self, old: str, new: str) -> None:
        """Let a legal step pass.

        Raises:
            IllegalStep: `new` may not follow `old`; `allowed` names what may.
        """
        if str(new) not in self._table.get(str(old), ()):
            allowed = self.allowed(old)
            raise IllegalStep(
                f"{old} cannot become {new}; allowed: {', '.join(allowed) or 'none'}.",
                allowed=allowed,
            )
