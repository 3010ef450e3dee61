"""The embedded default: every message as a line of a file, to be read and shown."""

import fcntl
import json
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from apps.notifications import kinds
from apps.notifications.letters import Letter, Taken, Unavailable


class ConsoleTransport:
    """Writes messages into `settings.MESSAGE_FILE`, one JSON object a line."""

    name: ClassVar[str] = "console"
    channels: ClassVar[frozenset[str]] = frozenset(kinds.CHANNELS)
    is_idempotent: ClassVar[bool] = False

    def send(self, letter: Letter) -> Taken:
        """Add a line."""
        path = Path(settings.MESSAGE_FILE)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(json.dumps(_line(letter), ensure_ascii=False) + "\n")
        except OSError as error:
            raise Unavailable("file", str(error)) from error
        return Taken(letter.key)

    def find(self, letter: Letter) -> Taken | None:
        """Look for the line."""
        try:
            with Path(settings.MESSAGE_FILE).open(encoding="utf-8") as file:
                there = any(_key_of(line) == letter.key for line in file)
        except FileNotFoundError:
            there = False
        except OSError as error:
            raise Unavailable("file", str(error)) from error
        return Taken(letter.key) if there else None


def _line(letter: Letter) -> dict[str, Any]:
    return {
        "key": letter.key,
        "at": letter.started_at.isoformat(timespec="seconds"),
        "channel": letter.channel,
        "to": letter.address,
        "about": letter.about,
        "title": letter.title if letter.channel == kinds.EMAIL else "",
        "text": letter.text,
    }


def _key_of(line: str) -> str:
    return str(json.loads(line)["key"])
