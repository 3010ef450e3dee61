"""Expected failures: each a class with a stable type (RFC 9457)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of the input: a JSON pointer to it, a stable code, a sentence."""

    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the member of `errors` that stands for this fault."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class Problem(Exception):
    """An expected failure with a stable `type`; a subclass a case.

    `extra` becomes members of the problem document.
    """

    type: ClassVar[str] = "about:blank"
    title: ClassVar[str] = "The request cannot be carried out."
    status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Iterable[FieldError] = (),
        **extra: Any,
    ) -> None:
        """Keep the sentence for people, the faults, and the extra members."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        body: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            body["errors"] = [error.as_dict() for error in self.errors]
        return body


class Invalid(Problem):
    """The input has faults, each named by a pointer."""

    type = "/problems/invalid"
    title = "The input has faults."
    status = 400


class NotFound(Problem):
    """There is no such thing, or not for this caller."""

    type = "/problems/not-found"
    title = "There is no such thing here."
    status = 404


class Conflict(Problem):
    """The state of the thing does not allow this."""

    type = "/problems/conflict"
    title = "The present state does not allow this."
    status = 409
