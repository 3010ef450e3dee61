"""`manage.py up`: the whole system, in one process tree."""

import argparse
import errno
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from apps.core import pulse
from apps.core.schedules import keep_schedules
from apps.core.supervision import Part, Supervisor

LOOK_EVERY_S = 1.0


class Command(BaseCommand):
    """Migrates, makes the demo day, starts web and workers, and keeps them up."""

    help = "Start everything: web server, background workers, and a demo day."
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say where to listen, and which parts to start."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=_default_port())
        parser.add_argument("--workers", type=int, default=settings.WORKERS)
        parser.add_argument(
            "--no-demo", action="store_true", help="leave an empty database empty"
        )
        parser.add_argument(
            "--only",
            choices=["web", "workers"],
            help="this part alone, without migrating: one of several machines",
        )

    def handle(self, **options: Any) -> None:
        """Run until Ctrl-C or SIGTERM; nothing survives it."""
        only = options["only"]
        if not 1 <= options["workers"] <= 64:
            raise CommandError("--workers must be from 1 to 64.")
        listener = None
        if only != "workers":
            listener = _listen(options["host"], options["port"])
        if only is None:
            self._prepare(with_demo=not options["no_demo"])
        environment = _environment(options["port"], options["workers"])
        parts = []
        if listener is not None:
            parts.append(_web(listener, environment))
        if only != "web":
            parts.append(_cluster(environment, is_alone=settings.IS_EMBEDDED))
        watch = Watch(self._say, listener, environment["PUBLIC_URL"])
        Supervisor(parts, self._say).run(watch.tick)
        for part in parts:
            if part.pulse_path is not None:
                part.pulse_path.unlink(missing_ok=True)
        self._say("up", "Ended; nothing is left running.")

    def _prepare(self, *, with_demo: bool) -> None:
        self._say("up", "Bringing the database up to date.")
        call_command("migrate", interactive=False, verbosity=0)
        for change in keep_schedules():
            self._say("up", f"Schedule {change}.")
        is_empty = not get_user_model()._default_manager.exists()
        if with_demo and is_empty and "create_demo" in get_commands():
            self._say("up", "The database is empty: making the demo day.")
            # The log-ins are said when the server is ready.
            call_command(
                "create_demo", verbosity=0, stdout=self.stdout, stderr=self.stderr
            )
        connection.close()

    def _say(self, part: str, line: str) -> None:
        self.stdout.write(f"{part:>7} | {line}")
        self.stdout.flush()


class Watch:
    """Tells whoever looks on when it is ready, and how far the planning is."""

    def __init__(
        self,
        say: Callable[[str, str], None],
        listener: socket.socket | None,
        public_url: str,
    ) -> None:
        """Watch what answers at `listener`, if anything."""
        self.say = say
        self.listener = listener
        self.public_url = public_url
        self.is_ready = listener is None
        self.look_again_s = 0.0
        self.shown: list[str] = []
        self.progress = _optional(settings.UP_PROGRESS)

    def tick(self) -> None:
        """Look again, when it is time to."""
        now_s = time.monotonic()
        if now_s < self.look_again_s:
            return
        self.look_again_s = now_s + LOOK_EVERY_S
        if not self.is_ready:
            self.is_ready = self._answers()
            if self.is_ready:
                self._welcome()
        self._show_progress()

    def _answers(self) -> bool:
        if self.listener is None:
            return True
        host, port = self.listener.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        request = urllib.request.Request(
            f"http://{host}:{port}/readyz",
            headers={"Host": urlsplit(self.public_url).netloc},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=1):
                return True
        except (urllib.error.URLError, TimeoutError, OSError):
            return False  # not yet; the next tick asks again

    def _welcome(self) -> None:
        self.say("up", f"Ready at {self.public_url}/ (Ctrl-C ends it)")
        self.say("up", f"  admin     {self.public_url}/admin/")
        self.say("up", f"  API docs  {self.public_url}/api/docs/")
        logins = _optional(settings.UP_LOGINS)
        for line in logins() if logins else ():
            self.say("up", f"  {line}")

    def _show_progress(self) -> None:
        if self.progress is None:
            return
        try:
            lines = self.progress()
        except DatabaseError as error:
            connection.close()
            lines = [f"The database does not answer: {type(error).__name__}."]
        for line in lines:
            if line not in self.shown:
                self.say("up", line)
        self.shown = lines


def _optional(name: str) -> Callable[[], list[str]] | None:
    """Return the selector of that name, where its room is open."""
    try:
        selector: Callable[[], list[str]] = import_string(name)
    except ImportError:
        return None
    return selector


def _default_port() -> int:
    public = urlsplit(settings.PUBLIC_URL)
    return public.port or 8000


def _listen(host: str, port: int) -> socket.socket:
    """Return the listening socket; the web server inherits it at each start."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = str(error)
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            reason = "something else listens there; choose another with --port"
        raise CommandError(f"Cannot listen on {host}:{port}: {reason}.") from error
    # Inherited by what it accepts. The server, which is handed a bare descriptor, does
    # not set it, and each answer would wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _environment(port: int, workers: int) -> dict[str, str]:
    local = f"http://localhost:{port}"
    terminal = {"LOG_FORMAT": "console"} if sys.stdout.isatty() else {}
    if settings.IS_EMBEDDED:
        terminal["LOG_LEVEL"] = "WARNING"  # a line a request would drown the rest
    return {
        **terminal,
        **os.environ,
        "PUBLIC_URL": os.environ.get("PUBLIC_URL") or local,
        "WORKERS": str(workers),
        "PYTHONUNBUFFERED": "1",
    }


def _web(listener: socket.socket, environment: dict[str, str]) -> Part:
    fd = listener.fileno()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
    command += ["--fd", str(fd), "--no-access-log", "--log-level", "warning"]
    command += ["--timeout-graceful-shutdown", "5"]
    return Part("web", command, environment, settings.BASE_DIR, keep_fds=(fd,))


def _cluster(environment: dict[str, str], *, is_alone: bool) -> Part:
    run_dir = Path(settings.DATA_DIR) / "run"
    return Part(
        "workers",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
        environment,
        settings.BASE_DIR,
        pulse_path=run_dir / f"pulse-{os.getpid()}",
        pulse_patience_s=settings.PULSE_PATIENCE_S,
        before_start=_release_claims if is_alone else None,
    )


def _release_claims() -> None:
    pulse.release_claims()
