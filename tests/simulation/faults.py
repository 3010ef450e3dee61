"""What goes wrong inside the server, and when: at a chosen statement of a request."""

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

Act = Callable[[], None]
BEFORE, AFTER = "crash before commit", "crash after commit"


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
        self.has_written = False

    def arm(self, kind: str, at: int, act: Act | None = None) -> None:
        self.kind, self.countdown, self.act = kind, at, act

    def disarm(self) -> None:
        self.kind, self.act = "", None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count the statements of what runs inside, from where it stands now."""
        self.base, self.struck = len(connection.atomic_blocks), ""
        self.has_written = False
        try:
            with connection.execute_wrapper(self._statement):
                yield
            if self.kind == AFTER and self.has_written:
                self._die()  # all is committed, and nobody hears of it
        finally:
            self.disarm()
            if self.struck:
                # A statement that never came to the database has broken nothing there.
                connection.needs_rollback = False

    def _statement(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.has_written |= sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if self.kind and not sql.startswith(("RELEASE", "ROLLBACK")):
            self.countdown -= 1
            if self.countdown <= 0:
                self._strike()
        return execute(sql, params, many, context)

    def _strike(self) -> None:
        kind, act = self.kind, self.act
        if kind == "between":
            if self._is_within():
                return  # not within a transaction; as soon as it is over
            self.disarm()
            self.struck = kind
            if act is not None:
                # A process of its own: it knows nothing of the transaction to come.
                contextvars.Context().run(act)
            return
        if kind == "bug":
            return
        if kind == AFTER and (self._is_within() or not self.has_written):
            return
        if kind in {BEFORE, AFTER}:
            self._die()
        self.disarm()
        self.struck = kind
        raise OperationalError("database is locked")

    def _is_within(self) -> bool:
        """Tell whether a transaction of the request is open."""
        return len(connection.atomic_blocks) != self.base

    def _die(self) -> None:
        """Die as the history chose, or between two transactions by chance."""
        is_before = self.kind == BEFORE and not self._is_within()
        self.struck = "crash between transactions" if is_before else self.kind
        self.kind, self.act = "", None
        raise Crash

    def handler_fails(self) -> None:
        """Fail in the middle of judging an event, where that was chosen."""
        if self.kind == "bug":
            self.disarm()
            self.struck = "bug"
            raise Bug("chosen by the history")
