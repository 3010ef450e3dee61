"""Is the process alive; can it serve."""

from collections.abc import Callable
from typing import Final

import redis
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import pulse

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 2.0


@never_cache
@require_safe
def live(_request: HttpRequest) -> HttpResponse:
    """Answer that the process runs; touches nothing else."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer whether all that a request may need is there, each part by name.

    `queue` is whether tasks can be queued. `clusters` says how many worker clusters
    take them off it; none is no reason to turn devices away, so it fails nothing.
    """
    checks = {name: _try(name, check) for name, check in CHECKS.items()}
    fit = all(word == "ok" for word in checks.values())
    clusters = pulse.clusters_alive() if checks["cache"] == "ok" else None
    return JsonResponse(
        {
            "status": "ready" if fit else "unready",
            "checks": checks,
            "clusters": clusters,
        },
        status=200 if fit else 503,
    )


def _try(name: str, check: Callable[[], object]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, OSError) as error:
        log.warning("not_ready", part=name, error=type(error).__name__)
        return "failed"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    cache.set("readyz", "ok", timeout=60)


def _channel_layer() -> None:
    if not settings.REDIS_URL:
        return  # the layer in memory is part of the process
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
    )
    try:
        client.ping()
    finally:
        client.close()


CHECKS: Final[dict[str, Callable[[], object]]] = {
    "database": _database,
    "queue": pulse.waiting,
    "channel_layer": _channel_layer,
    "cache": _cache,
}
