"""Who does something: every verb is told, and every journal entry keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change: a `kind` (user, driver, system…) and its id."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        """Return `kind:id`, the form that the journal stores."""
        return f"{self.kind}:{self.id}" if self.id else self.kind


SYSTEM = Actor("system")


def user_actor(user: object) -> Actor:
    """Return the actor for a signed-in Django user."""
    return Actor("user", str(getattr(user, "pk", "")))
