"""The one place that reads the time. Doors call it; verbs are given `now`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

STANDS_FOR_S = 300
"""A demo clock that was stopped goes on by itself after so long: whoever stopped it died."""


def now() -> datetime:
    """Return the present instant, in UTC.

    In the demo alone, the day may run ahead of the machine's clock, or stand still: the
    file `settings.DEMO_CLOCK_FILE` then holds how far, or where.
    """
    real = datetime.now(UTC)
    path: str | None = getattr(settings, "DEMO_CLOCK_FILE", None)
    return _demo_time(Path(path), real) if path else real


def stands() -> bool:
    """Tell whether the demo's clock was stopped, and nobody lets it go on."""
    path: str | None = getattr(settings, "DEMO_CLOCK_FILE", None)
    held = _held(Path(path)) if path else None
    return held is not None and _stands(held, datetime.now(UTC))


def _demo_time(path: Path, real: datetime) -> datetime:
    held = _held(path)
    if held is None:
        return real
    instant = datetime.fromisoformat(held["instant"])
    if _stands(held, real):
        return instant
    return instant + (real - datetime.fromisoformat(held["set_at"]))


def _held(path: Path) -> dict[str, Any] | None:
    try:
        held: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return held


def _stands(held: dict[str, Any], real: datetime) -> bool:
    set_at = datetime.fromisoformat(held["set_at"])
    return held["stands"] and real - set_at < timedelta(seconds=STANDS_FOR_S)


def set_demo_time(
    instant: datetime, *, stands: bool = False, file: Path | None = None
) -> None:
    """Let the demo's clock go on from `instant`, or stand there; refused elsewhere.

    A clock that stands makes a driven day repeatable: what the server decides at an
    instant does not depend on how long it takes to decide it. `file` is for who makes
    the demo: the settings learn of it at the next start.

    Raises:
        RuntimeError: the server does not run in demo mode.
    """
    path: str | Path | None = file or getattr(settings, "DEMO_CLOCK_FILE", None)
    if not path:
        raise RuntimeError("Only the demo's clock can be set.")
    held = {
        "instant": instant.astimezone(UTC).isoformat(),
        "set_at": datetime.now(UTC).isoformat(),
        "stands": stands,
    }
    target = Path(path)
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(held))
    fresh.replace(target)


def forget_demo_time() -> None:
    """Let the demo's clock show the machine's time again."""
    path: str | None = getattr(settings, "DEMO_CLOCK_FILE", None)
    if path:
        Path(path).unlink(missing_ok=True)
