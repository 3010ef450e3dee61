"""Our reader of instants reads what psycopg's own does."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection

from apps.core.postgres.base import InstantLoader

INSTANTS = (
    "2026-03-17 08:00:00+00",
    "2026-03-17 08:00:00.5+00",
    "2026-03-17 08:00:00.123456+00",
    "0044-03-15 12:00:00+00",
    "9999-12-31 23:59:59.999999+00",
)


@pytest.mark.parametrize("text", INSTANTS)
def test_instant_is_what_psycopg_reads(text: str) -> None:
    loader = InstantLoader(0)

    read = loader.load(text.encode())

    assert read == super(InstantLoader, loader).load(text.encode())
    assert read.tzinfo is UTC
    assert loader.load(memoryview(text.encode())) == read


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00+00 BC"])
def test_what_no_datetime_can_be_is_refused(text: str) -> None:
    with pytest.raises(psycopg.DataError):
        InstantLoader(0).load(text.encode())


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_connection_reads_by_it() -> None:
    at = datetime(2026, 3, 17, 8, 0, 0, 5, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, NULL::timestamptz", [at])
        assert cursor.fetchone() == (at, None)
    adapters = connection.connection.adapters
    assert adapters.get_loader(1184, psycopg.pq.Format.TEXT) is InstantLoader
