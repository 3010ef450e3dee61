"""Requests without Redis: it is stopped under them, and comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from rest_framework.settings import api_settings
from rest_framework.throttling import AnonRateThrottle

from apps.core import caching
from tests.redis_server import OwnRedis, has_redis

pytestmark = pytest.mark.skipif(
    not has_redis(), reason="needs redis-server on the PATH"
)
ENROL = "/api/sync/v1/enrol"


@pytest.fixture
def redis(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    backend = "apps.core.caching.ForgivingRedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": server.url}}
    settings.REDIS_URL = server.url
    monkeypatch.setattr(caching, "PAUSE_S", 0.0)
    yield server
    server.stop()


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    messages: list[Any] = [record.msg for record in caplog.records]
    return [m for m in messages if isinstance(m, dict) and m.get("event") == event]


def enrol(client: Client) -> int:
    body = {"code": "AAAA-BBBB-CCCC"}
    return client.post(ENROL, body, content_type="application/json").status_code


@pytest.mark.django_db
def test_requests_go_on_unthrottled_while_redis_is_away(
    client: Client,
    redis: OwnRedis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rates = {**api_settings.DEFAULT_THROTTLE_RATES, "anon": "2/min", "auth": "2/min"}
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", rates)
    first = [enrol(client) for _ in range(3)]
    assert first[2] == 429
    assert 429 not in first[:2]

    redis.stop()
    with caplog.at_level("INFO"):
        assert {enrol(client) for _ in range(4)} == {first[0]}
        ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert ready.json()["checks"]["cache"] == "failed"
    assert ready.json()["checks"]["bell"] == "failed"
    assert ready.json()["checks"]["database"] == "ok"
    [lost] = [
        line for line in said(caplog, "service_lost") if line["service"] == "cache"
    ]
    assert lost["error"] == "ConnectionError"

    caplog.clear()
    redis.start()
    with caplog.at_level("INFO"):
        again = [enrol(client) for _ in range(3)]
        assert client.get("/readyz").json()["status"] == "ready"
    assert again[2] == 429
    assert (
        len([x for x in said(caplog, "service_back") if x["service"] == "cache"]) == 1
    )


def test_cache_without_redis_is_an_empty_one(redis: OwnRedis) -> None:
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cache.incr("a") == 2
    redis.stop()
    assert cache.get("a", "nothing") == "nothing"
    assert cache.get_many(["a", "b"]) == {}
    assert cache.add("c", 1) is False
    assert cache.touch("a") is False
    assert cache.delete("a") is False
    assert "a" not in cache
    cache.set("a", 1)
    cache.set_many({"a": 1})
    cache.delete_many(["a"])
    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")
    cache.clear()


def test_redis_that_failed_is_left_alone_for_a_while(
    redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "PAUSE_S", 3600.0)
    cache.set("a", 1)
    redis.stop()
    assert cache.get("a") is None
    redis.start()
    cache.set("a", 1)
    assert cache.get("a") is None
