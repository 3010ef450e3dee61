import json
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client

from apps.core import health, pulse
from apps.core.queue import enqueue


def test_live_touches_no_database(client: Client) -> None:
    # No database mark: pytest-django fails the test if a query is made.
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "live"}


@pytest.mark.django_db
def test_ready_names_each_part(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ready"
    assert body["checks"] == {
        "database": "ok",
        "queue": "ok",
        "bell": "ok",
        "cache": "ok",
    }
    assert body["clusters"] == 0


@pytest.mark.django_db
def test_ready_fails_without_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", refuse)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unready"
    assert response.json()["checks"]["database"] == "failed"
    assert response.json()["checks"]["bell"] == "ok"


@pytest.mark.django_db
def test_ready_is_degraded_without_redis(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nobody listens there

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["bell"] == "failed"
    assert response.json()["checks"]["database"] == "ok"


@pytest.mark.django_db
def test_ready_is_degraded_without_cache(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise redis.ConnectionError

    monkeypatch.setitem(health.CHECKS, "cache", refuse)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["clusters"] is None


@pytest.mark.django_db
def test_waiting_counts_due_tasks() -> None:
    before = pulse.waiting()
    enqueue("apps.core.tasks.tidy")

    assert pulse.waiting() == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs/", "/healthz"])
def test_answers_carry_security_headers(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-eval'" in policy) == path.startswith("/admin/")
    assert "script-src 'unsafe-inline'" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_request_is_logged_by_route_without_query(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="apps.core.middleware"):
        response = client.get(
            "/admin/login/?next=/someone@example.org",
            headers={"X-Request-ID": "abcdef12"},
        )

    assert response["X-Request-ID"] == "abcdef12"
    [record] = [r for r in caplog.records if r.name == "apps.core.middleware"]
    fields: Any = record.msg
    assert fields["event"] == "request"
    assert fields["request_id"] == "abcdef12"
    assert fields["route"] == "admin/login/"
    assert "someone" not in json.dumps(fields, default=str)


def test_request_id_of_odd_shape_is_replaced(client: Client) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": "a b\u0000<script>"})

    assert "script" not in response["X-Request-ID"]


def test_docs_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()

    assert "http://" not in page
    assert "https://" not in page
