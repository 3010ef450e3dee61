"""Message catalogs: from a readable `.po` to the `.mo` that Django reads, without gettext.

Only what we write is read: `msgid` and `msgstr`, in one line or several, and comments.
The format is GNU's: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
"""

import ast
import struct
from collections.abc import Mapping
from pathlib import Path

MAGIC = 0x950412DE


class Unreadable(ValueError):
    """A line of a catalog is none of those that we write."""


def read_po(text: str) -> dict[str, str]:
    """Return the translations of a catalog, its header under the empty text.

    Raises:
        Unreadable: a line cannot be understood, or a text comes twice.
    """
    found: dict[str, str] = {}
    parts: dict[str, str] = {}
    field = ""
    for number, line in enumerate([*text.splitlines(), 'msgid ""'], 1):
        word, _, rest = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if word in {"msgid", "msgstr"}:
            if word == "msgid" and "msgstr" in parts:
                if parts["msgid"] in found:
                    raise Unreadable(f"Twice before line {number}: {parts['msgid']}")
                found[parts["msgid"]] = parts["msgstr"]
                parts = {}
            field = word
        quoted = rest if word == field else line
        if not field or not quoted.startswith('"'):
            raise Unreadable(f"Line {number}: {line}")
        parts[field] = parts.get(field, "") + str(ast.literal_eval(quoted))
    return found


def mo_of(messages: Mapping[str, str]) -> bytes:
    """Return a catalog as gettext reads it; texts without a translation stay out."""
    pairs = sorted(
        (key.encode(), value.encode()) for key, value in messages.items() if value
    )
    start = 7 * 4 + 16 * len(pairs)
    keys = b"".join(key + b"\0" for key, _ in pairs)
    key_table, value_table = b"", b""
    at_key, at_value = start, start + len(keys)
    for key, value in pairs:
        key_table += struct.pack("<II", len(key), at_key)
        value_table += struct.pack("<II", len(value), at_value)
        at_key += len(key) + 1
        at_value += len(value) + 1
    head = struct.pack("<7I", MAGIC, 0, len(pairs), 28, 28 + len(key_table), 0, start)
    values = b"".join(value + b"\0" for _, value in pairs)
    return head + key_table + value_table + keys + values


def compile_catalogs(folder: Path) -> list[Path]:
    """Write the `.mo` beside every `.po` of a folder; return those that changed."""
    changed = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        made = mo_of(read_po(source.read_text(encoding="utf-8")))
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != made:
            target.write_bytes(made)
            changed.append(target)
    return changed
