"""The connection as statements by hand use it: bound on the server, and known to live."""

import json
import threading
import time
import uuid
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql.base import ServerBindingCursor

FRESH_S: Final = 5.0
"""For how long a connection that answered is taken to live."""

_used = threading.local()


@cache
def is_postgresql() -> bool:
    """Tell whether the database is PostgreSQL; it stays what it is."""
    return bool(connection.vendor == "postgresql")


def cursor() -> Any:
    """Return a cursor; PostgreSQL's binds on the server, so that plans are kept."""
    own: Any = connections[DEFAULT_DB_ALIAS]  # looked up once: that is not cheap
    if not is_postgresql():
        return own.cursor()
    _check_health(own)
    own.ensure_connection()
    bound: Any = ServerBindingCursor
    return own._prepare_cursor(bound(own.connection))


def _check_health(own: Any) -> None:
    """Ask whether the connection still lives, unless this thread has just used it.

    A round trip a request is saved where requests follow each other; a connection that
    was lost meanwhile fails its statement, and is opened anew for the next request.
    """
    now_s = time.monotonic()
    if now_s - getattr(_used, "at_s", -FRESH_S) < FRESH_S:
        own.health_check_done = True
    else:
        own.close_if_health_check_failed()
    _used.at_s = now_s


def bare(value: Any) -> Any:
    """Return a value as the driver of the present database takes it."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if is_postgresql():
        return value
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
