"""Processes of an installation that a test runs, as Linux shows them."""

from pathlib import Path


def pids_of(data_dir: Path, *words: str) -> set[int]:
    """Return the processes of one data directory whose command has all the words.

    A process's own name counts among them: what was forked bears the command of its parent.
    """
    mark = f"DATA_DIR={data_dir}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            inside = mark in (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().decode().split("\0")
            command.append((entry / "comm").read_text().strip())
        except OSError:
            continue
        if inside and all(word in command for word in words):
            found.add(int(entry.name))
    return found
