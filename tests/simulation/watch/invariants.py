"""What it is when an invariant does not hold."""


class Violation(BaseException):
    """An invariant does not hold; `name` says which. No door may swallow it."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name


def must(holds: object, name: str, detail: object = "") -> None:
    """Go on where it holds.

    Raises:
        Violation: it does not.
    """
    if not holds:
        raise Violation(name, str(detail))
