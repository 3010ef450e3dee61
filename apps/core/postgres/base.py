"""The backend that settings name; Django finds it by this module's name."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader

TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid


class InstantLoader(TimestamptzLoader):
    """Reads an instant of a connection whose zone is UTC, as all of ours have it."""

    timezone = UTC
    """Django looks at it, and takes a reader of its own for any other zone."""

    def load(self, data: Any) -> datetime:
        """Return the instant.

        Raises:
            DataError: it lies outside of what a `datetime` can be.
        """
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            return super().load(data)


class DatabaseWrapper(base.DatabaseWrapper):
    """Reads instants by `fromisoformat`, in C; Django's reader takes ten times as long.

    A pull of 25 rows spent a tenth of its time there.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection that reads instants so."""
        opened = super().get_new_connection(conn_params)
        opened.adapters.register_loader(TIMESTAMPTZ, InstantLoader)
        return opened
