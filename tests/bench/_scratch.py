"""A database of its own beside that of `DATABASE_URL`, and processes that work on it."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from django.conf import settings
from django.core.management import CommandError
from psycopg import sql

from tests.serving import ROOT, Part, free_port


@dataclass(frozen=True, slots=True)
class Scratch:
    """A migrated database, and the environment of processes on it."""

    url: str
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a Python command there to its end; return what it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[Part]:
        """Serve it by one web process."""
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
        command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
        web = Part(command, self.environment, port)
        try:
            web.start()
            yield web
        finally:
            web.kill()


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Let SIGTERM end what runs inside like an exception, so that all is put away."""

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # putting away is not broken off
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Make the database and migrate it; drop it at the end.

    Raises:
        CommandError: `DATABASE_URL` is not PostgreSQL's.
    """
    if settings.IS_SQLITE:
        raise CommandError("It measures PostgreSQL: set DATABASE_URL=postgres://…")
    name = f"roundsman_bench_{secrets.token_hex(4)}"
    base_url = os.environ["DATABASE_URL"].rpartition("/")[0]
    with ends_in_order(), TemporaryDirectory() as data_dir:
        _administer(
            base_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        )
        try:
            made = Scratch(f"{base_url}/{name}", _environment(base_url, name, data_dir))
            made.run("manage.py", "migrate", "--verbosity", "0")
            yield made
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            _administer(base_url, drop.format(sql.Identifier(name)))


@contextmanager
def scratch_anywhere() -> Iterator[Scratch]:
    """Make a database of the kind of `DATABASE_URL`'s: beside it, or a file of SQLite."""
    if not settings.IS_SQLITE:
        with scratch() as made:
            yield made
        return
    with ends_in_order(), TemporaryDirectory() as data_dir:
        base_url, name = f"sqlite:///{data_dir}", "bench.sqlite3"
        made = Scratch(f"{base_url}/{name}", _environment(base_url, name, data_dir))
        made.run("manage.py", "migrate", "--verbosity", "0")
        yield made


def _administer(base_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(f"{base_url}/postgres", autocommit=True) as server:
        server.execute(statement)


def _environment(base_url: str, name: str, data_dir: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": f"{base_url}/{name}",
        "DATA_DIR": str(Path(data_dir)),
        "PUBLIC_URL": "http://localhost",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "LOG_LEVEL": "WARNING",
        # They stay at work, and let a client through that is faster than any handheld.
        "THROTTLE_DEVICE": "1000000/min",
    }
