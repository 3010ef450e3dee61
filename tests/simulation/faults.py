"""What goes wrong inside the server, and when: at a chosen statement of a request."""

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

Act = Callable[[], None]


class Crash(BaseException):
    """The process dies here; nothing may catch it, as nothing can catch a kill."""


class Bug(RuntimeError):
    """Code of ours fails unexpectedly."""


class Saboteur:
    """Watches one request's statements and strikes at the chosen one."""

    def __init__(self) -> None:
        self.kind = ""
        self.countdown = 0
        self.act: Act | None = None
        self.base = 0
        self.struck = ""

    def arm(self, kind: str, at: int, act: Act | None = None) -> None:
        self.kind, self.countdown, self.act = kind, at, act

    def disarm(self) -> None:
        self.kind, self.act = "", None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count the statements of what runs inside, from where it stands now."""
        self.base, self.struck = len(connection.atomic_blocks), ""
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self.disarm()

    def _statement(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if self.kind and not sql.startswith(("RELEASE", "ROLLBACK")):
            self.countdown -= 1
            if self.countdown <= 0:
                self._strike()
        return execute(sql, params, many, context)

    def _strike(self) -> None:
        kind, act = self.kind, self.act
        if kind == "between":
            if len(connection.atomic_blocks) != self.base:
                return  # not within a transaction; as soon as it is over
            self.disarm()
            self.struck = kind
            if act is not None:
                # A process of its own: it knows nothing of the transaction to come.
                contextvars.Context().run(act)
            return
        if kind == "bug":
            return
        self.disarm()
        self.struck = kind
        if kind == "crash":
            raise Crash
        raise OperationalError("database is locked")

    def handler_fails(self) -> None:
        """Fail in the middle of judging an event, where that was chosen."""
        if self.kind == "bug":
            self.disarm()
            self.struck = "bug"
            raise Bug("chosen by the history")
