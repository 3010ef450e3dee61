"""Databases that begin as copies of one that has been migrated: to migrate takes half a minute.

`MIGRATED` names a file of SQLite, `MIGRATED_POSTGRES` a database beside that of
`DATABASE_URL`; `.ci/run` makes both. Without them a new database is empty, as elsewhere.
"""

import os
import shutil
from pathlib import Path
from typing import Any


def put_migrated(data_dir: Path) -> bool:
    """Give a data directory a migrated database, where one has been made for all."""
    if made := os.environ.get("MIGRATED"):
        shutil.copy(made, data_dir / "roundsman.sqlite3")
    return bool(made)


def template() -> str:
    """Return what `CREATE DATABASE name` goes on with: nothing where none was made."""
    made = os.environ.get("MIGRATED_POSTGRES")
    return f" TEMPLATE {made}" if made else ""


def begin_migrated(own: dict[str, Any], vendor: str) -> bool:
    """Let a test database begin as a copy; `own` are its `TEST` settings, with a name.

    Return whether the copy lies there already, and is to be kept as it is.
    """
    if vendor == "postgresql":
        own["TEMPLATE"] = os.environ.get("MIGRATED_POSTGRES")
        return False
    if made := os.environ.get("MIGRATED"):
        shutil.copy(made, own["NAME"])
    return bool(made)
